"""`python -m ingest import` and `export`: a whole database from a DuckDB file into PostgreSQL, and back."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from core.errors import DashboardError
from core.settings import Settings
from core.store.archive import noted
from core.store.archive_files import Archive, archive_of
from core.store.duckdb_file import open_owned
from core.store.postgres.connection import PostgresCursor, connect, place_of
from core.store.postgres.migrations import migrate_postgres
from core.store.postgres.transfer import Part, copy_into, copy_out


def add_parsers(commands: Any) -> None:
    """Add the commands to those of `python -m ingest`."""
    into = commands.add_parser("import", help="copy a DuckDB file into the empty PostgreSQL database of DATABASE_URL")
    into.add_argument("file", type=Path)
    into.add_argument("--archive", type=Path, help="folder of the file's archived runs (archive, beside the file)")
    into.set_defaults(run=_import)
    out = commands.add_parser("export", help="copy the PostgreSQL database of DATABASE_URL into a new DuckDB file")
    out.add_argument("file", type=Path)
    out.set_defaults(run=_export)


def _import(chosen: Settings, parsed: argparse.Namespace) -> None:
    """Goes on where it was killed, as long as the file is the same."""
    _check_shared(chosen)
    file: Path = parsed.file
    if not file.exists():
        raise DashboardError(f"There is no database at {file}.")
    # Folds the write-ahead log into the file and brings it to the newest schema, before its state is named.
    open_owned(file, memory_limit=chosen.duckdb_memory_limit, threads=chosen.duckdb_threads).close()
    identity = f"{file.name}, {file.stat().st_size} bytes"
    source = open_owned(file, memory_limit=chosen.duckdb_memory_limit, threads=chosen.duckdb_threads)
    archive = Archive((parsed.archive or file.parent / "archive").resolve())
    try:
        with connect(chosen.database_url, "import") as connection, _progress() as shown:
            _copy_archive(source, archive, archive_of(chosen), _Bars(shown))
            migrate_postgres(connection, chosen.database_url)
            counts = copy_into(PostgresCursor(connection), source, identity, _Bars(shown))
    finally:
        source.close()
    _report(counts, place_of(chosen.database_url))


def _export(chosen: Settings, parsed: argparse.Namespace) -> None:
    _check_shared(chosen)
    file: Path = parsed.file
    if file.exists():
        raise DashboardError(f"{file} exists already.", hint="Name a new file; nothing was overwritten.")
    fresh = file.with_name(f"{file.name}.part")
    fresh.unlink(missing_ok=True)
    target = open_owned(fresh, memory_limit=chosen.duckdb_memory_limit, threads=chosen.duckdb_threads)
    try:
        with connect(chosen.database_url, "export") as connection, _progress() as shown:
            migrate_postgres(connection, chosen.database_url)
            counts = copy_out(connection, target, _Bars(shown))
            _copy_archive(target, archive_of(chosen), Archive(file.parent.resolve() / "archive"), _Bars(shown))
        target.execute("CHECKPOINT")
    finally:
        target.close()
    fresh.rename(file)
    _report(counts, str(file))


def _copy_archive(
    noting: duckdb.DuckDBPyConnection, source: Archive, target: Archive, told: Callable[[Part], object]
) -> None:
    """Copy the archived files that a database notes; those that are there already stay."""
    names = [file.path for file in noted(noting)]
    source.fetch(names)
    for done in target.take_from(source, names):
        told(Part("archived files", done, len(names)))


def _check_shared(chosen: Settings) -> None:
    if not chosen.is_shared:
        raise DashboardError(
            "DATABASE_URL names no PostgreSQL database.",
            hint="Set it to postgresql://…; to copy a DuckDB file, use `python -m ingest backup`.",
        )


def _progress() -> Progress:
    return Progress(TextColumn("{task.description:>20}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())


class _Bars:
    """One bar for each table."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._bars: dict[str, Any] = {}

    def __call__(self, part: Part) -> None:
        if part.table not in self._bars:
            self._bars[part.table] = self._progress.add_task(part.table, total=part.total)
        self._progress.update(self._bars[part.table], completed=part.done)


def _report(counts: dict[str, int], place: str) -> None:
    rows = sum(counts.values())
    print(f"{rows:,} rows in {len(counts)} tables are in {place} now; every table was counted on both sides.")
