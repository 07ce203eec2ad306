"""Channels, and the messages that go through them: what became of each, trying again, a test."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from core.access import Role
from core.alert_groups import Queued
from core.alert_routes import Routing
from core.alerts import Severity
from core.store import alerts, outbox
from core.store.stored_settings import stored_json
from ingest.alerting.messages import message_of
from ingest.api.alert_models import Notification
from ingest.api.dependencies import Running, needs
from ingest.api.frames import records
from ingest.api.models import ErrorBody
from ingest.api.parameters import Text

router = APIRouter(tags=["alerts"])

LATELY = timedelta(days=7)


class Channel(BaseModel):
    name: str
    target: str = Field(description="Where it leads, in words; never an address that is a secret.")
    is_configured: bool = Field(description="False for one of earlier settings that still has messages.")
    least: Severity = Field(description="Lowest severity that it hears of.")
    waiting: int
    sent: int = Field(description="In the last 7 days.")
    failed: int = Field(description="For good, in the last 7 days.")
    last_sent_at: datetime | None
    next_attempt_at: datetime | None
    error: str | None = Field(description="Why its oldest message still waits.")


class ChannelList(BaseModel):
    channels: list[Channel]


class NotificationList(BaseModel):
    channels: list[str]
    notifications: list[Notification]


class TestRequest(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [{"channel": "slack"}]})

    channel: str | None = Field(None, description="Name of a channel, as GET /channels lists them; else the first.")


class TestAnswer(BaseModel):
    status: Literal["sent"]
    message_id: str
    channel: str
    answer: str


@router.get("/channels", response_model=ChannelList, summary="Channels and how they do")
def channels(service: Running) -> ChannelList:
    """The configured channels, and those of earlier settings that still have messages waiting."""
    rows = {row["channel"]: row for row in records(
        service.reader.frame("channel_states", since=datetime.now(UTC) - LATELY)
    )}  # fmt: skip
    routing = Routing.read(stored_json(service.reader.frame, alerts.ROUTES))
    known = service.sender.channels
    names = [*known, *(name for name, row in rows.items() if name not in known and row["waiting"])]
    least = service.settings.notify_min_severity
    return ChannelList(
        channels=[
            Channel(
                name=name,
                target=known[name].target if name in known else "no longer configured",
                is_configured=name in known,
                least=routing.least.get(name, least),
                waiting=rows.get(name, {}).get("waiting", 0),
                sent=rows.get(name, {}).get("sent", 0),
                failed=rows.get(name, {}).get("failed", 0),
                last_sent_at=rows.get(name, {}).get("last_sent_at"),
                next_attempt_at=rows.get(name, {}).get("next_attempt_at"),
                error=rows.get(name, {}).get("waiting_error"),
            )
            for name in names
        ]
    )


@router.get("/notifications", response_model=NotificationList, summary="Messages and what became of them")
def notifications(
    service: Running,
    status: Literal["pending", "sending", "sent", "failed"] | None = None,
    channel: Text = None,
    alert_id: Text = None,
    page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> NotificationList:
    """The newest first; `channels` are those that are configured."""
    frame = service.reader.frame(
        "notification_list", status=status, channel=channel, alert_id=alert_id, limit=limit, offset=(page - 1) * limit
    )
    return NotificationList(
        channels=sorted(service.sender.channels), notifications=[Notification(**row) for row in records(frame)]
    )


@router.post(
    "/notifications/{message_id}/retry",
    status_code=202,
    dependencies=[needs(Role.OPERATOR)],
    responses={code: {"model": ErrorBody} for code in (401, 403, 404, 409)},
    summary="Send a message again",
)
def retry(service: Running, message_id: str) -> dict[str, str]:
    """Try a message again that failed for good, or now instead of after its pause. It keeps its id."""
    now, known = datetime.now(UTC), service.sender.channels
    channel = service.writer.transact(lambda cursor: outbox.retry(cursor, message_id, known, now)).result()
    service.sender.wake()
    return {"status": "pending", "channel": channel}


@router.post(
    "/alert/test",
    response_model=TestAnswer,
    dependencies=[needs(Role.OPERATOR)],
    responses={code: {"model": ErrorBody} for code in (400, 401, 403, 502)},
    summary="Send a test message",
)
def send_test(service: Running, asked: TestRequest | None = None) -> TestAnswer:
    """Really send a message through one channel (the first, unless named); 502 with what the channel said."""
    now = datetime.now(UTC)
    facts = {
        "type": "test", "severity": "info", "pipeline": "CI/CD Health", "repository": "test",
        "message": "This is a test message. Alerts will look like this.",
    }  # fmt: skip
    message = message_of([Queued(uuid.uuid4().hex, "raised", 0, now, facts)], service.settings.frontend_origin)
    channel, answer = service.sender.test(asked.channel if asked else None, message)
    return TestAnswer(status="sent", message_id=message.id, channel=channel, answer=answer)
