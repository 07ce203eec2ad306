"""What admins set about insights: prices of machine time. Kept in the settings table, in force at once."""

from datetime import UTC, datetime
from typing import TypeVar

from fastapi import APIRouter
from pydantic import BaseModel

from core.access import Role
from core.insights import stored
from core.insights.cost import Prices
from core.store import stored_settings
from ingest.api.dependencies import Calling, Running, needs
from ingest.service import Service

M = TypeVar("M", bound=BaseModel)

router = APIRouter(prefix="/insights", tags=["insights"])


def stored_values(service: Service) -> dict[str, str]:
    """The settings table: key → value."""
    rows = service.reader.frame("stored_settings")
    return dict(zip(rows["key"], rows["value"], strict=True))


@router.get("/prices", response_model=Prices, summary="See what machine time costs")
def prices(service: Running) -> Prices:
    """GitHub's list prices where nothing was set."""
    return stored.prices_of(stored_values(service))


@router.put("/prices", response_model=Prices, dependencies=[needs(Role.ADMIN)], summary="Set what machine time costs")
def set_prices(service: Running, caller: Calling, prices: Prices) -> Prices:
    """Replaces the price table. The first rule that fits a job's labels counts."""
    return _put(service, stored.PRICES, prices, caller.name)


def _put(service: Service, key: str, value: M, by: str) -> M:
    values = {key: value.model_dump_json()}
    service.writer.transact(lambda cursor: stored_settings.put(cursor, values, by, datetime.now(UTC))).result()
    return value
