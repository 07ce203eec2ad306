"""The database of `DATABASE_URL`, open for a process that writes: a DuckDB file that it owns, or PostgreSQL, shared."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import structlog

from core.errors import first_line
from core.settings import Settings
from core.store.archive import refresh_views
from core.store.archive_files import archive_of
from core.store.duckdb_file import open_owned
from core.store.postgres import connection as connections
from core.store.postgres.migrations import migrate_postgres
from core.store.postgres.reader import PostgresReader
from core.store.postgres.session import PostgresSession
from core.store.reader import OwnerReader
from core.store.session import FileSession, Session
from core.store.shared_memory import shared_memory

log = structlog.get_logger()


class Database(ABC):
    """Open until `close`. `place` names it for people, without a password."""

    place: str
    reader: OwnerReader | PostgresReader

    @abstractmethod
    def session(self) -> Session:
        """The place of one writer."""

    @abstractmethod
    def size_bytes(self) -> int:
        """What it takes on disk."""

    @abstractmethod
    def close(self) -> None: ...


class OwnedFile(Database):
    """A DuckDB file; every other process is kept out of it."""

    reader: OwnerReader

    def __init__(self, settings: Settings, wait_seconds: float = 5.0) -> None:
        self.path = settings.database_path
        self.place = str(self.path)
        self.connection = open_owned(
            self.path,
            memory_limit=settings.duckdb_memory_limit,
            threads=settings.duckdb_threads,
            wait_seconds=wait_seconds,
        )
        refresh_views(self.connection, archive_of(settings))
        self.reader = OwnerReader(self.connection)

    def session(self) -> Session:
        return FileSession(self.connection)

    def size_bytes(self) -> int:
        wal = Path(f"{self.path}.wal")
        return sum(path.stat().st_size for path in (self.path, wal) if path.exists())

    def close(self) -> None:
        try:
            self.connection.execute("CHECKPOINT")
        except duckdb.Error as error:
            log.warning("no checkpoint on stop; the write-ahead log keeps the data", reason=first_line(error))
        self.connection.close()


class SharedPostgres(Database):
    """A PostgreSQL database that other replicas and dashboards use at the same time."""

    reader: PostgresReader

    def __init__(self, settings: Settings) -> None:
        self.url = settings.database_url
        self.place = connections.place_of(self.url)
        with connections.connect(self.url, "migration") as connection:
            migrate_postgres(connection, self.url)
        self.memory = shared_memory(settings.redis_url) if settings.redis_url else None
        self.reader = PostgresReader(
            self.url,
            size=settings.database_pool_size,
            name="ingest",
            memory=self.memory,
            archive=archive_of(settings),
        )

    def session(self) -> Session:
        return PostgresSession(self.url, self.memory.data_changed if self.memory else None)

    def size_bytes(self) -> int:
        with connections.connect(self.url, "size") as connection:
            row: Any = connection.execute("SELECT pg_database_size(current_database())").fetchone()
        return int(row[0])

    def close(self) -> None:
        self.reader.close()


def open_database(settings: Settings, wait_seconds: float = 5.0) -> OwnedFile | SharedPostgres:
    """Open and migrate what DATABASE_URL names; waits up to `wait_seconds` for a reader that is just closing a file.

    Raises StoreUnavailable.
    """
    return SharedPostgres(settings) if settings.is_shared else OwnedFile(settings, wait_seconds)


@contextmanager
def opened(settings: Settings) -> Iterator[OwnedFile | SharedPostgres]:
    """An open database, closed in the end."""
    database = open_database(settings)
    try:
        yield database
    finally:
        database.close()
