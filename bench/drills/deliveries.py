"""What a database holds of what was sent to it, read after the fact."""

from collections.abc import Collection
from pathlib import Path

import psycopg

from core.store.duckdb_file import open_read_only

KEPT = "SELECT delivery_id FROM deliveries"
RUNS = "SELECT count(*), count(DISTINCT id) FROM workflow_runs"


def kept(place: Path | str) -> set[str]:
    """The ids of all deliveries that are kept: in a file that nobody has open, or behind a PostgreSQL address."""
    return {row[0] for row in _rows(place, KEPT)}


def runs(place: Path | str) -> int:
    """How many runs there are, each once."""
    [(rows, ids)] = _rows(place, RUNS)
    assert rows == ids
    return int(ids)


def missing(acknowledged: Collection[str], place: Path | str) -> int:
    """How many deliveries were answered with 200 and aren't there."""
    return len(set(acknowledged) - kept(place))


def _rows(place: Path | str, statement: str) -> list[tuple[object, ...]]:
    if isinstance(place, Path):
        with open_read_only(place) as connection:
            return connection.execute(statement).fetchall()
    with psycopg.connect(place) as shared:
        return shared.execute(statement).fetchall()  # type: ignore[call-overload]
