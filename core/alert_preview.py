"""Which alerts other thresholds would have raised: the rules themselves, let loose on the history."""

import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count, groupby
from typing import Any

import pandas as pd

from core.alerts import QUIET_BRANCH, Decision, OpenAlert, Raise, Repeat, Resolve, Severity, pipeline_failures
from core.errors import BadRequest
from core.past_pipeline import MONTH, PastPipeline, PastRun
from core.pipeline_rules import DAY, Rules, decide

# A preview of more would keep its reader waiting for longer than a few seconds.
MOST_RUNS = 60_000
INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class WouldBe:
    """An alert that would have been raised; `resolved_at` is None where it would still be open.

    `times`: how often its cause was seen until `last_seen_at`.
    """

    pipeline_id: str
    pipeline: str
    type: str
    severity: Severity
    branch: str | None
    message: str
    attempt_id: str | None
    raised_at: datetime
    last_seen_at: datetime
    dedup_key: str
    times: int = 1
    resolved_at: datetime | None = None
    resolved_attempt_id: str | None = None


@dataclass(frozen=True, slots=True)
class History:
    """Attempts by pipeline, and what was known of each before: (first run at, last success at)."""

    runs: dict[str, list[PastRun]]
    starts: dict[str, tuple[datetime, datetime | None]]


def read_history(read: Callable[..., pd.DataFrame], pipeline_id: str | None, *, days: int, now: datetime) -> History:
    """What `preview` needs for the last `days` days, by a reader's `frame`. Raises BadRequest for too many runs."""
    since = now - timedelta(days=days) - MONTH
    chosen = {"pipeline_id": pipeline_id, "since": since}
    rows: list[dict[str, Any]] = read("preview_runs", **chosen, limit=MOST_RUNS + 1).to_dict("records")  # type: ignore[assignment]
    if len(rows) > MOST_RUNS:
        raise BadRequest(f"These are more than {MOST_RUNS:,} runs.", hint="Choose one pipeline or fewer days.")
    starts: list[dict[str, Any]] = read("preview_starts", **chosen).to_dict("records")  # type: ignore[assignment]
    runs: dict[str, list[PastRun]] = {}
    for _, attempts in groupby(sorted(rows, key=lambda row: (row["run_key"], row["run_attempt"])), _run_key):
        tries = list(attempts)
        for row, later in zip(tries, [*tries[1:], None], strict=True):
            begun = _moment(later["started_at"]) or _moment(later["created_at"]) if later else None
            runs.setdefault(row["pipeline_id"], []).append(_past_run(row, begun))
    return History(
        runs,
        {row["pipeline_id"]: (row["first_run_at"].to_pydatetime(), _moment(row["last_success_at"])) for row in starts},
    )


def preview(history: History, rules: Rules, start: datetime, end: datetime) -> list[WouldBe]:
    """The alerts that `rules` would have raised from `start` to `end`, the newest first.

    The rules are evaluated at each finish, and at each moment at which time alone may make one of them true.
    """
    found: list[WouldBe] = []
    for pipeline_id, runs in history.runs.items():
        first_run_at, last_success_at = history.starts[pipeline_id]
        past = PastPipeline(pipeline_id, first_run_at, last_success_at)
        found += _Replay(past, rules, pipeline_id).alerts(runs, last_success_at or first_run_at, end)
    chosen = [alert for alert in found if start <= alert.raised_at <= end]
    return sorted(chosen, key=lambda alert: (alert.raised_at, alert.pipeline_id, alert.type), reverse=True)


class _Replay:
    """One pipeline's history, event by event."""

    def __init__(self, past: PastPipeline, rules: Rules, pipeline_id: str) -> None:
        self._past = past
        self._rules = rules
        self._thresholds = rules.of(pipeline_id)
        self._events: list[tuple[datetime, int, Callable[[], None]]] = []
        self._numbers = count()
        self._open: dict[str, OpenAlert] = {}
        self._alerts: dict[str, WouldBe] = {}

    def alerts(self, runs: Sequence[PastRun], last_good: datetime, end: datetime) -> list[WouldBe]:
        """`last_good`: the last success before the runs, else the first run of all."""
        self._active_at = last_good
        self._watch_success(last_good)
        for run in runs:
            self._plan(run)
        while self._events and self._events[0][0] <= end:
            now = self._events[0][0]
            for happen in self._due(now):
                happen()
            self._apply(decide([self._past.health(now)], list(self._open.values()), self._rules, now), now)
        return list(self._alerts.values())

    def _at(self, moment: datetime, happen: Callable[[], None]) -> None:
        heapq.heappush(self._events, (moment, next(self._numbers), happen))

    def _due(self, now: datetime) -> Iterator[Callable[[], None]]:
        while self._events and self._events[0][0] <= now:
            yield heapq.heappop(self._events)[2]

    def _plan(self, run: PastRun) -> None:
        if run.started_at:
            self._at(run.started_at, lambda: self._begin(run))
        if run.finished_at:
            self._at(run.finished_at, lambda: self._finish(run))
        if run.replaced_at:
            self._at(run.replaced_at, lambda: self._past.replace(run))

    def _begin(self, run: PastRun) -> None:
        self._past.begin(run)
        if run.started_at:
            self._active_at = run.started_at
            self._watch(run.started_at, run.started_at)

    def _watch(self, started_at: datetime | None, now: datetime) -> None:
        """Look again when the run that began then will have been running for too long, as it seems now."""
        limit = timedelta(seconds=self._thresholds.slow_after(self._past.p95()))
        if started_at and started_at + limit >= now:
            self._at(started_at + limit + INSTANT, _only_time)

    def _finish(self, run: PastRun) -> None:
        self._active_at = run.finished_at or self._active_at
        state = self._past.finish(run)
        if state is None:
            return
        self._apply(pipeline_failures([state], list(self._open.values()), state.finished_at), state.finished_at)
        self._watch(self._past.longest_running_since(state.finished_at), state.finished_at)
        # When it leaves the day that is counted.
        self._at(state.finished_at + DAY, _only_time)
        self._watch_success(state.finished_at)

    def _watch_success(self, last_good: datetime) -> None:
        """Look again when the pipeline will have been without success for too long."""
        self._at(last_good + timedelta(hours=self._thresholds.down_hours) + INSTANT, _only_time)

    def _end_when_quiet(self, name: str, now: datetime) -> None:
        """A week with nothing on its branch, or in its whole pipeline, ends an alert (`core.store.retention`)."""
        alert = self._alerts[name]
        if name not in self._open or (alert.type == "pipeline_failure" and alert.severity != "info"):
            return
        seen = alert.last_seen_at if alert.severity == "info" else max(alert.last_seen_at, self._active_at)
        ends_at = seen + QUIET_BRANCH
        if ends_at > now:
            self._at(ends_at, lambda: self._end_when_quiet(name, ends_at))
            return
        del self._open[name]
        self._alerts[name] = replace(alert, resolved_at=now)

    def _apply(self, decisions: Sequence[Decision], now: datetime) -> None:
        for decision in decisions:
            match decision:
                case Raise(finding=finding):
                    cause, name = finding.cause, str(next(self._numbers))
                    self._open[name] = OpenAlert(name, finding.dedup_key, cause.attempt_id or "", cause.at)
                    self._alerts[name] = WouldBe(
                        cause.pipeline_id, self._past.name, finding.type, finding.severity, cause.branch,
                        finding.message, cause.attempt_id, now, now, finding.dedup_key,
                    )  # fmt: skip
                    self._end_when_quiet(name, now)
                case Repeat(alert_id=name, cause=cause):
                    known = self._open[name]
                    self._open[name] = OpenAlert(known.id, known.dedup_key, cause.attempt_id or "", cause.at)
                    self._alerts[name] = replace(
                        self._alerts[name], attempt_id=cause.attempt_id, last_seen_at=now,
                        times=self._alerts[name].times + 1,
                    )  # fmt: skip
                case Resolve(alert_id=name, cause=cause):
                    del self._open[name]
                    self._alerts[name] = replace(
                        self._alerts[name], resolved_at=now, resolved_attempt_id=cause.attempt_id
                    )


def _only_time() -> None:
    """Nothing happens but that time has come to a moment."""


def _run_key(row: dict[str, Any]) -> str:
    return str(row["run_key"])


def _past_run(row: dict[str, Any], replaced_at: datetime | None) -> PastRun:
    return PastRun(
        id=row["id"],
        pipeline_id=row["pipeline_id"],
        pipeline=row["pipeline"],
        branch=row["branch"],
        on_default_branch=bool(row["on_default_branch"]),
        status=row["status"],
        created_at=row["created_at"].to_pydatetime(),
        started_at=_moment(row["started_at"]),
        finished_at=_moment(row["finished_at"]),
        seconds=None if pd.isna(row["seconds"]) else float(row["seconds"]),
        replaced_at=replaced_at,
    )


def _moment(value: Any) -> datetime | None:
    return None if pd.isna(value) else value.to_pydatetime()
