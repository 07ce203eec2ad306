"""The rules of the alerts: pure decisions over what the store knows. `core.store.alerts` reads and writes for them."""

from collections.abc import Sequence
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
class Raise:
    """A new alert is due: the cause was first seen at `since` and came so many `times`."""

    state: BranchState
    since: datetime
    times: int
    severity: Severity
    message: str
    dedup_key: str


@dataclass(frozen=True, slots=True)
class Repeat:
    """The cause of an open alert happened again, so many times."""

    alert_id: str
    state: BranchState
    times: int


@dataclass(frozen=True, slots=True)
class Resolve:
    """The cause of an open alert is gone."""

    alert_id: str
    state: BranchState


Decision = Raise | Repeat | Resolve


def pipeline_failures(states: list[BranchState], open_alerts: list[OpenAlert], now: datetime) -> list[Decision]:
    """Rule pipeline_failure: a branch whose newest finished run failed has one open alert, any other branch none."""
    by_key = {alert.dedup_key: alert for alert in open_alerts}
    decisions = (_decide(state, by_key.get(dedup_key(state)), now) for state in states)
    return [decision for decision in decisions if decision]


def message_of(state: BranchState) -> str:
    """The alert's sentence. It holds no changing number, because the dedup key is made of it."""
    return f"{state.pipeline} failed on {state.branch}"


def dedup_key(state: BranchState) -> str:
    """`{pipeline_id}:{type}:{hash of what happened}`; the branch stands for the message, which a rename changes."""
    digest = blake2b(state.branch.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
    return f"{state.pipeline_id}:pipeline_failure:{digest}"


def _decide(state: BranchState, alert: OpenAlert | None, now: datetime) -> Decision | None:
    if state.status != "failed":
        return Resolve(alert.id, state) if alert and state.finished_at >= alert.seen_at else None
    if alert is None:
        if not state.on_default_branch and now - state.finished_at > QUIET_BRANCH:
            return None
        failures = state.failures_after(None)
        severity: Severity = "critical" if state.on_default_branch else "info"
        return Raise(state, min(failures), len(failures), severity, message_of(state), dedup_key(state))
    if alert.attempt_id != state.attempt_id and state.finished_at >= alert.seen_at:
        return Repeat(alert.id, state, times=len(state.failures_after(alert.seen_at)))
    return None
