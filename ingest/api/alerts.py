"""Alerts: what waits for a person, and taking it on."""

import uuid
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, Field

from core.access import Role
from core.alert_routes import Routing
from core.alerts import Severity
from core.errors import BadRequest, NotFound
from core.pipeline_rules import Rules
from core.store import alerts as store
from core.store.outbox import Queued
from core.store.stored_settings import put
from ingest.access.callers import Caller
from ingest.alerting.messages import message_of
from ingest.api.dependencies import Calling, Running, needs
from ingest.api.frames import records
from ingest.api.models import AlertDetail, AlertList, AlertStatus, ErrorBody
from ingest.service import Service

router = APIRouter(tags=["alerts"])

OPEN: tuple[AlertStatus, ...] = ("active", "acknowledged", "snoozed")


class Snooze(BaseModel):
    until: AwareDatetime | None = Field(None, description="When it shall be active again; stronger than `minutes`.")
    minutes: int = Field(60, ge=1, le=60 * 24 * 30, description="How long from now.")
    by: str = Field("anonymous", min_length=1, max_length=100)
    note: str | None = Field(None, max_length=2000)


class TestRequest(BaseModel):
    channel: str | None = Field(None, description="Name of a channel, as GET /notifications lists them.")


class TestAnswer(BaseModel):
    status: Literal["sent"]
    message_id: str
    channel: str
    answer: str


class Notification(BaseModel):
    id: str
    alert_id: str | None
    channel: str
    kind: str
    status: str
    attempts: int
    created_at: datetime
    next_attempt_at: datetime | None
    sent_at: datetime | None
    error: str | None


class NotificationList(BaseModel):
    channels: list[str]
    notifications: list[Notification]


class NewSilence(BaseModel):
    starts_at: AwareDatetime | None = Field(None, description="Default: now. Later makes it a maintenance window.")
    ends_at: AwareDatetime
    pipeline_id: str | None = None
    repository: str | None = None
    branch: str | None = None
    type: str | None = None
    repeats: Literal["daily", "weekly"] | None = Field(
        None, description="Comes back every day or week after its first time (in UTC), until it is deleted."
    )
    reason: str = Field(min_length=1, max_length=500)
    by: str = Field("anonymous", min_length=1, max_length=100)


class Silence(BaseModel):
    id: str
    starts_at: datetime
    ends_at: datetime
    pipeline_id: str | None
    repository: str | None
    branch: str | None
    type: str | None
    reason: str
    created_by: str
    created_at: datetime
    repeats: str | None


class SilenceList(BaseModel):
    silences: list[Silence]


class RuleBook(BaseModel):
    default: dict[str, float | None] = Field(default_factory=dict, description="Thresholds of all pipelines.")
    pipelines: dict[str, dict[str, float | None]] = Field(default_factory=dict, description="By pipeline id.")


class RouteBook(BaseModel):
    least: dict[str, Severity] = Field(default_factory=dict, description="Lowest severity, by channel.")
    routes: list[dict[str, Any]] = Field(
        default_factory=list,
        description="The first that matches an alert decides its channels: `channels` with any of "
        "`pipeline_id`, `repository`, `branch`, `type`.",
        examples=[[{"repository": "acme/*", "channels": ["mail"]}]],
    )


class Acknowledgement(BaseModel):
    by: str = Field(
        "anonymous", min_length=1, max_length=100, description="Who takes it on; a token's own name is stronger."
    )
    note: str | None = Field(None, max_length=2000)


@router.get("/alerts", response_model=AlertList, summary="List alerts")
def alerts(
    service: Running,
    status: AlertStatus | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> AlertList:
    """Open alerts, the most severe first; `status=resolved` lists those that ended."""
    return AlertList(alerts=_read(service, (status,) if status else OPEN, limit))


@router.post(
    "/alerts/{alert_id}/acknowledge",
    response_model=AlertDetail,
    dependencies=[needs(Role.OPERATOR)],
    responses={code: {"model": ErrorBody} for code in (401, 403, 404, 409)},
    summary="Acknowledge an alert",
)
def acknowledge(
    service: Running, caller: Calling, alert_id: str, acknowledgement: Acknowledgement | None = None
) -> AlertDetail:
    """Take an alert on. Of two people at once one wins; the other gets 409 and sees who."""
    given = acknowledgement or Acknowledgement()
    by, now = _name_of(caller, given.by), datetime.now(UTC)
    service.writer.transact(lambda cursor: store.acknowledge(cursor, alert_id, by, given.note, now)).result()
    return _alert(service, alert_id)


@router.post(
    "/alerts/{alert_id}/snooze",
    response_model=AlertDetail,
    dependencies=[needs(Role.OPERATOR)],
    responses={code: {"model": ErrorBody} for code in (400, 401, 403, 404, 409)},
    summary="Snooze an alert",
)
def snooze(service: Running, caller: Calling, alert_id: str, asked: Snooze) -> AlertDetail:
    """Put an alert aside; it is active again when the time is over, unless its cause is gone by then."""
    by, now = _name_of(caller, asked.by), datetime.now(UTC)
    until = asked.until or now + timedelta(minutes=asked.minutes)
    service.writer.transact(lambda cursor: store.snooze(cursor, alert_id, until, by, asked.note, now)).result()
    return _alert(service, alert_id)


@router.post(
    "/alerts/{alert_id}/resolve",
    response_model=AlertDetail,
    dependencies=[needs(Role.OPERATOR)],
    responses={code: {"model": ErrorBody} for code in (401, 403, 404, 409)},
    summary="Resolve an alert by hand",
)
def resolve(service: Running, caller: Calling, alert_id: str, given: Acknowledgement | None = None) -> AlertDetail:
    """End an alert. The next failure raises a new one."""
    chosen = given or Acknowledgement()
    by, now = _name_of(caller, chosen.by), datetime.now(UTC)
    service.writer.transact(lambda cursor: store.resolve(cursor, alert_id, by, chosen.note, now)).result()
    return _alert(service, alert_id)


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
    queued = Queued(uuid.uuid4().hex, "raised", 0, now, facts)
    message = message_of([queued], service.settings.frontend_origin)
    channel, answer = service.sender.test(asked.channel if asked else None, message)
    return TestAnswer(status="sent", message_id=message.id, channel=channel, answer=answer)


@router.get("/notifications", response_model=NotificationList, summary="Messages and what became of them")
def notifications(
    service: Running,
    status: Literal["pending", "sending", "sent", "failed"] | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> NotificationList:
    """The newest first; `channels` are those that are configured."""
    rows = records(service.reader.frame("notification_list", status=status, limit=limit))
    return NotificationList(
        channels=sorted(service.sender.channels), notifications=[Notification(**row) for row in rows]
    )


@router.get("/silences", response_model=SilenceList, summary="Silences and maintenance windows")
def silences(service: Running) -> SilenceList:
    """Those that are in force or still to come, the next to end first."""
    rows = records(service.reader.frame("silence_list", now=datetime.now(UTC)))
    return SilenceList(silences=[Silence(**row) for row in rows])


@router.post(
    "/silences",
    response_model=Silence,
    status_code=201,
    dependencies=[needs(Role.OPERATOR)],
    responses={code: {"model": ErrorBody} for code in (400, 401, 403)},
    summary="Silence messages",
)
def silence(service: Running, caller: Calling, asked: NewSilence) -> Silence:
    """Send no messages about what matches, from `starts_at` to `ends_at`. The alerts come and go as always."""
    now = datetime.now(UTC)
    starts_at = asked.starts_at or now
    if asked.ends_at <= max(starts_at, now):
        raise BadRequest("ends_at must lie after starts_at and in the future.")
    period = {"daily": timedelta(days=1), "weekly": timedelta(days=7)}.get(asked.repeats or "")
    if period and asked.ends_at - starts_at >= period:
        raise BadRequest(f"A window that repeats {asked.repeats} must be shorter than its period.")
    matchers = asked.model_dump(include={"pipeline_id", "repository", "branch", "type", "repeats"})
    made = Silence(
        id=uuid.uuid4().hex, starts_at=starts_at, ends_at=asked.ends_at, reason=asked.reason,
        created_by=_name_of(caller, asked.by), created_at=now, **matchers,
    )  # fmt: skip
    service.writer.transact(
        lambda cursor: cursor.execute(
            "INSERT INTO silences VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [made.id, made.starts_at, made.ends_at, made.pipeline_id, made.repository, made.branch, made.type,
             made.reason, made.created_by, made.created_at, made.repeats],
        )
    ).result()  # fmt: skip
    return made


@router.delete(
    "/silences/{silence_id}",
    status_code=204,
    dependencies=[needs(Role.OPERATOR)],
    responses={code: {"model": ErrorBody} for code in (401, 403, 404)},
    summary="End a silence",
)
def end_silence(service: Running, silence_id: str) -> None:
    """End a silence now."""
    ended = service.writer.transact(
        lambda cursor: cursor.execute("DELETE FROM silences WHERE id = ? RETURNING id", [silence_id]).fetchall()
    ).result()
    if not ended:
        raise NotFound("There is no such silence.", details={"id": silence_id})


@router.get("/alert-rules", response_model=RuleBook, summary="Thresholds of the alert rules")
def alert_rules(service: Running) -> RuleBook:
    """The thresholds of all pipelines, and of those with their own."""
    return _rule_book(service.writer.transact(store.rules).result())


@router.put(
    "/alert-rules",
    response_model=RuleBook,
    dependencies=[needs(Role.ADMIN)],
    responses={code: {"model": ErrorBody} for code in (400, 401, 403)},
    summary="Change the thresholds",
)
def change_alert_rules(service: Running, caller: Calling, asked: RuleBook) -> RuleBook:
    """Replace all thresholds; they hold from the next evaluation on. A name that is no threshold is refused."""
    rules = Rules.read(asked.model_dump())
    now, text = datetime.now(UTC), orjson.dumps(asked.model_dump()).decode()
    service.writer.transact(lambda cursor: put(cursor, {store.RULES: text}, caller.name, now)).result()
    return _rule_book(rules)


@router.get("/alert-routes", response_model=RouteBook, summary="Who hears of which alert")
def alert_routes(service: Running) -> RouteBook:
    """The severity thresholds of channels and the routes, as people set them."""
    return _route_book(service.writer.transact(store.routes).result())


@router.put(
    "/alert-routes",
    response_model=RouteBook,
    dependencies=[needs(Role.ADMIN)],
    responses={code: {"model": ErrorBody} for code in (400, 401, 403)},
    summary="Change who hears of which alert",
)
def change_alert_routes(service: Running, caller: Calling, asked: RouteBook) -> RouteBook:
    """Replace thresholds and routes; they hold from the next alert on. An unknown channel or matcher is refused."""
    routing = Routing.read(asked.model_dump(), sorted(service.sender.channels))
    now, text = datetime.now(UTC), orjson.dumps(asked.model_dump()).decode()
    service.writer.transact(lambda cursor: put(cursor, {store.ROUTES: text}, caller.name, now)).result()
    return _route_book(routing)


def _route_book(routing: Routing) -> RouteBook:
    return RouteBook(least=routing.least, routes=[asdict(route) for route in routing.routes])


def _rule_book(rules: Rules) -> RuleBook:
    return RuleBook(
        default=asdict(rules.default), pipelines={name: asdict(own) for name, own in rules.pipelines.items()}
    )


def _name_of(caller: Caller, given: str) -> str:
    """A token says who acts; a key or nothing doesn't, so the caller's word is taken."""
    return caller.name if caller.via == "bearer" else given


def _alert(service: Service, alert_id: str) -> AlertDetail:
    row = next((alert for alert in _read(service, None, 100_000) if alert.id == alert_id), None)
    if row is None:
        raise NotFound("There is no such alert.", details={"id": alert_id})
    return row


def _read(service: Service, statuses: tuple[str, ...] | None, limit: int) -> list[AlertDetail]:
    frame = service.reader.frame(
        "alert_list", statuses=statuses, provider=None, repository=None, branch=None, limit=limit
    )
    return [AlertDetail(**row, build_id=row["run_key"]) for row in records(frame)]
