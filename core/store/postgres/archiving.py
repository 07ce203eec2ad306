"""Old runs out of PostgreSQL into Parquet files by month, some thousands at a time, while everything goes on.

Each part moves in three steps: write its files, as of one moment → bring them to the archive → in one transaction,
remove the rows, compare each of them with the files, and note the files. A file that no committed transaction noted is
never read. Nobody waits but who tells of a run that is just moving: what he says is stored in the tables again.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

import duckdb
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq

from core.errors import Conflict, StoreUnavailable
from core.store.archive import Digest, digest_of, note, noted, parquet
from core.store.archive_files import Archive, ArchivedFile
from core.store.postgres import connection as connections
from core.store.postgres.connection import PostgresCursor
from core.store.postgres.frames import table_of

# The rows of so many runs are held in memory when they are removed: some 100 MB with 20 steps each.
RUNS_AT_ONCE = 10_000
ROWS_AT_ONCE = 20_000

Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]
# When the latest attempt of a run began, and the run's key.
Place: TypeAlias = tuple[datetime, str]
START: Place = (datetime(1, 1, 1, tzinfo=UTC), "")

# A run moves with all its attempts, once the last of them ended long ago. Oldest first, as an index has them.
OLD = """SELECT r.begun_at, r.run_key
    FROM workflow_runs AS r
    WHERE r.is_latest AND (r.begun_at, r.run_key) > (%s, %s) AND NOT EXISTS (
        SELECT 1 FROM workflow_runs AS o
        WHERE o.run_key = r.run_key
            AND (o.last_activity_at >= %s OR o.last_activity_at IS NULL OR o.status IN ('queued', 'running', 'blocked'))
    ) AND r.begun_at < %s
    ORDER BY r.begun_at NULLS FIRST, r.run_key NULLS FIRST
    LIMIT %s"""
_ATTEMPTS = "SELECT id FROM workflow_runs WHERE run_key = ANY(%s)"
_JOBS = f"SELECT id FROM jobs WHERE attempt_id IN ({_ATTEMPTS})"  # noqa: S608
# What moves, in the order in which writers lock it: which rows, and how they are sorted in a file.
KINDS = {
    "workflow_runs": ("run_key = ANY(%s)", "run_key, id"),
    "jobs": (f"attempt_id IN ({_ATTEMPTS})", "attempt_id, id"),
    "steps": (f"job_id IN ({_JOBS})", "job_id, number"),
}
# By what each is removed: the ids of what was removed before.
REMOVED_BY = {"workflow_runs": "run_key", "jobs": "attempt_id", "steps": "job_id"}


@dataclass(frozen=True, slots=True)
class Part:
    """Old runs of one month and the files that hold their rows; `end` is where the next part begins."""

    month: str
    run_keys: tuple[str, ...]
    files: tuple[ArchivedFile, ...]
    end: Place

    @property
    def names(self) -> list[str]:
        return [file.path for file in self.files]

    @property
    def counts(self) -> dict[str, int]:
        return {kind: sum(file.row_count for file in self.files if file.kind == kind) for kind in KINDS}


def write_part(
    url: str, archive: Archive, before: datetime, start: Place = START, runs: int = RUNS_AT_ONCE
) -> Part | None:
    """Copy the oldest runs that ended before a moment into new files of the archive's folder; nothing is removed.

    At most `runs` of one month, beginning after `start`; None where nothing is left. A run that was archived before
    stays where it is, so that a part may have no files.
    Raises StoreUnavailable if the database refuses, the folder can't be written, or files that were archived before are
    missing.
    """
    with _transaction(url, "ISOLATION LEVEL REPEATABLE READ, READ ONLY") as connection:
        known = [file.path for file in noted(PostgresCursor(connection)) if file.kind == "workflow_runs"]
        if missing := archive.missing(known):
            raise StoreUnavailable(
                f"Nothing is archived: {len(missing)} archived files are missing, {missing[0]} for one.",
                hint=f"Bring them back to {archive.folder}.",
            )
        old = connection.execute(OLD, [*start, before, before, runs]).fetchall()
        if not old:
            return None
        month = f"{old[0][0]:%Y-%m}"
        chosen = [(begun_at, run_key) for begun_at, run_key in old if f"{begun_at:%Y-%m}" == month]
        run_keys = _without_archived(archive, known, [run_key for _, run_key in chosen])
        files = _write(connection, archive, month, run_keys)
    return Part(month, tuple(run_keys), files, chosen[-1])


def remove_part(url: str, archive: Archive, part: Part, now: datetime) -> None:
    """Note the files and remove the very rows that they hold.

    Raises Conflict, with nothing removed, if the tables don't hold these rows any more, and StoreUnavailable if the
    database refuses or a file can't be read.
    """
    paths = {file.kind: file.path for file in part.files}
    with _transaction(url, "ISOLATION LEVEL READ COMMITTED") as connection:
        keys = list(part.run_keys)
        for kind, column in REMOVED_BY.items():
            held = _digest_of_file(archive, paths[kind]) if kind in paths else (0, 0)
            removed, keys = _remove(connection, kind, column, keys)
            if removed != held:
                raise Conflict("Runs changed while they were archived.", hint="They stay until the next time.")
        note(PostgresCursor(connection), part.files, now)


@contextmanager
def _transaction(url: str, mode: str) -> Iterator[Connection]:
    """A transaction on a connection of its own, which may rest while files are written."""
    try:
        with connections.connect(url, "archive") as connection, connection.transaction():
            connection.execute(f"SET TRANSACTION {mode}")
            connection.execute("SET LOCAL idle_in_transaction_session_timeout = '5min'")
            yield connection
    except psycopg.Error as error:
        raise connections.unavailable(error, url) from None


def _comparing() -> duckdb.DuckDBPyConnection:
    """A database of nothing that reads files and rows, within bounds that leave the machine to others."""
    return duckdb.connect(config={"threads": 1, "memory_limit": "512MB"})


def _without_archived(archive: Archive, known: list[str], run_keys: list[str]) -> list[str]:
    """The runs of which nothing is in the archive."""
    if not known:
        return run_keys
    with _comparing() as database:
        database.register("asked", pa.table({"run_key": run_keys}))
        rows = database.execute(
            f"SELECT run_key FROM asked WHERE run_key NOT IN (SELECT run_key FROM {parquet(archive, known)})"  # noqa: S608
        ).fetchall()
    return [run_key for (run_key,) in rows]


def _write(connection: Connection, archive: Archive, month: str, run_keys: list[str]) -> tuple[ArchivedFile, ...]:
    newest = connection.execute(
        "SELECT max(greatest(created_at, begun_at, last_activity_at)) FROM workflow_runs WHERE run_key = ANY(%s)",
        [run_keys],
    ).fetchone()
    assert newest
    names = {kind: f"{kind}/month={month}/{uuid.uuid4().hex}.parquet" for kind in KINDS}
    try:
        counts = {kind: _write_file(connection, archive, kind, name, run_keys) for kind, name in names.items()}
    except BaseException as error:
        with suppress(OSError):  # where nothing can be written, nothing was
            archive.discard(names.values())
        if isinstance(error, OSError):
            raise StoreUnavailable(
                f"Nothing is archived: {archive.folder} can't be written.", hint=str(error)
            ) from None
        raise
    return tuple(
        ArchivedFile(name, kind, month, counts[kind], newest[0]) for kind, name in names.items() if counts[kind]
    )


def _write_file(connection: Connection, archive: Archive, kind: str, name: str, run_keys: list[str]) -> int:
    """Write the rows of a kind, unless there are none; how many there are."""
    path = archive.place(name)
    count = 0
    writer: pq.ParquetWriter | None = None
    try:
        for rows in _rows(connection, kind, run_keys):
            if writer is None:
                path.parent.mkdir(parents=True, exist_ok=True)
                writer = pq.ParquetWriter(path, rows.schema, compression="zstd")
            writer.write_table(rows)
            count += rows.num_rows
    finally:
        if writer:
            writer.close()
    return count


def _rows(connection: Connection, kind: str, run_keys: list[str]) -> Iterator[pa.Table]:
    """The rows of some runs in the order of a file, some at a time."""
    rows, order = KINDS[kind]
    with connection.cursor(name="archive", binary=True) as cursor:
        cursor.execute(f"SELECT * FROM {kind} WHERE {rows} ORDER BY {order}", [run_keys])  # noqa: S608
        while part := cursor.fetchmany(ROWS_AT_ONCE):
            yield table_of(cursor.description or [], part)


def _remove(connection: Connection, kind: str, column: str, keys: list[str]) -> tuple[Digest, list[str]]:
    """Remove rows; their digest, and their ids where they have one."""
    statement = f"DELETE FROM {kind} WHERE {column} = ANY(%s) RETURNING *"  # noqa: S608 - constants of this module
    count, combined = 0, 0
    ids: list[str] = []
    with (
        _comparing() as database,
        connection.cursor(binary=True) as cursor,
    ):
        cursor.execute(statement, [keys])
        while part := cursor.fetchmany(ROWS_AT_ONCE):
            rows = table_of(cursor.description or [], part)
            database.register("part", rows)
            part_count, part_digest = digest_of(database, "part")
            count, combined = count + part_count, combined ^ (part_digest or 0)
            ids += rows["id"].to_pylist() if "id" in rows.column_names else []
    return (count, combined), ids


def _digest_of_file(archive: Archive, name: str) -> Digest:
    try:
        with _comparing() as database:
            return digest_of(database, parquet(archive, [name]))
    except duckdb.Error as error:
        raise StoreUnavailable(f"{archive.place(name)} can't be read; nothing was removed.", hint=str(error)) from None
