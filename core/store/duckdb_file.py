"""Opening the DuckDB file: for the one process that owns it, and read-only while nobody does."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from core.errors import StoreUnavailable, first_line
from core.store.migrations import check_not_newer, migrate, schema_version

# A checkpoint holds up the writer for a tenth of a second; at DuckDB's own 16 MB it came with every 1,500th webhook.
CHECKPOINT_AT = "128MB"
# Up to this many keys of a batch are looked up in an index, where DuckDB's own 50 let it scan the table.
INDEXED_KEYS = 1000


def open_owned(path: Path, *, memory_limit: str, threads: int, wait_seconds: float = 5.0) -> duckdb.DuckDBPyConnection:
    """Open (or make) the database for writing, migrate it and keep every other process out.

    Waits up to `wait_seconds` for a reader that is just closing the file.
    Raises StoreUnavailable, in one sentence, for a locked, unreadable, foreign or newer file, which stays untouched.
    """
    _check_writable(path)
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            connection = _connect(path, read_only=False, memory_limit=memory_limit, threads=threads)
            break
        except StoreLocked:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
    try:
        migrate(connection)
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def open_read_only(path: Path, archive: Path | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the database for one look, while no process owns it; of other files, it can read those of `archive` alone.

    Held briefly, so that ingest can start meanwhile.
    """
    if not path.exists():
        raise StoreUnavailable("There is no database yet.", hint="Start the ingest service once: make run")
    connection = _connect(path, read_only=True, memory_limit="1GB", threads=2)
    try:
        check_not_newer(schema_version(connection))
        if archive:
            connection.execute("SET allowed_directories = ?", [[f"{archive.resolve()}/"]])
        connection.execute("SET enable_external_access = false")
        yield connection
    finally:
        connection.close()


class StoreLocked(StoreUnavailable):
    """Another process has the file open."""


def _connect(path: Path, *, read_only: bool, memory_limit: str, threads: int) -> duckdb.DuckDBPyConnection:
    try:
        connection = duckdb.connect(
            str(path), read_only=read_only, config={"memory_limit": memory_limit, "threads": threads}
        )
        connection.execute("SET GLOBAL TimeZone = 'UTC'")
        connection.execute(f"SET GLOBAL checkpoint_threshold = '{CHECKPOINT_AT}'")
        connection.execute(f"SET GLOBAL dynamic_or_filter_threshold = {INDEXED_KEYS}")
        return connection
    except duckdb.IOException as error:
        if "lock" in str(error).lower():
            raise StoreLocked(
                f"Another process has {path} open.",
                hint="Only one ingest service may own a database: stop the other one.",
            ) from None
        raise StoreUnavailable(f"{path} can't be read as a DuckDB database.", hint=first_line(error)) from None
    except duckdb.Error as error:
        raise StoreUnavailable(f"{path} can't be opened.", hint=first_line(error)) from None


def _check_writable(path: Path) -> None:
    """DuckDB's own message for a missing permission is long; say it before DuckDB meets it."""
    if path.is_dir():
        raise StoreUnavailable(
            f"{path} is a folder.", hint="DATABASE_URL must name a file: duckdb:///data/health.duckdb"
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnavailable(f"The folder {path.parent} can't be made: {error.strerror}.") from None
    place = path if path.exists() else path.parent
    if not os.access(place, os.W_OK):
        raise StoreUnavailable(
            f"No permission to write {place}.", hint="Change its owner or point DATABASE_URL elsewhere."
        )
