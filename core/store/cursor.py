"""What the store's functions ask of a cursor, whichever database it is on."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from core.queries import Dialect, Value, bound

C = TypeVar("C", bound="Cursor")


class Cursor(Protocol):
    """SQL is written in DuckDB's dialect, with `?` for values. A DuckDB connection is one as it is.

    A statement without rows answers with one: how many rows it changed.
    """

    def execute(self, query: str, parameters: Sequence[Any] = ..., /) -> "Cursor": ...

    def executemany(self, query: str, parameters: Iterable[Sequence[Any]], /) -> object: ...

    def fetchone(self) -> Any: ...

    def fetchall(self) -> list[Any]: ...

    @property
    def description(self) -> Any: ...


def ask(cursor: C, query: str, parameters: Mapping[str, Value]) -> C:
    """Run a named query on a cursor, so that it holds the rows."""
    dialect: Dialect = getattr(cursor, "dialect", "duckdb")
    cursor.execute(bound(query, parameters, dialect))
    return cursor
