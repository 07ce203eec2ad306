"""Alerts: what waits for a person, and taking it on, putting it aside, ending it."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from core.access import Role
from core.alerts import Severity
from core.errors import NotFound
from core.store import alert_actions as actions
from ingest.api.alert_models import (
    AlertDetail,
    AlertPage,
    AlertStatus,
    AlertType,
    AlertWithHistory,
    Event,
    Notification,
)
from ingest.api.dependencies import Calling, Running, name_of, needs
from ingest.api.frames import records
from ingest.api.models import ErrorBody, Pagination
from ingest.api.parameters import Moment, Text
from ingest.service import Service

router = APIRouter(tags=["alerts"])

OPEN: tuple[AlertStatus, ...] = ("active", "acknowledged", "snoozed")
ANY: dict[str, Any] = dict.fromkeys(
    ("statuses", "severity", "type", "provider", "repository", "branch", "pipeline_id", "alert_id", "since")
)

By = Annotated[str, Field(min_length=1, max_length=100, description="Who acts; a token's own name is stronger.")]
Note = Annotated[str | None, Field(max_length=2000)]


class Acknowledgement(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [{"by": "Ana", "note": "Looking into it"}]})

    by: By = "anonymous"
    note: Note = None


class BulkAcknowledgement(Acknowledgement):
    model_config = ConfigDict(json_schema_extra={"examples": [{"ids": ["3f2a", "77bc"], "by": "Ana"}]})

    ids: list[str] = Field(min_length=1, max_length=1000)


class Snooze(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [{"minutes": 120, "by": "Ana", "note": "After lunch"}]})

    until: AwareDatetime | None = Field(None, description="When it shall be active again; stronger than `minutes`.")
    minutes: int = Field(60, ge=1, le=60 * 24 * 30, strict=True, description="How long from now.")
    by: By = "anonymous"
    note: Note = None


class Refusal(BaseModel):
    id: str
    reason: str


class BulkAnswer(BaseModel):
    acknowledged: list[AlertDetail]
    refused: list[Refusal] = Field(description="Taken on by somebody else meanwhile, ended, or unknown.")


@router.get("/alerts", response_model=AlertPage, summary="List alerts")
def alerts(
    service: Running,
    status: AlertStatus | None = None,
    severity: Severity | None = None,
    type: AlertType | None = None,  # noqa: A002 - the name of the parameter
    provider: Text = None,
    repository: Text = None,
    branch: Text = None,
    pipeline_id: Text = None,
    since: Annotated[Moment | None, Query(description="Leaves out alerts that ended before.")] = None,
    page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
    limit: Annotated[int, Query(ge=1, le=1000, description="Alerts on a page.")] = 100,
) -> AlertPage:
    """Open alerts, the most severe first; `status=resolved` lists those that ended, the newest first."""
    chosen = ANY | {
        "severity": severity, "type": type, "provider": provider and provider.replace("_", "-"),
        "repository": repository, "branch": branch, "pipeline_id": pipeline_id,
        "since": since if since is None or since.tzinfo else since.replace(tzinfo=UTC),
    }  # fmt: skip
    statuses = (status,) if status else OPEN
    counts = service.reader.frame("alert_summary", **chosen).iloc[0]
    total = sum(int(counts[name]) for name in statuses)
    rows = _read(service, chosen | {"statuses": statuses}, limit=limit, offset=(page - 1) * limit)
    return AlertPage(
        alerts=rows, pagination=Pagination(total=total, page=page, per_page=limit, has_next=page * limit < total)
    )


@router.get(
    "/alerts/{alert_id}",
    response_model=AlertWithHistory,
    responses={404: {"model": ErrorBody}},
    summary="One alert with its history",
)
def alert(service: Running, alert_id: str) -> AlertWithHistory:
    """The alert, what happened to it, the messages about it, and why its run failed as far as a kept log says so."""
    [row] = records(_frame(service, alert_id))
    events = records(service.reader.frame("alert_events", alert_id=alert_id))
    messages = service.reader.frame(
        "notification_list", alert_id=alert_id, status=None, channel=None, limit=1000, offset=0
    )
    return AlertWithHistory(
        **row,
        build_id=row["run_key"],
        resolved_build_id=row["resolved_run_key"],
        events=[Event(**event) for event in events],
        notifications=[Notification(**message) for message in records(messages)],
    )


@router.post(
    "/alerts/acknowledge",
    response_model=BulkAnswer,
    dependencies=[needs(Role.OPERATOR)],
    responses={code: {"model": ErrorBody} for code in (401, 403)},
    summary="Acknowledge many alerts",
)
def acknowledge_many(service: Running, caller: Calling, asked: BulkAcknowledgement) -> BulkAnswer:
    """Take alerts on, those of them that nobody else took; the others are listed with the reason."""
    by, now = name_of(caller, asked.by), datetime.now(UTC)
    refused = service.writer.transact(
        lambda cursor: actions.acknowledge_all(cursor, asked.ids, by, asked.note, now)
    ).result()
    lost = {each.id for each in refused}
    done = [_alert(service, alert_id) for alert_id in dict.fromkeys(asked.ids) if alert_id not in lost]
    return BulkAnswer(acknowledged=done, refused=[Refusal(id=each.id, reason=each.reason) for each in refused])


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
    by, now = name_of(caller, given.by), datetime.now(UTC)
    service.writer.transact(lambda cursor: actions.acknowledge(cursor, alert_id, by, given.note, now)).result()
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
    by, now = name_of(caller, asked.by), datetime.now(UTC)
    until = asked.until or now + timedelta(minutes=asked.minutes)
    service.writer.transact(lambda cursor: actions.snooze(cursor, alert_id, until, by, asked.note, now)).result()
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
    by, now = name_of(caller, chosen.by), datetime.now(UTC)
    service.writer.transact(lambda cursor: actions.resolve(cursor, alert_id, by, chosen.note, now)).result()
    return _alert(service, alert_id)


def _alert(service: Service, alert_id: str) -> AlertDetail:
    [row] = records(_frame(service, alert_id))
    return AlertDetail(**row, build_id=row["run_key"], resolved_build_id=row["resolved_run_key"])


def _frame(service: Service, alert_id: str) -> Any:
    """The one row of an alert. Raises NotFound."""
    frame = service.reader.frame("alert_page", **ANY | {"alert_id": alert_id}, limit=1, offset=0)
    if frame.empty:
        raise NotFound("There is no such alert.", details={"id": alert_id})
    return frame


def _read(service: Service, chosen: dict[str, Any], *, limit: int, offset: int) -> list[AlertDetail]:
    rows = records(service.reader.frame("alert_page", **chosen, limit=limit, offset=offset))
    return [AlertDetail(**row, build_id=row["run_key"], resolved_build_id=row["resolved_run_key"]) for row in rows]
