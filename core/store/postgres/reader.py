"""Reading from PostgreSQL: the same named queries, the same frames."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pandas as pd
import psycopg
import pyarrow as pa
from psycopg_pool import ConnectionPool

from core.queries import Value
from core.store.archive_files import Archive
from core.store.kept_reader import kept_or_read
from core.store.postgres import connection as connections
from core.store.postgres.archived import REACHING, Connection, gathered, rows_of, statement
from core.store.postgres.archived_answer import answered
from core.store.postgres.archived_export import EXPORT, Rest, rest_of
from core.store.postgres.frames import frame_of, schema_of, table_of
from core.store.reader import Source
from core.store.shared_memory import SharedMemory


class PostgresReader:
    """Reads from a pool of read-only connections; any thread may ask."""

    source: Source = "live"

    def __init__(
        self,
        url: str,
        *,
        size: int,
        name: str = "reader",
        memory: SharedMemory | None = None,
        archive: Archive | None = None,
    ) -> None:
        self._url = url
        self._memory = memory
        self._archive = archive
        self._pool: ConnectionPool[psycopg.Connection[tuple[Any, ...]]] = connections.pool(url, name, size)

    def frame(self, query: str, **parameters: Value) -> pd.DataFrame:
        return frame_of(kept_or_read(self._memory, query, parameters, lambda: self._table(query, parameters)))

    def _table(self, query: str, parameters: dict[str, Value]) -> pa.Table:
        archive = self._archive if query in REACHING else None
        with connections.borrowed(self._pool, self._url) as connection:
            if archive is None:
                return rows_of(connection, statement(query, parameters))
            if not _is_anything_archived(connection):
                rows = rows_of(connection, statement(query, parameters))
                if not _is_anything_archived(connection):  # the very first runs may have moved in between
                    return rows
            with _one_moment(connection):
                question = gathered(connection, archive, query, parameters)
        return answered(question, archive, parameters)

    def batches(self, query: str, rows: int, **parameters: Value) -> Iterator[pa.RecordBatch]:
        """The rows of a named query, about `rows` at a time, of one moment; at least one batch, perhaps empty."""
        archive = self._archive if query == EXPORT else None
        rest: Rest | None = None
        with (
            connections.borrowed(self._pool, self._url) as connection,
            _one_moment(connection),
            connection.cursor(name="batches", binary=True) as cursor,
        ):
            cursor.execute(statement(query, parameters))
            columns = cursor.description or []
            schema = schema_of(columns)
            if archive:
                rest = rest_of(connection, archive, parameters, schema.empty_table())
            yield pa.RecordBatch.from_pylist([], schema=schema)
            while part := cursor.fetchmany(rows):
                table = table_of(columns, part)
                if rest is None or not rest.takes(table):
                    yield from table.to_batches()
        if archive and rest:
            yield from rest.batches(archive, rows)

    def connection(self) -> "AbstractContextManager[psycopg.Connection[tuple[Any, ...]]]":
        """A read-only connection of the pool for a block. Raises StoreUnavailable."""
        return connections.borrowed(self._pool, self._url)

    def close(self) -> None:
        self._pool.close()


@contextmanager
def _one_moment(connection: Connection) -> Iterator[None]:
    """A transaction in which every statement sees the same."""
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield


def _is_anything_archived(connection: Connection) -> bool:
    return connection.execute("SELECT 1 FROM archived_files LIMIT 1").fetchone() is not None
