"""The weekly digest: as it would be now, and sent now."""

from datetime import UTC, datetime

from fastapi import APIRouter
from pydantic import BaseModel, Field

from core.access import Role
from core.store.digest import due_moment, read_digest
from ingest.alerting.digest_message import digest_message
from ingest.api.dependencies import Running, needs

router = APIRouter(prefix="/insights", tags=["insights"])


class DigestLine(BaseModel):
    text: str
    path: str | None = Field(description="The page of the dashboard that shows it.")


class DigestSection(BaseModel):
    name: str
    lines: list[DigestLine]


class DigestShown(BaseModel):
    title: str
    sections: list[DigestSection]
    schedule: str = Field(description="DIGEST_SCHEDULE: `mon 08:00`, or `off`.")
    channels: list[str] = Field(description="Where it goes; without any it isn't sent.")
    next_since: datetime | None = Field(description="When the newest one was due; null where none is wanted.")


class DigestSent(BaseModel):
    sent: dict[str, str] = Field(description="By channel: what it answered.")


@router.get("/digest", response_model=DigestShown, summary="The digest of the 7 days until now")
def shown(service: Running) -> DigestShown:
    settings = service.settings
    facts = read_digest(service.database.reader.frame, datetime.now(UTC), settings.digest_timezone).facts()
    due = due_moment(datetime.now(UTC), settings.digest_schedule, settings.digest_timezone)
    channels = sorted(service.sender.channels)
    return DigestShown(**facts, schedule=settings.digest_schedule, channels=channels, next_since=due)


@router.post("/digest", response_model=DigestSent, dependencies=[needs(Role.OPERATOR)], summary="Send the digest now")
def send(service: Running) -> DigestSent:
    """Past the outbox, to every channel; the weekly one still comes. 400 without a channel, 502 where one refuses."""
    now = datetime.now(UTC)
    facts = read_digest(service.database.reader.frame, now, service.settings.digest_timezone).facts()
    message = digest_message(f"digest-{now:%Y%m%d%H%M%S}", facts, service.settings.frontend_origin)
    if not service.sender.channels:
        service.sender.test(None, message)
    return DigestSent(sent=dict(service.sender.test(name, message) for name in sorted(service.sender.channels)))
