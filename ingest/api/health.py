"""Is the process up, and can it serve? For load balancers and people in a hurry."""

from fastapi import APIRouter
from pydantic import BaseModel

from ingest.api.dependencies import Running
from ingest.api.models import ErrorBody

router = APIRouter(tags=["health"])
WRITE_SECONDS = 5.0


class Health(BaseModel):
    status: str


@router.get("/health/live", response_model=Health, summary="The process runs")
async def live() -> Health:
    return Health(status="ok")


@router.get(
    "/health/ready",
    response_model=Health,
    responses={503: {"model": ErrorBody}},
    summary="Reads work, and a delivery would be stored",
)
def ready(service: Running) -> Health:
    """Reads one row, and writes one unless a delivery was stored in the last seconds; 503 with the reason.

    After a refused write it is a large one, until one is stored: a full disk may still take a little.
    """
    service.reader.frame("freshness")
    service.writer.prove(timeout=WRITE_SECONDS)
    return Health(status="ok")
