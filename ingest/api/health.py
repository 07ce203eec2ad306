"""Is the process up, and can it serve? For load balancers and people in a hurry."""

from fastapi import APIRouter
from pydantic import BaseModel

from core.errors import StoreUnavailable
from ingest.api.dependencies import Running
from ingest.api.models import ErrorBody

router = APIRouter(tags=["health"])


class Health(BaseModel):
    status: str


@router.get("/health/live", response_model=Health, summary="The process runs")
async def live() -> Health:
    return Health(status="ok")


@router.get(
    "/health/ready", response_model=Health, responses={503: {"model": ErrorBody}}, summary="Reads and writes work"
)
def ready(service: Running) -> Health:
    """Reads one row and commits an empty transaction; 503 with the reason when either fails."""
    if not service.writer.is_alive:
        raise StoreUnavailable("The service is stopping.")
    service.reader.frame("freshness")
    service.writer.transact(lambda _: None).result(timeout=5)
    return Health(status="ok")
