"""Webhook deliveries: what arrived, what became of it, and once more through the code of today."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query

from core.access import Role
from ingest.api.dependencies import Running, needs
from ingest.api.frames import records
from ingest.api.models import DeliveryList, DeliverySummary, ErrorBody
from ingest.replay import replay

router = APIRouter(tags=["deliveries"])


@router.get("/deliveries", response_model=DeliveryList, summary="List webhook deliveries")
def deliveries(
    service: Running,
    result: Literal["processed", "ignored", "failed"] | None = None,
    provider: Annotated[str | None, Query(max_length=100)] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    offset: Annotated[int, Query(ge=0, le=1_000_000_000)] = 0,
) -> DeliveryList:
    rows = records(service.reader.frame("delivery_list", result=result, provider=provider, limit=limit, offset=offset))
    return DeliveryList(deliveries=[DeliverySummary(**row) for row in rows])


@router.post(
    "/deliveries/{delivery_id}/replay",
    response_model=DeliverySummary,
    dependencies=[needs(Role.ADMIN)],
    responses={code: {"model": ErrorBody} for code in (401, 403, 404)},
    summary="Process a kept delivery again",
)
def replay_one(service: Running, delivery_id: str) -> DeliverySummary:
    return DeliverySummary(**replay(service.reader, service.writer, delivery_id))
