"""The rules of the alerts: pure decisions over what the store knows. `core.store.alerts` reads and writes for them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Literal

Severity = Literal["critical", "warning", "info"]

# A failure on a branch that nobody has touched for a week is no news, and its alert ends by itself.
QUIET_BRANCH = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class BranchState:
    """The newest finished attempt (success or failed) of one pipeline on one branch.

    `last_success_at` and `failures` are finishes since some moment before; the failures stand in no order.
    """

    pipeline_id: str
    pipeline: str
    branch: str
    on_default_branch: bool
    attempt_id: str
    status: str
    finished_at: datetime
    last_success_at: datetime | None = None
    failures: Sequence[datetime] = ()

    def failures_after(self, moment: datetime | None) -> list[datetime]:
        """Finishes of the failed attempts after both `moment` and the last success, the newest at least."""
        start = max((at for at in (moment, self.last_success_at) if at), default=None)
        return [at for at in self.failures if start is None or at > start] or [self.finished_at]


@dataclass(frozen=True, slots=True)
class OpenAlert:
    """An alert that is not resolved: `seen_at` is the finish of the last run that caused it."""

    id: str
    dedup_key: str
    attempt_id: str
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class Cause:
    """What a decision rests on: the attempt where there is one, and when it happened."""

    pipeline_id: str
    branch: str | None
    attempt_id: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong, in words without changing numbers. `shown_at`: when the newest run that shows it did."""

    cause: Cause
    type: str
    severity: Severity
    message: str
    dedup_key: str
    shown_at: datetime


@dataclass(frozen=True, slots=True)
class Raise:
    """A new alert is due: its finding was first seen at `since` and came so many `times`."""

    finding: Finding
    since: datetime
    times: int


@dataclass(frozen=True, slots=True)
class Repeat:
    """The cause of an open alert happened again, so many times."""

    alert_id: str
    cause: Cause
    times: int


@dataclass(frozen=True, slots=True)
class Resolve:
    """The cause of an open alert is gone."""

    alert_id: str
    cause: Cause


Decision = Raise | Repeat | Resolve


@dataclass(frozen=True, slots=True)
class Dismissal:
    """A person ended the alert of this cause by hand, when `attempt_id` was the newest run that showed it."""

    at: datetime
    attempt_id: str | None

    def covers(self, finding: Finding) -> bool:
        """Whether nothing new has happened since: what a person ended comes back when it fails again, not before."""
        return finding.shown_at <= self.at or finding.cause.attempt_id == self.attempt_id


def without_dismissed(decisions: Sequence[Decision], dismissals: Mapping[str, Dismissal]) -> list[Decision]:
    """The decisions, where what a person ended (`dismissals` by dedup key) begins anew or isn't raised."""
    kept = (_since_dismissal(decision, dismissals) for decision in decisions)
    return [decision for decision in kept if decision]


def _since_dismissal(decision: Decision, dismissals: Mapping[str, Dismissal]) -> Decision | None:
    if not isinstance(decision, Raise) or decision.finding.dedup_key not in dismissals:
        return decision
    if dismissals[decision.finding.dedup_key].covers(decision.finding):
        return None
    return Raise(decision.finding, since=decision.finding.cause.at, times=1)


def pipeline_failures(states: list[BranchState], open_alerts: list[OpenAlert], now: datetime) -> list[Decision]:
    """Rule pipeline_failure: a branch whose newest finished run failed has one open alert, any other branch none."""
    by_key = {alert.dedup_key: alert for alert in open_alerts}
    decisions = (_decide(state, by_key.get(branch_key(state)), now) for state in states)
    return [decision for decision in decisions if decision]


def dedup_key(pipeline_id: str, kind: str, what: str) -> str:
    """`{pipeline_id}:{type}:{hash of what happened}`."""
    digest = blake2b(what.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
    return f"{pipeline_id}:{kind}:{digest}"


def branch_key(state: BranchState) -> str:
    """The dedup key of a branch's failure; the branch stands for the message, which a rename changes."""
    return dedup_key(state.pipeline_id, "pipeline_failure", state.branch)


def _decide(state: BranchState, alert: OpenAlert | None, now: datetime) -> Decision | None:
    cause = Cause(state.pipeline_id, state.branch, state.attempt_id, state.finished_at)
    if state.status != "failed":
        return Resolve(alert.id, cause) if alert and state.finished_at >= alert.seen_at else None
    if alert is None:
        if not state.on_default_branch and now - state.finished_at > QUIET_BRANCH:
            return None
        failures = state.failures_after(None)
        severity: Severity = "critical" if state.on_default_branch else "info"
        message = f"{state.pipeline} failed on {state.branch}"
        finding = Finding(cause, "pipeline_failure", severity, message, branch_key(state), state.finished_at)
        return Raise(finding, min(failures), len(failures))
    if alert.attempt_id != state.attempt_id and state.finished_at >= alert.seen_at:
        return Repeat(alert.id, cause, times=len(state.failures_after(alert.seen_at)))
    return None
