"""Responses about alerts. Times are UTC in ISO 8601."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from core.alerts import Severity
from ingest.api.models import Pagination

AlertStatus = Literal["active", "acknowledged", "snoozed", "resolved"]
AlertType = Literal["pipeline_failure", "slow_build", "pipeline_down", "high_failure_rate"]


class AlertDetail(BaseModel):
    id: str
    type: str
    severity: Severity
    status: AlertStatus
    pipeline_id: str
    provider: str
    repository: str
    pipeline: str
    branch: str | None
    message: str
    occurrences: int
    build_id: str | None
    attempt_id: str | None
    created_at: datetime
    last_seen_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    note: str | None
    snoozed_until: datetime | None
    held: Literal["silenced", "repeated", "flapping"] | None = Field(
        description="Why no message about it went out yet."
    )
    resolved_at: datetime | None
    resolved_by: str | None
    resolved_attempt_id: str | None
    resolved_build_id: str | None = Field(description="The run that ended it.")


class AlertPage(BaseModel):
    alerts: list[AlertDetail]
    pagination: Pagination


class Event(BaseModel):
    kind: str = Field(
        description="raised, repeated, acknowledged, snoozed, woken, resolved; held_silenced, held_repeated, "
        "held_flapping, released: why no message went out, and when one did after all."
    )
    occurred_at: datetime
    actor: str | None
    note: str | None
    attempt_id: str | None


class Notification(BaseModel):
    id: str
    alert_id: str | None
    channel: str
    kind: str
    status: Literal["pending", "sending", "sent", "failed"]
    attempts: int
    created_at: datetime
    next_attempt_at: datetime | None
    sent_at: datetime | None
    error: str | None = Field(description="What the channel answered to the last attempt, where it failed.")
    message: str | None
    repository: str | None


class AlertWithHistory(AlertDetail):
    excerpt: str | None = Field(description="The lines of the run's log that say why it failed.")
    events: list[Event]
    notifications: list[Notification]
