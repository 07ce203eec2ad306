"""The writer's connection to PostgreSQL: comes back by itself, and repeats what another process got in the way of."""

import random
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import orjson
import psycopg
from psycopg import errors

from core.errors import StoreUnavailable
from core.model import WorkflowRun
from core.store.alerts import Finished
from core.store.postgres import connection as connections
from core.store.postgres.connection import PostgresCursor
from core.store.postgres.rows import PostgresRows

# The channel on which replicas tell the leader which pipelines finished runs.
FINISHED = "cicd_finished"
# A notification holds less than 8000 bytes; a pipeline's id and a time are at most some hundred, where nobody jests.
PIPELINES_AT_ONCE, LONGEST_MESSAGE = 20, 7900

COLLISION_TRIES = 20
# How long a batch of deliveries waits for a server that restarts, before its senders are told to come again.
LOST_TRIES, LOST_WAIT_SECONDS = 10, 0.5


class PostgresSession:
    """Used by one thread, the writer's."""

    def __init__(self, url: str, on_change: Callable[[], None] | None = None) -> None:
        """`on_change` is called after each commit that changed anything."""
        self._url = url
        self._on_change = on_change
        self._is_alone = self._is_proof = False
        self._open(connections.connect(url, "writer"))

    def _open(self, connection: "psycopg.Connection[tuple[Any, ...]]") -> None:
        self._connection = connection
        self.cursor = PostgresCursor(connection)
        self.rows = PostgresRows(self.cursor)

    def begin(self, *, alone: bool) -> None:
        if self._connection.closed:
            self._open(connections.connect(self._url, "writer"))
        self._is_alone, self._is_proof = alone, False
        # Whoever reads and then writes was written for a database with one writer; PostgreSQL can promise the same.
        self.cursor.run("BEGIN ISOLATION LEVEL SERIALIZABLE" if alone else "BEGIN")

    def commit(self) -> None:
        has_changed = self._on_change is not None and self._has_changed()
        self.cursor.run("COMMIT")
        if self._on_change and has_changed:
            self._on_change()

    def _has_changed(self) -> bool:
        """A batch always changes something; a transaction of its own may only have looked."""
        if not self._is_alone:
            return True
        if self._is_proof:
            return False
        (is_assigned,) = self.cursor.run("SELECT pg_current_xact_id_if_assigned() IS NOT NULL").fetchone()
        return bool(is_assigned)

    def roll_back(self) -> None:
        with suppress(psycopg.Error):  # the connection may be gone, and the transaction with it
            self.cursor.run("ROLLBACK")

    def announce(self, runs: Sequence[WorkflowRun]) -> None:
        finished = Finished()
        if not finished.add(runs):
            return
        moments = list(finished.take().items())
        for start in range(0, len(moments), PIPELINES_AT_ONCE):
            self.cursor.run(
                "SELECT pg_notify(%s, %s)", [FINISHED, _message(moments[start : start + PIPELINES_AT_ONCE])]
            )

    def may_repeat(self, error: Exception, tries: int, *, alone: bool) -> bool:
        if isinstance(error, errors.DeadlockDetected | errors.SerializationFailure):
            time.sleep(random.uniform(0, 0.01 * 2 ** min(tries, 5)))  # noqa: S311 - spreads tries, guards nothing
            return tries < COLLISION_TRIES
        # A batch of deliveries may be stored twice without harm; what a person did may not.
        is_lost = isinstance(error, StoreUnavailable | psycopg.OperationalError) and self._connection.closed
        if is_lost and not alone and tries < LOST_TRIES:
            time.sleep(LOST_WAIT_SECONDS)
            return True
        return False

    def in_a_sentence(self, error: Exception) -> Exception:
        return connections.unavailable(error, self._url) if isinstance(error, psycopg.Error) else error

    def prove(self, text: str) -> None:
        # Where deliveries go; it takes room there and in the log, though it is removed again before anybody sees it.
        self._is_proof = True
        key = str(uuid4())
        self.cursor.execute(
            "INSERT INTO deliveries VALUES ('', ?, 'proof', NULL, ?, 'ignored', NULL, ?)",
            [key, datetime.now(UTC), text],
        )
        self.cursor.execute("DELETE FROM deliveries WHERE provider = '' AND delivery_id = ?", [key])

    def close(self) -> None:
        self._connection.close()


def _message(moments: Sequence[tuple[str, Any]]) -> str:
    """Pipelines with the earliest finish of each, as JSON; of what is too long, `{}`: look at everything."""
    message = orjson.dumps(dict(moments))
    return message.decode() if len(message) < LONGEST_MESSAGE else "{}"
