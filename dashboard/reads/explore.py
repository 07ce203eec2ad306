"""Asking the service in SQL, for the page Explore."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pandas as pd

from core.access import Role
from dashboard.data import ask_service

LISTED = 1_000
EXPORTED = 10_000


@dataclass(frozen=True, slots=True)
class Found:
    """The rows of a query, with times as times; `is_cut` says that there are more, `days` which columns are dates."""

    rows: pd.DataFrame
    is_cut: bool
    days: tuple[str, ...] = ()


def ask(sql: str, *, limit: int = LISTED) -> Found:
    """The first rows of one SELECT. Raises DashboardError with DuckDB's words, StoreUnavailable without the service."""
    query = urlencode({"query": sql, "limit": limit})
    answer = ask_service("GET", f"/sql?{query}", role=Role.VIEWER).json()
    names = _unique([column["name"] for column in answer["columns"]])
    rows = pd.DataFrame(answer["rows"], columns=names, dtype=object)
    for name, column in zip(names, answer["columns"], strict=True):
        rows[name] = _typed(rows[name], column["type"])
    days = tuple(name for name, column in zip(names, answer["columns"], strict=True) if column["type"] == "DATE")
    return Found(rows, bool(answer["is_cut"]), days)


def _typed(values: Any, kind: str) -> Any:
    if kind.startswith("TIMESTAMP"):
        return pd.to_datetime(values, format="ISO8601", utc=kind == "TIMESTAMP WITH TIME ZONE", errors="coerce")
    if kind == "DATE":
        return pd.to_datetime(values, errors="coerce")
    if kind in NUMBERS or kind.startswith("DECIMAL"):
        return pd.to_numeric(values, errors="coerce")
    return values


NUMBERS = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT",
           "FLOAT", "DOUBLE"}  # fmt: skip


def _unique(names: list[str]) -> list[str]:
    """A frame needs names that differ; DuckDB gives two columns the same name where the query does."""
    seen: dict[str, int] = {}
    made = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        made.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return made
