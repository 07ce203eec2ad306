"""When the alert rules are evaluated: soon after the commit of a finished run, one evaluation at a time.

Runs that finish while an evaluation waits or works are evaluated together in the next one, so a burst of ten thousand
costs a handful of evaluations. What was committed before a kill but not evaluated is caught up at the next start.
"""

import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import UTC, datetime, timedelta

import structlog

from core.model import WorkflowRun
from core.store import alerts
from core.store.telling import NOWHERE, Policy
from core.store.writer import Writer

log = structlog.get_logger()

# Short against the two seconds in which an alert should come, long enough to gather what arrives together.
GATHER_SECONDS = 0.1
CATCH_UP = timedelta(days=1)
RECHECK = timedelta(minutes=10)


class Evaluator:
    """A thread that evaluates what finished. `notice` may be called from any thread and returns at once."""

    def __init__(self, policy: Policy = NOWHERE, on_decisions: Callable[[], None] = lambda: None) -> None:
        self._policy = policy
        self._on_decisions = on_decisions
        self._lock = threading.Lock()
        self._writer: Writer | None = None
        self._finished = alerts.Finished()
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self.evaluations = 0

    def start(self, writer: Writer) -> None:
        """Evaluate what the last day brought, then whatever is noticed."""
        self._writer = writer
        self._stopping.clear()
        self._thread = threading.Thread(target=self._work, name="alert evaluator", daemon=True)
        self._thread.start()

    def notice(self, runs: Iterable[WorkflowRun]) -> None:
        if self._finished.add(runs):
            self._wake.set()

    def notice_finishes(self, moments: Mapping[str, datetime]) -> None:
        """As `notice`, of runs that another process stored: when the first of each pipeline finished."""
        self._finished.note(moments)
        self._wake.set()

    def stop(self) -> None:
        """Evaluate what was noticed, then end."""
        self._stopping.set()
        self._wake.set()
        if self._thread:
            self._thread.join()

    def evaluate_all(self) -> None:
        """For the timer: what time alone makes true, of all pipelines."""
        self._evaluate(None, datetime.now(UTC) - RECHECK)

    def _work(self) -> None:
        self._evaluate(None, datetime.now(UTC) - CATCH_UP)
        while not self._stopping.is_set():
            self._wake.wait()
            self._stopping.wait(GATHER_SECONDS)
            self._wake.clear()
            if (finished := self._finished.take()) and not self._evaluate(finished, min(finished.values())):
                self._finished.note(finished)

    def _evaluate(self, pipeline_ids: Collection[str] | None, since: datetime) -> bool:
        """Evaluate, one at a time; whether it could be done. Whatever goes wrong must not end the evaluations."""
        assert self._writer
        try:
            with self._lock:
                now = datetime.now(UTC)
                decisions = self._writer.transact(
                    lambda cursor: alerts.evaluate(cursor, pipeline_ids, since, now, self._policy)
                ).result()
        except Exception as error:  # noqa: BLE001 - see above
            log.warning(
                "alerts were not evaluated; the next evaluation will", reason=f"{type(error).__name__}: {error}"
            )
            return False
        self.evaluations += 1
        if decisions:
            self._on_decisions()
        return True
