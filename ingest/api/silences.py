"""Silences and maintenance windows."""

import uuid
from datetime import UTC, datetime
from typing import Any, Literal

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from core import silences as rules
from core.access import Role
from core.store import silences as store
from ingest.api.dependencies import Calling, Running, name_of, needs
from ingest.api.frames import records
from ingest.api.models import ErrorBody

router = APIRouter(tags=["alerts"])

EXAMPLE: dict[str, Any] = {
    "starts_at": "2026-12-01T02:00:00+01:00", "ends_at": "2026-12-01T04:00:00+01:00", "repository": "acme/*",
    "repeats": "weekly", "zone": "Europe/Madrid", "reason": "Database backup",
}  # fmt: skip


class NewSilence(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    starts_at: AwareDatetime | None = Field(None, description="Default: now. Later makes it a maintenance window.")
    ends_at: AwareDatetime
    pipeline_id: str | None = None
    repository: str | None = Field(None, description="May be a pattern: `acme/*`.", max_length=300)
    branch: str | None = Field(None, description="May be a pattern: `release-*`.", max_length=300)
    type: str | None = None
    repeats: Literal["daily", "weekly"] | None = Field(
        None, description="Comes back every day or week after its first time, until it is deleted."
    )
    zone: str | None = Field(None, description="Time zone by whose clock it repeats; UTC without.", max_length=60)
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
    zone: str | None


class SilenceList(BaseModel):
    silences: list[Silence]


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
    """Hold the messages about what matches, from `starts_at` to `ends_at`. The alerts come and go as always.

    What is still wrong when the time is over is told then.
    """
    now = datetime.now(UTC)
    starts_at, by = asked.starts_at or now, name_of(caller, asked.by)
    rules.check_window(starts_at, asked.ends_at, asked.repeats, now)
    rules.zone_named(asked.zone)
    matchers = asked.model_dump(include={"pipeline_id", "repository", "branch", "type", "repeats", "zone"})
    made = rules.Silence(uuid.uuid4().hex, starts_at, asked.ends_at, **matchers)
    service.writer.transact(lambda cursor: store.add(cursor, made, asked.reason, by, now)).result()
    return Silence(
        id=made.id, starts_at=starts_at, ends_at=asked.ends_at, reason=asked.reason, created_by=by, created_at=now,
        **matchers,
    )  # fmt: skip


@router.delete(
    "/silences/{silence_id}",
    status_code=204,
    dependencies=[needs(Role.OPERATOR)],
    responses={code: {"model": ErrorBody} for code in (401, 403, 404)},
    summary="End a silence",
)
def end_silence(service: Running, silence_id: str) -> None:
    """End a silence now."""
    service.writer.transact(lambda cursor: store.end(cursor, silence_id)).result()
