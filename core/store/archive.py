"""Old runs in Parquet files by month: out of the DuckDB file's tables, still in its views and on the pages.

A month moves in three steps: write its files and read them back → bring them to the archive → in one transaction, note
the files and remove the very rows that are in them. A file that no committed transaction noted is never read.
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb
import structlog

from core.errors import Conflict, StoreUnavailable
from core.store.archive_files import Archive, ArchivedFile
from core.store.cursor import Cursor

log = structlog.get_logger()

Digest = tuple[int, int | None]

# What moves, in this order: which rows of a table belong to the runs that move.
MOVING_JOBS = "SELECT j.id FROM jobs AS j JOIN moving AS m ON m.id = j.attempt_id"
KINDS = {
    "steps": f"job_id IN ({MOVING_JOBS})",
    "jobs": "attempt_id IN (SELECT m.id FROM moving AS m)",
    "workflow_runs": "id IN (SELECT m.id FROM moving AS m)",
}

# A run moves with all its attempts, once the last of them ended long ago.
OLD = """SELECT id, run_key, strftime(max(begun_at) OVER (PARTITION BY run_key) AT TIME ZONE 'UTC', '%Y-%m') AS month
    FROM workflow_runs
    WHERE run_key NOT IN (
        SELECT run_key FROM workflow_runs
        WHERE last_activity_at >= ? OR last_activity_at IS NULL OR status IN ('queued', 'running', 'blocked')
    )"""


@dataclass(frozen=True, slots=True)
class Month:
    """The files of one month's old runs, and what the tables' rows were when they were written, by kind."""

    name: str
    files: tuple[ArchivedFile, ...]
    digests: dict[str, Digest]

    @property
    def names(self) -> list[str]:
        return [file.path for file in self.files]


def months_to_archive(cursor: Cursor, before: datetime) -> list[str]:
    """The months, oldest first, of runs that ended before a moment."""
    rows = cursor.execute(f"SELECT DISTINCT month FROM ({OLD}) AS old ORDER BY month", [before]).fetchall()  # noqa: S608
    return [month for (month,) in rows]


def write_month(connection: duckdb.DuckDBPyConnection, archive: Archive, month: str, before: datetime) -> Month:
    """Copy the month's old runs into new files of the archive's folder, as of one moment; nothing is removed.

    A run that was archived before stays where it is: its files are never written again.
    Raises StoreUnavailable if a file doesn't hold, read back, the very rows of its table, or if files that were
    archived before can't be read.
    """
    with connection.cursor() as cursor:
        cursor.execute("BEGIN")
        known = _files(cursor, "workflow_runs")
        if missing := archive.missing(known):
            raise StoreUnavailable(
                f"Nothing is archived: {len(missing)} archived files are missing, {missing[0]} for one.",
                hint=f"Bring them back to {archive.folder}.",
            )
        archived = f"SELECT run_key FROM {parquet(archive, known)}" if known else "SELECT NULL WHERE FALSE"  # noqa: S608
        cursor.execute(
            f"""CREATE TEMP TABLE moving AS SELECT id FROM ({OLD}) WHERE month = ?
                AND run_key NOT IN ({archived})""",  # noqa: S608
            [before, month],
        )
        names = {kind: f"{kind}/month={month}/{uuid.uuid4().hex}.parquet" for kind in KINDS}
        try:
            digests = {kind: _write(cursor, archive, kind, name) for kind, name in names.items()}
            newest = _newest(cursor)
        except BaseException:
            for name in names.values():
                archive.place(name).unlink(missing_ok=True)
            raise
        finally:
            cursor.execute("ROLLBACK")
    files = (ArchivedFile(name, kind, month, digests[kind][0], newest) for kind, name in names.items())
    return Month(month, tuple(file for file in files if file.row_count), digests)


def remove_month(cursor: duckdb.DuckDBPyConnection, archive: Archive, month: Month, now: datetime) -> None:
    """Note the files and remove the rows that they hold, inside the caller's transaction; refresh the views.

    Raises Conflict, with nothing removed, if any of the rows changed since they were written.
    """
    runs = [file.path for file in month.files if file.kind == "workflow_runs"]
    cursor.execute(f"CREATE OR REPLACE TEMP TABLE moving AS SELECT id FROM {parquet(archive, runs)}")  # noqa: S608
    for kind, rows in KINDS.items():
        if digest_of(cursor, f"(SELECT * FROM {kind} WHERE {rows})") != month.digests[kind]:  # noqa: S608
            raise Conflict("Runs of the month changed while they were archived.", hint="They stay until the next time.")
    note(cursor, month.files, now)
    for kind, rows in KINDS.items():
        cursor.execute(f"DELETE FROM {kind} WHERE {rows}")  # noqa: S608
    cursor.execute("DROP TABLE moving")
    refresh_views(cursor, archive)


def note(cursor: Cursor, files: Iterable[ArchivedFile], now: datetime) -> None:
    """From the commit on, these files are part of the history."""
    cursor.executemany(
        "INSERT INTO archived_files (path, kind, month, row_count, newest_at, archived_at) VALUES (?, ?, ?, ?, ?, ?)",
        [(file.path, file.kind, file.month, file.row_count, file.newest_at, now) for file in files],
    )


def noted(cursor: Cursor) -> list[ArchivedFile]:
    """What is part of the history, oldest first."""
    rows = cursor.execute(
        "SELECT path, kind, month, row_count, newest_at FROM archived_files ORDER BY month, path", []
    ).fetchall()
    return [ArchivedFile(*row) for row in rows]


def refresh_views(connection: duckdb.DuckDBPyConnection, archive: Archive) -> None:
    """Let the views `all_*` read what is archived and can be read here."""
    files = noted(connection)
    missing = set(archive.missing(file.path for file in files))
    if missing:
        log.warning(
            "archived files are missing; their rows aren't shown", folder=str(archive.folder), files=len(missing)
        )
    present = [file for file in files if file.path not in missing]
    for kind, view in VIEWS.items():
        statement = f"CREATE OR REPLACE VIEW {view} AS SELECT * FROM {kind}"  # noqa: S608
        if chosen := [file for file in present if file.kind == kind]:
            newest = max(file.newest_at for file in chosen)
            statement += f" UNION ALL BY NAME {archived_rows(kind, parquet(archive, [f.path for f in chosen]), newest)}"
        connection.execute(statement)


VIEWS = {"workflow_runs": "all_runs", "jobs": "all_jobs", "steps": "all_steps"}


def archived_rows(kind: str, files: str, newest_at: datetime) -> str:
    """The archived rows of a kind, as they count: one that came again since counts as the table has it, and an attempt
    is its run's latest only if no other came after it.

    What comes again was created before `newest_at`, so few rows of the tables need looking at.
    """
    until = f"TIMESTAMPTZ '{newest_at.isoformat()}'"
    jobs = f"SELECT id FROM jobs WHERE created_at <= {until} UNION ALL SELECT id FROM jobs WHERE created_at IS NULL"  # noqa: S608
    match kind:
        case "workflow_runs":
            again = f"SELECT id FROM workflow_runs WHERE created_at <= {until}"  # noqa: S608
            later = f"""SELECT run_key FROM workflow_runs WHERE run_attempt > 1
                UNION ALL SELECT run_key FROM workflow_runs WHERE created_at <= {until}"""  # noqa: S608
            return f"""SELECT * REPLACE (is_latest AND run_key NOT IN ({later}) AS is_latest) FROM {files}
                WHERE id NOT IN ({again})"""  # noqa: S608
        case "jobs":
            return f"SELECT * FROM {files} WHERE id NOT IN ({jobs})"  # noqa: S608
        case _:
            again = f"SELECT (job_id, number) FROM steps WHERE job_id IN ({jobs})"  # noqa: S608
            return f"SELECT * FROM {files} WHERE (job_id, number) NOT IN ({again})"  # noqa: S608


def _files(cursor: Cursor, kind: str) -> list[str]:
    return [file.path for file in noted(cursor) if file.kind == kind]


def _write(cursor: duckdb.DuckDBPyConnection, archive: Archive, kind: str, name: str) -> Digest:
    """Write the moving rows of a kind, unless there are none, and compare; the rows' digest."""
    chosen = f"(SELECT * FROM {kind} WHERE {KINDS[kind]})"  # noqa: S608 - constants of this module
    digest = digest_of(cursor, chosen)
    if not digest[0]:
        return digest
    path = archive.place(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    cursor.execute(f"COPY {chosen} TO {_literal(path)} (FORMAT parquet, COMPRESSION zstd)")
    if digest_of(cursor, parquet(archive, [name])) != digest:
        raise StoreUnavailable(f"{path} doesn't hold what was written to it; nothing was removed.")
    return digest


def _newest(cursor: duckdb.DuckDBPyConnection) -> datetime:
    row = cursor.execute(
        f"""SELECT max(greatest(created_at, begun_at, last_activity_at)) FROM workflow_runs
            WHERE {KINDS["workflow_runs"]}"""  # noqa: S608
    ).fetchone()
    assert row
    newest: datetime = row[0]
    return newest


def digest_of(cursor: duckdb.DuckDBPyConnection, rows: str) -> Digest:
    """How many rows, and one number that any change to any of them changes."""
    found = cursor.execute(f"SELECT count(*), bit_xor(hash(t)) FROM {rows} AS t").fetchone()  # noqa: S608
    assert found
    return int(found[0]), found[1]


def parquet(archive: Archive, names: Sequence[str]) -> str:
    """The rows of files of the archive, as SQL has them after FROM."""
    files = ", ".join(_literal(archive.place(name)) for name in names)
    return f"read_parquet([{files}], union_by_name = true, hive_partitioning = false)"


def _literal(path: Path | str) -> str:
    escaped = str(path).replace("'", "''")
    return f"'{escaped}'"
