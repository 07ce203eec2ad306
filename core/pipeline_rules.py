"""The alert rules about a whole pipeline: slow_build, pipeline_down, high_failure_rate. Pure: the time is passed in."""

from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any

from core.alerts import Cause, Decision, Finding, OpenAlert, Raise, Repeat, Resolve, Severity, dedup_key
from core.errors import BadRequest

DAY = timedelta(hours=24)
PIPELINE_TYPES = ("slow_build", "pipeline_down", "high_failure_rate")


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Of one pipeline, or of all. `slow_seconds` None means: the larger of 600 s and twice the 30-day p95."""

    slow_seconds: float | None = None
    down_hours: float = 24
    failure_rate: float = 0.2
    failure_rate_min_runs: int = 5

    def slow_after(self, p95_seconds: float | None) -> float:
        """Seconds above which a build is slow."""
        return self.slow_seconds if self.slow_seconds is not None else max(600.0, 2 * (p95_seconds or 0.0))


@dataclass(frozen=True, slots=True)
class Rules:
    """The thresholds of all pipelines, and of those that have their own."""

    default: Thresholds = field(default_factory=Thresholds)
    pipelines: dict[str, Thresholds] = field(default_factory=dict)

    def of(self, pipeline_id: str) -> Thresholds:
        return self.pipelines.get(pipeline_id, self.default)

    @classmethod
    def read(cls, stored: dict[str, Any]) -> "Rules":
        """From `{"default": {…}, "pipelines": {id: {…}}}`. Raises BadRequest naming the field that is wrong."""
        default = _thresholds(stored.get("default") or {}, Thresholds(), "default")
        own = stored.get("pipelines") or {}
        return cls(default, {name: _thresholds(value, default, f"pipelines.{name}") for name, value in own.items()})


def _thresholds(given: dict[str, Any], base: Thresholds, place: str) -> Thresholds:
    values = {entry.name: getattr(base, entry.name) for entry in fields(Thresholds)}
    for name, value in given.items():
        if name not in values:
            raise BadRequest(f"{place}.{name} is no threshold.", hint=f"Known: {', '.join(values)}.")
        is_number = isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
        if not (is_number or (name == "slow_seconds" and value is None)):
            raise BadRequest(f"{place}.{name} must be a number of at least 0.")
        values[name] = value
    if values["failure_rate"] > 1:
        raise BadRequest(f"{place}.failure_rate is a fraction: 0.2 means 20 %.")
    return Thresholds(**values)


@dataclass(frozen=True, slots=True)
class PipelineHealth:
    """What the rules ask of one pipeline (latest attempts).

    `newest`: its newest finished run with `at`, `id`, `seconds`; `longest_running`: the run that has been running
    longest, with `at` (its start) and `id`. `last_failure`: the newest failed run of 30 days, with `at` and `id`.
    """

    pipeline_id: str
    pipeline: str
    finished_24h: int
    failed_24h: int
    last_success_at: datetime | None
    first_run_at: datetime
    p95_seconds: float | None
    newest: dict[str, Any] | None
    longest_running: dict[str, Any] | None
    last_failure: dict[str, Any] | None = None


def findings(health: PipelineHealth, thresholds: Thresholds, now: datetime) -> list[Finding]:
    """What is wrong with a pipeline now."""
    found = (
        _slow_build(health, thresholds, now),
        _pipeline_down(health, thresholds, now),
        _high_failure_rate(health, thresholds, now),
    )
    return [finding for finding in found if finding]


def decide(healths: list[PipelineHealth], open_alerts: list[OpenAlert], rules: Rules, now: datetime) -> list[Decision]:
    """One open alert for each finding; it ends when a run shows that its cause is gone, not because nothing runs."""
    by_key = {alert.dedup_key: alert for alert in open_alerts}
    decisions: list[Decision] = []
    for health in healths:
        thresholds = rules.of(health.pipeline_id)
        found = {finding.dedup_key: finding for finding in findings(health, thresholds, now)}
        decisions += [decision for key, finding in found.items() if (decision := _due(finding, by_key.get(key)))]
        newest = health.newest["id"] if health.newest else None
        for kind in PIPELINE_TYPES:
            key = pipeline_key(health.pipeline_id, kind)
            if key in by_key and key not in found and _is_over(kind, health, thresholds, now):
                decisions.append(Resolve(by_key[key].id, Cause(health.pipeline_id, None, newest, now)))
    return decisions


def pipeline_key(pipeline_id: str, kind: str) -> str:
    """One alert of a kind for a pipeline, whatever it is called and whatever its thresholds are."""
    return dedup_key(pipeline_id, kind, kind)


def _due(finding: Finding, alert: OpenAlert | None) -> Decision | None:
    if alert is None:
        return Raise(finding, since=finding.cause.at, times=1)
    if finding.type == "slow_build" and alert.attempt_id != finding.cause.attempt_id:
        return Repeat(alert.id, finding.cause, times=1)
    return None


def _is_over(kind: str, health: PipelineHealth, thresholds: Thresholds, now: datetime) -> bool:
    """Whether runs show that a cause is gone. A quiet weekend repairs nothing, so it ends nothing."""
    match kind:
        case "slow_build":
            return not health.newest or (health.newest["seconds"] or 0) <= thresholds.slow_after(health.p95_seconds)
        case "pipeline_down":
            return not _is_long_without_success(health, thresholds, now)
        case _:
            return health.finished_24h > 0 and not _fails_too_often(health, thresholds)


def _slow_build(health: PipelineHealth, thresholds: Thresholds, now: datetime) -> Finding | None:
    """A finished run, or the time so far of a running one, above the threshold."""
    limit = thresholds.slow_after(health.p95_seconds)
    running, newest = health.longest_running, health.newest
    if running and (now - running["at"]).total_seconds() > limit:
        return _finding(health, "slow_build", "warning", "is slower than usual", running, now)
    if newest and (newest["seconds"] or 0) > limit and now - newest["at"] <= DAY:
        return _finding(health, "slow_build", "warning", "is slower than usual", newest, newest["at"])
    return None


def _pipeline_down(health: PipelineHealth, thresholds: Thresholds, now: datetime) -> Finding | None:
    """Runs finish, but none has succeeded for longer than a day."""
    if health.finished_24h < 1 or not _is_long_without_success(health, thresholds, now):
        return None
    words = f"has had no success for more than {thresholds.down_hours:g} hours"
    return _finding(health, "pipeline_down", "critical", words, health.last_failure or health.newest, now)


def _is_long_without_success(health: PipelineHealth, thresholds: Thresholds, now: datetime) -> bool:
    last_good = health.last_success_at or health.first_run_at
    return now - last_good > timedelta(hours=thresholds.down_hours)


def _high_failure_rate(health: PipelineHealth, thresholds: Thresholds, now: datetime) -> Finding | None:
    """More failures among a day's finished runs than the threshold, of enough runs to say so."""
    if health.finished_24h < max(1, thresholds.failure_rate_min_runs):
        return None
    if not _fails_too_often(health, thresholds):
        return None
    return _finding(health, "high_failure_rate", "warning", "fails too often", health.last_failure, now)


def _fails_too_often(health: PipelineHealth, thresholds: Thresholds) -> bool:
    return health.failed_24h / health.finished_24h > thresholds.failure_rate


def _finding(
    health: PipelineHealth, kind: str, severity: Severity, words: str, run: dict[str, Any] | None, at: datetime
) -> Finding:
    cause = Cause(health.pipeline_id, None, run["id"] if run else None, at)
    key = pipeline_key(health.pipeline_id, kind)
    return Finding(cause, kind, severity, f"{health.pipeline} {words}", key, run["at"] if run else at)
