"""Old runs in Parquet files: out of the tables, and still on the pages."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

from core.errors import StoreUnavailable
from core.settings import load_settings
from core.store import archive, quack
from core.store.archive import archive_month, months_to_archive, refresh_views
from core.store.database import OwnedFile
from core.store.duckdb_file import open_read_only
from core.store.reader import OwnerReader
from core.store.writer import Writer
from ingest.providers.github.parse import parse
from ingest.simulation.fill import fill
from tests.builders import NOON, run_payload
from tests.core.test_queries import EVERY

DAYS = 90
# The simulation ends now; seen from here, what is older than four days is older than DAYS.
LATER = datetime.now(UTC) + timedelta(days=DAYS - 4)
ALL = EVERY | {"limit": 100_000}


@pytest.fixture
def file(tmp_path: Path) -> Iterator[OwnedFile]:
    settings = load_settings(database_url=f"duckdb:///{tmp_path}/health.duckdb")
    fill(settings, days=8)
    file = OwnedFile(settings)
    quack.lock(file.connection, tmp_path / "archive")
    yield file
    file.close()


def archived(file: OwnedFile, folder: Path) -> int:
    """Archive as the timed job does; how many runs moved."""
    writer = Writer(file.session())
    moved = 0

    def move(cursor: Any, month: str) -> int:
        found = archive_month(cursor, folder, month, LATER, DAYS)
        refresh_views(cursor)
        return found.workflow_runs

    for month in months_to_archive(file.connection, LATER, DAYS):
        moved += writer.transact(lambda cursor, month=month: move(cursor, month)).result()
    writer.close()
    return moved


def count(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    row = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    assert row
    return int(row[0])


def shown(reader: OwnerReader, run: str, attempt: str) -> list[pd.DataFrame]:
    return [
        reader.frame("run_page", **ALL),
        reader.frame("run_export", **ALL),
        reader.frame("run_search", **ALL),
        reader.frame("run_attempts", id=run),
        reader.frame("run_attempts", id=attempt),
        reader.frame("attempt_jobs", attempt_id=attempt),
        reader.frame("attempt_steps", attempt_id=attempt),
    ]


def test_archived_runs_are_out_of_the_tables_and_on_the_pages(file: OwnedFile, tmp_path: Path) -> None:
    attempt, run = file.connection.execute(
        "SELECT id, run_key FROM workflow_runs WHERE id IN (SELECT attempt_id FROM jobs) ORDER BY begun_at LIMIT 1"
    ).fetchone() or ("", "")
    before, runs = shown(file.reader, run, attempt), count(file.connection, "workflow_runs")
    views = {view: count(file.connection, view) for view in ("attempts", "runs", "job_runs", "all_steps")}
    moved = archived(file, tmp_path / "archive")
    assert 0 < moved < runs
    assert count(file.connection, "workflow_runs") == runs - moved
    assert count(file.connection, f"workflow_runs WHERE id = '{attempt}'") == 0
    assert {view: count(file.connection, view) for view in views} == views
    for found, expected in zip(shown(file.reader, run, attempt), before, strict=True):
        assert len(expected) > 0
        pd.testing.assert_frame_equal(found, expected)
    assert archived(file, tmp_path / "archive") == 0


def test_files_lie_by_month_and_hold_every_column(file: OwnedFile, tmp_path: Path) -> None:
    archived(file, tmp_path / "archive")
    files = list((tmp_path / "archive" / "workflow_runs").glob("month=*/*.parquet"))
    assert files
    columns = duckdb.sql(f"SELECT * FROM read_parquet('{files[0]}', hive_partitioning = false)").columns
    assert columns == [row[0] for row in file.connection.execute("DESCRIBE workflow_runs").fetchall()]


def test_a_run_that_is_told_of_again_counts_once(file: OwnedFile, tmp_path: Path) -> None:
    writer = Writer(file.session())
    changes = parse("workflow_run", run_payload())
    assert changes
    writer.submit_changes(changes).result()
    archived(file, tmp_path / "archive")
    assert count(file.connection, "workflow_runs WHERE begun_at < TIMESTAMPTZ '2026-06-01'") == 0
    writer.submit_changes(changes).result()
    assert count(file.connection, f"attempts WHERE created_at = TIMESTAMPTZ '{NOON.isoformat()}'") == 1
    writer.close()


def test_nothing_is_removed_before_it_was_read_back(
    file: OwnedFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = count(file.connection, "workflow_runs")
    whole = archive._digest

    def one_row_short(cursor: Any, rows: str) -> tuple[int, int | None]:
        number, digest = whole(cursor, rows)
        return (number - 1 if "read_parquet" in rows else number), digest

    monkeypatch.setattr(archive, "_digest", one_row_short)
    with pytest.raises(StoreUnavailable, match="nothing was removed"):
        archived(file, tmp_path / "archive")
    monkeypatch.undo()
    assert count(file.connection, "workflow_runs") == runs
    assert count(file.connection, "archived_files") == 0


def test_the_archive_is_read_after_a_restart_and_while_ingest_is_away(file: OwnedFile, tmp_path: Path) -> None:
    runs = count(file.connection, "attempts")
    archived(file, tmp_path / "archive")
    file.close()
    settings = load_settings(database_url=f"duckdb:///{tmp_path}/health.duckdb")
    with open_read_only(settings.database_path) as connection:
        assert count(connection, "attempts") == runs
        with pytest.raises(duckdb.Error):
            connection.execute("SELECT * FROM read_csv('/etc/passwd')")
    file.connection = duckdb.connect()  # the fixture closes something
    again = OwnedFile(settings)
    assert count(again.connection, "attempts") == runs
    again.close()


def test_without_its_files_the_rest_is_still_shown(file: OwnedFile, tmp_path: Path) -> None:
    moved = archived(file, tmp_path / "archive")
    runs = count(file.connection, "attempts")
    file.close()
    (tmp_path / "archive").rename(tmp_path / "elsewhere")
    settings = load_settings(database_url=f"duckdb:///{tmp_path}/health.duckdb")
    again = OwnedFile(settings)
    assert count(again.connection, "attempts") == runs - moved
    again.close()
    (tmp_path / "elsewhere").rename(tmp_path / "archive")
    file.connection = duckdb.connect()
