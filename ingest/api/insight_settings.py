"""What admins set about insights, in force at once: prices of machine time, and which runs are deployments."""

from datetime import UTC, datetime
from typing import TypeVar

from fastapi import APIRouter
from pydantic import BaseModel

from core.access import Role
from core.insights import stored
from core.insights.cost import Prices
from core.insights.dora import Marks
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


@router.get("/deployments", response_model=Marks, summary="See which runs are deployments")
def marks(service: Running) -> Marks:
    """Workflows called something with "deploy", and the event `deployment`, where nothing was set."""
    return stored.marks_of(stored_values(service))


@router.put(
    "/deployments", response_model=Marks, dependencies=[needs(Role.ADMIN)], summary="Set which runs are deployments"
)
def set_marks(service: Running, caller: Calling, marks: Marks) -> Marks:
    """By patterns of the workflow's name, by events, by patterns of the names of jobs (an environment's)."""
    return _put(service, stored.DEPLOYMENTS, marks, caller.name)


def _put(service: Service, key: str, value: M, by: str) -> M:
    values = {key: value.model_dump_json()}
    service.writer.transact(lambda cursor: stored_settings.put(cursor, values, by, datetime.now(UTC))).result()
    return value
