"""The one writer: a thread that commits many waiting requests in one transaction (group commit).

A caller's future is resolved only after the commit that holds its data; whatever waits while a commit runs goes into
the next one.
"""

import queue
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, TypeVar

import duckdb

from core.errors import StoreUnavailable
from core.model import Changes, Delivery, WorkflowRun
from core.store.cursor import Cursor
from core.store.duplicates import Duplicates
from core.store.proof import Proof
from core.store.rows import key_of
from core.store.session import FileSession, Session

T = TypeVar("T")
Outcome = Literal["processed", "ignored", "failed", "duplicate"]

# Large enough for a burst, small enough that nobody waits long behind it.
MAX_BATCH = 256
# A commit costs about as much for sixty requests as for twenty, so it waits for those that are just being read: until
# none came for a moment, and never long.
QUIET_SECONDS = 0.005
GATHER_SECONDS = 0.06


@dataclass(frozen=True, slots=True)
class _Write:
    """Rows to store: those of a webhook delivery, or of a source that has none (polling, the simulation)."""

    delivery: Delivery | None
    changes: Changes
    future: "Future[Any]"


@dataclass(frozen=True, slots=True)
class _Transaction:
    """A change of its own, such as an acknowledgement, run alone between `BEGIN` and `COMMIT`."""

    change: Callable[[Cursor], Any]
    future: "Future[Any]"
    is_proof: bool = False


class Writer:
    """Owns all writes of a database. Thread-safe; `close` finishes what was accepted.

    `on_runs` hears of the runs of each commit, after it and before the callers do. It is called in the writer's thread
    and must return at once.
    """

    def __init__(
        self,
        place: duckdb.DuckDBPyConnection | Session,
        on_runs: Callable[[Sequence[WorkflowRun]], object] = lambda _: None,
    ) -> None:
        self._session = FileSession(place) if isinstance(place, duckdb.DuckDBPyConnection) else place
        self._on_runs = on_runs
        self._duplicates = Duplicates()
        self._proof = Proof()
        self._requests: queue.SimpleQueue[_Write | _Transaction | None] = queue.SimpleQueue()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="writer", daemon=True)
        self._thread.start()

    def submit_delivery(self, delivery: Delivery) -> "Future[Outcome]":
        """Store a delivery and what it says. The outcome is its result, or `duplicate` when it was seen before."""
        return self._submit(_Write(delivery, delivery.changes, Future()))

    def replay_delivery(self, delivery: Delivery) -> "Future[None]":
        """Store what a kept delivery says by the code of today, and its new result."""
        return self._submit(_Transaction(lambda cursor: self._replay(cursor, delivery), Future()))

    def submit_changes(self, changes: Changes) -> "Future[None]":
        """Store rows that no webhook brought."""
        return self._submit(_Write(None, changes, Future()))

    def transact(self, change: Callable[[Cursor], T]) -> "Future[T]":
        """Run `change(cursor)` in a transaction of its own; what it raises is rolled back and handed to the caller.

        It may be called again where another process got in its way, so it must do nothing but what the cursor does.
        """
        return self._submit(_Transaction(change, Future()))

    def prove(self, timeout: float) -> None:
        """Find out whether a delivery would be stored now; writes only where the last writes don't tell.

        Raises StoreUnavailable: why it would not, or that the writer did not come to it in `timeout` seconds.
        """
        if self.is_alive and self._proof.is_fresh:
            return
        text = self._proof.text()
        write = self._submit(_Transaction(lambda _: self._session.prove(text), Future(), is_proof=True))
        try:
            write.result(timeout)
        except TimeoutError:
            write.cancel()
            raise StoreUnavailable(
                f"Nothing was stored for {timeout:g} s.", hint="A long change may be going on; see the log."
            ) from None

    def close(self) -> None:
        """Commit all that was accepted, then stop."""
        self._closed = True
        self._requests.put(None)
        self._thread.join()
        self._session.close()

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive() and not self._closed

    def _submit(self, request: _Write | _Transaction) -> "Future[Any]":
        if not self.is_alive:
            raise StoreUnavailable("The service is stopping.", hint="Send it again in a moment.")
        self._requests.put(request)
        return request.future

    def _work(self) -> None:
        while True:
            batch, stopping = self._next_batch()
            for part in _parts(batch):
                self._commit(part)
            if stopping:
                return

    def _next_batch(self) -> tuple[list[_Write | _Transaction], bool]:
        """What waits, and what arrives close behind it; whether the end was among it."""
        batch: list[_Write | _Transaction] = []
        request = self._requests.get()
        deadline = time.monotonic() + GATHER_SECONDS
        while request is not None:
            # From here on nobody can take it back: a future that its caller has cancelled would refuse its result.
            if request.future.set_running_or_notify_cancel():
                batch.append(request)
            if len(batch) == MAX_BATCH:
                return batch, False
            try:
                request = self._requests.get(timeout=min(QUIET_SECONDS, max(0, deadline - time.monotonic())))
            except queue.Empty:
                return batch, False
        return batch, True

    def _commit(self, part: list[_Write] | _Transaction) -> None:
        alone = isinstance(part, _Transaction)
        tries = 0
        while True:
            try:
                self._written: Sequence[WorkflowRun] = ()
                self._session.begin(alone=alone)
                results = [part.change(self._session.cursor)] if isinstance(part, _Transaction) else self._store(part)
                self._session.announce(self._written)
                self._session.commit()
                break
            except Exception as error:  # noqa: BLE001 - whatever it is, the callers must hear of it
                self._session.roll_back()
                tries += 1
                if not self._session.may_repeat(error, tries, alone=alone):
                    self._give_up_or_split(part, error)
                    return
        if not alone:
            self._duplicates.committed()
        if part.is_proof if isinstance(part, _Transaction) else any(map(_is_kept, results)):
            self._proof.stored()
        if self._written:
            self._on_runs(self._written)
        futures = [part.future] if isinstance(part, _Transaction) else [write.future for write in part]
        for future, result in zip(futures, results, strict=True):
            future.set_result(result)

    def _give_up_or_split(self, part: list[_Write] | _Transaction, error: Exception) -> None:
        """One request that can't be stored must not take its neighbours with it."""
        if isinstance(part, list) and len(part) > 1 and not isinstance(error, StoreUnavailable):
            for write in part:
                self._commit([write])
            return
        futures = [part.future] if isinstance(part, _Transaction) else [write.future for write in part]
        told = self._session.in_a_sentence(error)
        self._proof.failed(told)
        for future in futures:
            future.set_exception(told)

    def _store(self, writes: list[_Write]) -> list[Outcome | None]:
        fresh, outcomes = self._sort_out(writes)
        again = [write for write, outcome in zip(writes, outcomes, strict=True) if outcome == "duplicate"]
        self._duplicates.found(write.delivery.provider for write in again if write.delivery)
        if any(write.delivery for write in fresh):
            self._duplicates.store(self._session.cursor, datetime.now(UTC).date())
        self._written = self._session.rows.write([write.changes for write in fresh])
        return outcomes

    def _sort_out(self, writes: list[_Write]) -> tuple[list[_Write], list[Outcome | None]]:
        """Keep the deliveries; which writes are new, and the outcome of each: a delivery counts once, here and ever."""
        first = {key_of(write.delivery): write for write in reversed(writes) if write.delivery}
        kept = self._session.rows.keep([write.delivery for write in first.values() if write.delivery])
        fresh: list[_Write] = []
        outcomes: list[Outcome | None] = []
        for write in writes:
            delivery = write.delivery
            if delivery and (first[key_of(delivery)] is not write or key_of(delivery) not in kept):
                outcomes.append("duplicate")
                continue
            outcomes.append(delivery.result if delivery else None)
            fresh.append(write)
        return fresh, outcomes

    def _replay(self, cursor: Cursor, delivery: Delivery) -> None:
        self._written = self._session.rows.write([delivery.changes])
        cursor.execute(
            "UPDATE deliveries SET action = ?, result = ?, reason = ? WHERE provider = ? AND delivery_id = ?",
            [delivery.action, delivery.result, delivery.reason, delivery.provider, delivery.delivery_id],
        )


def _is_kept(outcome: Outcome | None) -> bool:
    """Whether a write brought a row for certain: its delivery was kept."""
    return outcome not in (None, "duplicate")


def _parts(batch: list[_Write | _Transaction]) -> Iterable[list[_Write] | _Transaction]:
    """Neighbouring writes together, each transaction alone, in the order of arrival."""
    writes: list[_Write] = []
    for request in batch:
        if isinstance(request, _Write):
            writes.append(request)
            continue
        if writes:
            yield writes
            writes = []
        yield request
    if writes:
        yield writes
