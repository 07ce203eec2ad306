"""Alerts: what waits for a person, and taking it on."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from core.access import Role
from core.errors import NotFound
from core.store import alerts as store
from ingest.api.dependencies import Calling, Running, needs
from ingest.api.frames import records
from ingest.api.models import AlertDetail, AlertList, AlertStatus, ErrorBody
from ingest.service import Service

router = APIRouter(tags=["alerts"])

OPEN: tuple[AlertStatus, ...] = ("active", "acknowledged", "snoozed")


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
    by = caller.name if caller.via == "bearer" else given.by  # a token says who; a key or nothing doesn't
    now = datetime.now(UTC)
    service.writer.transact(lambda cursor: store.acknowledge(cursor, alert_id, by, given.note, now)).result()
    row = next((alert for alert in _read(service, None, 100_000) if alert.id == alert_id), None)
    if row is None:
        raise NotFound("There is no such alert.", details={"id": alert_id})
    return row


def _read(service: Service, statuses: tuple[str, ...] | None, limit: int) -> list[AlertDetail]:
    frame = service.reader.frame(
        "alert_list", statuses=statuses, provider=None, repository=None, branch=None, limit=limit
    )
    return [AlertDetail(**row, build_id=row["run_key"]) for row in records(frame)]
