"""What teams set about insights, kept as JSON in the settings table: prices, and which runs deploy."""

from collections.abc import Mapping
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from core.insights.cost import DEFAULT_PRICES, Prices
from core.insights.dora import DEFAULT_MARKS, Marks

PRICES = "insight_prices"
DEPLOYMENTS = "insight_deployments"

M = TypeVar("M", bound=BaseModel)


def prices_of(stored: Mapping[str, str]) -> Prices:
    """The price table of the settings table's rows (key → value); GitHub's list prices where none was set."""
    return _read(stored.get(PRICES), DEFAULT_PRICES)


def marks_of(stored: Mapping[str, str]) -> Marks:
    """Which runs are deployments; workflows called something with "deploy" where nothing was set."""
    return _read(stored.get(DEPLOYMENTS), DEFAULT_MARKS)


def _read(value: str | None, default: M) -> M:
    """A value that an older or newer version wrote, and this one can't read, counts as not set."""
    if value is None:
        return default
    try:
        return type(default).model_validate_json(value)
    except ValidationError:
        return default
