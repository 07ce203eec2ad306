"""Reading a repository's history, as far back as is wanted, and how far that is."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from core.access import Role
from ingest.api.dependencies import Running, needs
from ingest.api.models import ErrorBody
from ingest.polling.progress import Progress

router = APIRouter(tags=["operations"])

NOT_POLLED: dict[int | str, dict[str, Any]] = {
    404: {"model": ErrorBody, "description": "This CI system isn't set up, or this repository isn't polled."}
}


class Backfill(BaseModel):
    repository: str = Field(min_length=1, max_length=500, examples=["acme/web"])
    days: int = Field(ge=0, le=3650, strict=True, description="Days of history, counted back from now.", examples=[90])
    provider: str = Field("github-actions", max_length=50)


@router.post(
    "/backfills",
    status_code=202,
    response_model=Progress,
    dependencies=[needs(Role.OPERATOR)],
    responses=NOT_POLLED,
    summary="Read the history of a repository",
)
def begin(service: Running, wanted: Backfill) -> Progress:
    """Begins, or goes on where it was stopped, and answers at once. What is stored already isn't read again."""
    since = datetime.now(UTC) - timedelta(days=wanted.days)
    return service.polling.backfill(wanted.provider, wanted.repository, since)


@router.get("/backfills", response_model=Progress, responses=NOT_POLLED, summary="How far a history is read")
def progress(
    service: Running,
    repository: Annotated[str, Query(max_length=500)],
    provider: Annotated[str, Query(max_length=50)] = "github-actions",
) -> Progress:
    """`listed` is the part of the time whose runs are stored, `attempts_left` how many requests are still to come."""
    return service.polling.progress(provider, repository)
