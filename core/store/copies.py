"""Backup, restore and compaction: whole copies of the database."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from core.errors import StoreUnavailable, first_line
from core.store.duckdb_file import open_owned, open_read_only


def backup_serving(connection: duckdb.DuckDBPyConnection, folder: Path) -> Path:
    """Copy the open database into a new file of `folder`: one transaction, so a consistent state. Returns the path.

    Raises StoreUnavailable, leaving nothing behind, where the disk is too small for it.
    """
    path = folder / f"health-{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}.duckdb"
    with connection.cursor() as cursor:
        row = cursor.execute("SELECT current_database()").fetchone()
        assert row
        try:
            _copy_into(cursor, row[0], path)
        except duckdb.Error as error:
            # Half a backup is none, and takes the space that is missing.
            for part in (path, Path(f"{path}.wal")):
                part.unlink(missing_ok=True)
            raise StoreUnavailable("The backup could not be made.", hint=first_line(error)) from None
    return path


def backup_stopped(database: Path, target: Path) -> None:
    """Copy a database that no process has open to `target`, which must not exist."""
    _check_absent(target)
    connection = open_owned(database, memory_limit="2GB", threads=2)
    try:
        row = connection.execute("SELECT current_database()").fetchone()
        assert row
        _copy_into(connection, row[0], target)
    finally:
        connection.close()


def restore(backup: Path, database: Path) -> Path | None:
    """Put a backup in the place of a database that no process has open; the old file is kept beside it.

    Returns where the old file is now. Raises StoreUnavailable for a backup that can't be read or is newer.
    """
    if not backup.exists():
        raise StoreUnavailable(f"There is no backup at {backup}.")
    with open_read_only(backup):
        pass
    kept = _set_aside(database, "before-restore")
    database.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(backup, database)
    return kept


def compact(database: Path) -> tuple[int, int]:
    """Rewrite a database that no process has open without its dead space. Returns bytes before and after."""
    before = database.stat().st_size if database.exists() else 0
    fresh = database.with_suffix(".compact")
    fresh.unlink(missing_ok=True)
    backup_stopped(database, fresh)
    fresh.replace(database)
    return before, database.stat().st_size


def _copy_into(connection: duckdb.DuckDBPyConnection, name: str, path: Path) -> None:
    literal = str(path.resolve()).replace("'", "''")
    connection.execute(f"ATTACH '{literal}' AS copy_target")
    try:
        quoted = name.replace('"', '""')
        connection.execute(f'COPY FROM DATABASE "{quoted}" TO copy_target')
        # Without it the rows stay in the copy's write-ahead log, a second file that nobody moves along.
        connection.execute("CHECKPOINT copy_target")
    finally:
        connection.execute("DETACH copy_target")


def _check_absent(path: Path) -> None:
    if path.exists():
        raise StoreUnavailable(f"{path} exists already.", hint="Name a new file; nothing was overwritten.")


def _set_aside(database: Path, word: str) -> Path | None:
    if not database.exists():
        return None
    # Opening it proves that no process uses it, and folds its write-ahead log into the file.
    open_owned(database, memory_limit="2GB", threads=2, wait_seconds=0).close()
    kept = database.with_name(f"{database.name}.{word}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
    database.replace(kept)
    return kept
