"""Reading from PostgreSQL: the same named queries, the same frames."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

import pandas as pd
import psycopg
import pyarrow as pa
from psycopg_pool import ConnectionPool

from core.queries import Value, bound
from core.store.kept_reader import kept_or_read
from core.store.postgres import connection as connections
from core.store.postgres.frames import frame_of, schema_of, table_of
from core.store.reader import Source
from core.store.shared_memory import SharedMemory


class PostgresReader:
    """Reads from a pool of read-only connections; any thread may ask."""

    source: Source = "live"

    def __init__(self, url: str, *, size: int, name: str = "reader", memory: SharedMemory | None = None) -> None:
        self._url = url
        self._memory = memory
        self._pool: ConnectionPool[psycopg.Connection[tuple[Any, ...]]] = connections.pool(url, name, size)

    def frame(self, query: str, **parameters: Value) -> pd.DataFrame:
        return frame_of(kept_or_read(self._memory, query, parameters, lambda: self._table(query, parameters)))

    def _table(self, query: str, parameters: dict[str, Value]) -> pa.Table:
        with connections.borrowed(self._pool, self._url) as connection:
            cursor = connection.execute(_statement(query, parameters), binary=True)
            rows = cursor.fetchall()
            return table_of(cursor.description or [], rows)

    def batches(self, query: str, rows: int, **parameters: Value) -> Iterator[pa.RecordBatch]:
        """The rows of a named query, about `rows` at a time, of one moment; at least one batch, perhaps empty."""
        with (
            connections.borrowed(self._pool, self._url) as connection,
            connection.transaction(),
            connection.cursor(name="batches", binary=True) as cursor,
        ):
            cursor.execute(_statement(query, parameters))
            columns = cursor.description or []
            yield pa.RecordBatch.from_pylist([], schema=schema_of(columns))
            while part := cursor.fetchmany(rows):
                yield from table_of(columns, part).to_batches()

    def connection(self) -> "AbstractContextManager[psycopg.Connection[tuple[Any, ...]]]":
        """A read-only connection of the pool for a block. Raises StoreUnavailable."""
        return connections.borrowed(self._pool, self._url)

    def close(self) -> None:
        self._pool.close()


def _statement(query: str, parameters: dict[str, Value]) -> str:
    return bound(query, parameters, "postgres").replace("\0", "\N{REPLACEMENT CHARACTER}")
