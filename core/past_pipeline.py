"""One pipeline as it was at any moment of its history: what the alert rules would have seen then. Pure.

Counterpart of the queries pipeline_health and branch_states, which say the same about the present.
"""

from bisect import bisect_left, insort
from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from core.alerts import BranchState
from core.pipeline_rules import DAY, PipelineHealth

MONTH = timedelta(days=30)
WEEK = timedelta(days=7)
P95 = 0.95


@dataclass(frozen=True, slots=True)
class PastRun:
    """One attempt. `seconds`: its duration; `replaced_at`: when a later attempt of its run began."""

    id: str
    pipeline_id: str
    pipeline: str
    branch: str
    on_default_branch: bool
    status: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    seconds: float | None
    replaced_at: datetime | None = None

    @property
    def is_decided(self) -> bool:
        return self.finished_at is not None and self.status in ("success", "failed")


class PastPipeline:
    """The state after all that happened so far: `begin`, `finish` and `replace` attempts in the order of time."""

    def __init__(self, pipeline_id: str, first_run_at: datetime, last_success_at: datetime | None) -> None:
        self._id = pipeline_id
        self.name = ""
        self._first_run_at = first_run_at
        self._earlier_success = last_success_at
        self._running: dict[str, datetime] = {}
        self._finished: dict[str, PastRun] = {}
        self._order: list[tuple[datetime, str]] = []
        self._successes: list[datetime] = []
        self._failures: list[tuple[datetime, str]] = []
        self._day: deque[PastRun] = deque()
        self._month: deque[PastRun] = deque()
        self._seconds: list[float] = []
        self._finished_24h = self._failed_24h = 0

    def begin(self, run: PastRun) -> None:
        self.name = run.pipeline
        if run.started_at:
            self._running[run.id] = run.started_at

    def finish(self, run: PastRun) -> BranchState | None:
        """The state of its branch, where the run succeeded or failed and is the newest of it."""
        self._running.pop(run.id, None)
        if not run.is_decided or run.finished_at is None:
            return None
        self.name = run.pipeline
        if run.replaced_at is None or run.replaced_at > run.finished_at:
            self._count(run, run.finished_at)
        return BranchState(
            self._id, run.pipeline, run.branch, run.on_default_branch, run.id, run.status, run.finished_at
        )

    def replace(self, run: PastRun) -> None:
        """A later attempt began: only that one counts now."""
        if self._finished.pop(run.id, None) is None or run.finished_at is None:
            return
        _remove(self._order, (run.finished_at, run.id))
        if run.status == "success":
            _remove(self._successes, run.finished_at)
        else:
            _remove(self._failures, (run.finished_at, run.id))
        if run in self._day:
            self._day.remove(run)
            self._finished_24h -= 1
            self._failed_24h -= run.status == "failed"
        if run in self._month:
            self._month.remove(run)
            if run.seconds is not None:
                _remove(self._seconds, run.seconds)

    def health(self, now: datetime) -> PipelineHealth:
        """What the rules ask, at `now`, which may not lie before anything that was told."""
        self._forget(now)
        longest = self._longest(now)
        failure = self._failures[-1] if self._failures and self._failures[-1][0] > now - MONTH else None
        newest = self._finished[self._order[-1][1]] if self._order else None
        return PipelineHealth(
            pipeline_id=self._id,
            pipeline=self.name,
            finished_24h=self._finished_24h,
            failed_24h=self._failed_24h,
            last_success_at=self._successes[-1] if self._successes else self._earlier_success,
            first_run_at=self._first_run_at,
            p95_seconds=self.p95(),
            newest=_cause(newest.finished_at, newest.id, newest.seconds) if newest else None,
            longest_running=_cause(longest[0], longest[1]) if longest else None,
            last_failure=_cause(failure[0], failure[1]) if failure else None,
        )

    def longest_running_since(self, now: datetime) -> datetime | None:
        """When the run began that has been running longest."""
        longest = self._longest(now)
        return longest[0] if longest else None

    def p95(self) -> float | None:
        """Of the durations of 30 days, with linear interpolation, as quantile_cont has it."""
        if not self._seconds:
            return None
        place = P95 * (len(self._seconds) - 1)
        below = int(place)
        above = min(below + 1, len(self._seconds) - 1)
        return self._seconds[below] + (place - below) * (self._seconds[above] - self._seconds[below])

    def _longest(self, now: datetime) -> tuple[datetime, str] | None:
        return min(((at, name) for name, at in self._running.items() if at > now - WEEK), default=None)

    def _count(self, run: PastRun, at: datetime) -> None:
        self._finished[run.id] = run
        insort(self._order, (at, run.id))
        if run.status == "success":
            insort(self._successes, at)
        else:
            insort(self._failures, (at, run.id))
        self._day.append(run)
        self._finished_24h += 1
        self._failed_24h += run.status == "failed"
        self._month.append(run)
        if run.seconds is not None:
            insort(self._seconds, run.seconds)

    def _forget(self, now: datetime) -> None:
        while self._day and (self._day[0].finished_at or now) <= now - DAY:
            self._finished_24h -= 1
            self._failed_24h -= self._day.popleft().status == "failed"
        while self._month and (self._month[0].finished_at or now) <= now - MONTH:
            gone = self._month.popleft()
            if gone.seconds is not None:
                _remove(self._seconds, gone.seconds)


def _cause(at: datetime | None, name: str, seconds: float | None = None) -> dict[str, Any]:
    return {"at": at, "id": name, "seconds": seconds}


def _remove(ordered: list[Any], value: Any) -> None:
    place = bisect_left(ordered, value)
    if place < len(ordered) and ordered[place] == value:
        del ordered[place]
