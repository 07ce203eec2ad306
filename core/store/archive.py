"""Old runs in Parquet files by month, beside the DuckDB file: out of the tables, still in the views and on the pages.

A month moves in one transaction: write its files → read them back and compare every row → note the files and remove the
rows. A file that no committed transaction noted is never read.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import structlog

from core.errors import StoreUnavailable

log = structlog.get_logger()

# What moves, in this order: where its rows are, its key, and which of its rows belong to the runs that move.
MOVING_JOBS = "SELECT j.id FROM jobs AS j JOIN moving AS m ON m.id = j.attempt_id"
KINDS = {
    "steps": ("all_steps", "(job_id, number)", f"job_id IN ({MOVING_JOBS})"),
    "jobs": ("all_jobs", "id", "attempt_id IN (SELECT m.id FROM moving AS m)"),
    "workflow_runs": ("all_runs", "id", "id IN (SELECT m.id FROM moving AS m)"),
}

# A run moves with all its attempts, once the last of them ended long ago.
OLD = """SELECT id, strftime(max(begun_at) OVER (PARTITION BY run_key) AT TIME ZONE 'UTC', '%Y-%m') AS month
    FROM workflow_runs
    WHERE run_key NOT IN (
        SELECT run_key FROM workflow_runs
        WHERE last_activity_at >= ? OR last_activity_at IS NULL OR status IN ('queued', 'running', 'blocked')
    )"""


@dataclass(frozen=True, slots=True)
class Moved:
    """What was archived: rows of each kind."""

    workflow_runs: int = 0
    jobs: int = 0
    steps: int = 0


def months_to_archive(cursor: duckdb.DuckDBPyConnection, now: datetime, days: int) -> list[str]:
    """The months, oldest first, of runs that ended more than `days` ago."""
    rows = cursor.execute(f"SELECT DISTINCT month FROM ({OLD}) ORDER BY month", [now - timedelta(days=days)]).fetchall()  # noqa: S608
    return [month for (month,) in rows]


def archive_month(cursor: duckdb.DuckDBPyConnection, folder: Path, month: str, now: datetime, days: int) -> Moved:
    """Move the old runs of one month into files of `folder`, inside the caller's transaction.

    Raises StoreUnavailable if a file doesn't hold, read back, the very rows of its table.
    """
    cursor.execute(
        f"CREATE OR REPLACE TEMP TABLE moving AS SELECT id FROM ({OLD}) WHERE month = ?",  # noqa: S608
        [now - timedelta(days=days), month],
    )
    counts = {}
    for kind, (_, _, rows) in KINDS.items():
        path = folder.resolve() / kind / f"month={month}" / f"{uuid.uuid4().hex}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        chosen = f"SELECT * FROM {kind} WHERE {rows}"  # noqa: S608 - constants of this module
        cursor.execute(f"COPY ({chosen}) TO {_literal(path)} (FORMAT parquet, COMPRESSION zstd)")
        written = f"(SELECT * FROM read_parquet({_literal(path)}, hive_partitioning = false))"  # noqa: S608
        found = _digest(cursor, written)
        if found != _digest(cursor, f"({chosen})"):
            raise StoreUnavailable(f"{path} doesn't hold what was written to it; nothing was removed.")
        counts[kind] = found[0]
        if counts[kind]:
            cursor.execute(
                "INSERT INTO archived_files VALUES (?, ?, ?, ?, ?)", [str(path), kind, month, counts[kind], now]
            )
        else:
            path.unlink()
    for kind, (_, _, rows) in KINDS.items():
        cursor.execute(f"DELETE FROM {kind} WHERE {rows}")  # noqa: S608
    return Moved(**counts)


def refresh_views(connection: duckdb.DuckDBPyConnection) -> None:
    """Let the views `all_*` read what is archived. A row that came again since counts as the table has it."""
    for kind, (view, key, _) in KINDS.items():
        rows = connection.execute("SELECT path FROM archived_files WHERE kind = ? ORDER BY path", [kind]).fetchall()
        paths = [path for (path,) in rows]
        missing = [path for path in paths if not Path(path).exists()]
        if missing:
            log.warning("archived files are missing; their rows aren't shown", kind=kind, files=missing[:5])
        statement = f"CREATE OR REPLACE VIEW {view} AS SELECT * FROM {kind}"  # noqa: S608
        if present := [path for path in paths if path not in missing]:
            files = (
                f"read_parquet([{', '.join(map(_literal, present))}], union_by_name = true, hive_partitioning = false)"
            )
            statement += f" UNION ALL BY NAME SELECT * FROM {files} WHERE {key} NOT IN (SELECT {key} FROM {kind})"  # noqa: S608
        connection.execute(statement)


def archive_folders(connection: duckdb.DuckDBPyConnection) -> Sequence[str]:
    """The folders that the views read, for a connection whose access to files is about to be shut."""
    rows = connection.execute("SELECT DISTINCT path FROM archived_files").fetchall()
    return sorted({str(Path(path).parent.parent.parent) + "/" for (path,) in rows})


def _digest(cursor: duckdb.DuckDBPyConnection, rows: str) -> tuple[int, int | None]:
    """How many rows, and one number that any change to any of them changes."""
    found = cursor.execute(f"SELECT count(*), bit_xor(hash(t)) FROM {rows} AS t").fetchone()  # noqa: S608
    assert found
    return int(found[0]), found[1]


def _literal(path: Path | str) -> str:
    escaped = str(path).replace("'", "''")
    return f"'{escaped}'"
