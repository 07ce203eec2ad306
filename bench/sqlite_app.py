"""The webhook endpoint on SQLite: the same rows, WAL, synchronous=FULL, one commit a request.

Commits run in one thread of their own, so that the event loop reads and checks the next request meanwhile; committing
in the event loop itself was slower here.
"""

import sqlite3
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime

from bench.endpoint import endpoint
from core.model import Delivery, Job, Pipeline, Step, WorkflowRun
from core.settings import settings
from core.store.writer import Outcome

Row = Pipeline | WorkflowRun | Job | Step

TABLES: dict[type[Row], tuple[str, str]] = {
    Pipeline: ("pipelines", "id"),
    WorkflowRun: ("workflow_runs", "id"),
    Job: ("jobs", "id"),
    Step: ("steps", "job_id, number"),
}
DELIVERY = "INSERT INTO deliveries VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"


class SqliteWriter:
    """Stores a delivery and its rows in one transaction of its own."""

    def __init__(self, path: str) -> None:
        # Statements are written by hand (isolation_level=None), as someone who wants speed would.
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute(
            """CREATE TABLE IF NOT EXISTS deliveries (provider, delivery_id, event, action, received_at, result, reason,
            payload, PRIMARY KEY (provider, delivery_id))"""
        )
        self._upserts = {row: self._table(row) for row in TABLES}
        self._thread = ThreadPoolExecutor(1)

    def submit_delivery(self, delivery: Delivery) -> "Future[Outcome]":
        """Commit `delivery` and what it says; a known delivery id changes nothing."""
        return self._thread.submit(self._store, delivery)

    def _store(self, delivery: Delivery) -> Outcome:
        self._connection.execute("BEGIN IMMEDIATE")
        kept = self._connection.execute(
            DELIVERY,
            (delivery.provider, delivery.delivery_id, delivery.event, delivery.action,
             delivery.received_at.isoformat(), delivery.result, delivery.reason, delivery.payload),
        )  # fmt: skip
        if kept.rowcount == 0:
            self._connection.execute("ROLLBACK")
            return "duplicate"
        changes = delivery.changes
        for rows in (changes.pipelines, changes.runs, changes.jobs, changes.steps):
            if rows:
                self._upsert(rows)
        self._connection.execute("COMMIT")
        return delivery.result

    def _upsert(self, rows: Sequence[Row]) -> None:
        names = type(rows[0]).__dataclass_fields__
        values = [tuple(_plain(getattr(row, name)) for name in names) for row in rows]
        self._connection.executemany(self._upserts[type(rows[0])], values)

    def _table(self, row: type[Row]) -> str:
        """Make the table of a kind of row; returns its upsert, in which the larger version wins."""
        table, key = TABLES[row]
        names = list(row.__dataclass_fields__)
        self._connection.execute(f"CREATE TABLE IF NOT EXISTS {table} ({', '.join(names)}, PRIMARY KEY ({key}))")
        changed = ", ".join(f"{name} = excluded.{name}" for name in names if name not in key.split(", "))
        return (
            f"INSERT INTO {table} VALUES ({', '.join('?' * len(names))}) "
            f"ON CONFLICT ({key}) DO UPDATE SET {changed} WHERE excluded.version > version"
        )


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value


app = endpoint(SqliteWriter(str(settings().database_path)))
