"""Old runs in Parquet files: out of the tables, and still on the pages."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
import structlog

from core.errors import Conflict, StoreUnavailable
from core.settings import load_settings
from core.store import archive as archiving
from core.store import quack
from core.store.archive import months_to_archive, noted, remove_month, write_month
from core.store.archive_files import Archive, archive_of
from core.store.database import OwnedFile
from core.store.duckdb_file import open_read_only
from core.store.migrations import TABLE, known_migrations
from core.store.reader import OwnerReader
from core.store.writer import Writer
from ingest.providers.github.parse import parse
from tests.builders import NOON, run_payload
from tests.core.test_queries import EVERY

DAYS = 90
# The simulation ends now; seen from here, what is older than four days is older than DAYS.
LATER = datetime.now(UTC) + timedelta(days=DAYS - 4)
ALL = EVERY | {"limit": 100_000}


@pytest.fixture
def file(simulated_file: Path, tmp_path: Path) -> Iterator[OwnedFile]:
    shutil.copyfile(simulated_file, tmp_path / "health.duckdb")
    file = OwnedFile(load_settings(database_url=f"duckdb:///{tmp_path}/health.duckdb"))
    quack.lock(file.connection, tmp_path / "archive")
    yield file
    file.close()


def archived(file: OwnedFile, folder: Path) -> int:
    """Archive as the timed job does; how many runs moved."""
    writer, archive, before = Writer(file.session()), Archive(folder), LATER - timedelta(days=DAYS)
    moved = 0
    for name in months_to_archive(file.connection, before):
        month = write_month(file.connection, archive, name, before)
        if month.files:
            writer.transact(lambda cursor, month=month: remove_month(cursor, archive, month, LATER)).result()
            moved += month.digests["workflow_runs"][0]
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
    whole = archiving.digest_of

    def one_row_short(cursor: Any, rows: str) -> tuple[int, int | None]:
        number, digest = whole(cursor, rows)
        return (number - 1 if "read_parquet" in rows else number), digest

    monkeypatch.setattr(archiving, "digest_of", one_row_short)
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
    with open_read_only(settings.database_path, settings.archive_path) as connection:
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
    with structlog.testing.capture_logs() as logged:
        again = OwnedFile(settings)
    assert count(again.connection, "attempts") == runs - moved
    files = len(list((tmp_path / "elsewhere").rglob("*.parquet")))
    told = {"folder": str(tmp_path / "archive"), "files": files, "log_level": "warning"}
    assert logged == [{"event": "archived files are missing; their rows aren't shown"} | told]
    # Whatever could be archived meanwhile waits: whether a run is there already can't be seen.
    with pytest.raises(StoreUnavailable, match="files are missing") as caught:
        write_month(again.connection, archive_of(settings), "2026-01", LATER)
    assert caught.value.hint == f"Bring them back to {tmp_path}/archive."
    again.close()
    elsewhere = load_settings(database_url=settings.database_url, archive_folder=str(tmp_path / "elsewhere"))
    moved_along = OwnedFile(elsewhere)
    assert count(moved_along.connection, "attempts") == runs
    moved_along.close()
    (tmp_path / "elsewhere").rename(tmp_path / "archive")
    file.connection = duckdb.connect()


def a_run(writer: Writer, **given: Any) -> None:
    changes = parse("workflow_run", run_payload(**given))
    assert changes
    writer.submit_changes(changes).result()


def test_a_new_attempt_of_an_archived_run_is_the_latest_and_stays_in_the_table(file: OwnedFile, tmp_path: Path) -> None:
    writer = Writer(file.session())
    a_run(writer, run_id=77)
    archived(file, tmp_path / "archive")
    one = "attempts WHERE run_id = '77'"
    assert count(file.connection, f"{one} AND is_latest") == 1
    a_run(writer, run_id=77, run_attempt=2)
    rows = file.connection.execute(f"SELECT run_attempt, is_latest FROM {one} ORDER BY run_attempt").fetchall()
    assert rows == [(1, False), (2, True)]
    files = len(list((tmp_path / "archive").rglob("*.parquet")))
    assert archived(file, tmp_path / "archive") == 0
    assert len(list((tmp_path / "archive").rglob("*.parquet"))) == files
    assert count(file.connection, one) == 2
    writer.close()


def test_what_comes_late_of_an_archived_month_is_archived_beside_it(file: OwnedFile, tmp_path: Path) -> None:
    writer, folder = Writer(file.session()), tmp_path / "archive"
    a_run(writer, run_id=79)
    assert archived(file, folder) > 0
    place = folder / "workflow_runs" / f"month={NOON:%Y-%m}"
    assert len(list(place.iterdir())) == 1
    a_run(writer, run_id=80)
    assert archived(file, folder) == 1
    assert len(list(place.iterdir())) == 2
    assert count(file.connection, "attempts WHERE run_id IN ('79', '80') AND is_latest") == 2
    writer.close()


def test_a_run_that_changes_while_its_month_is_written_stays(file: OwnedFile, tmp_path: Path) -> None:
    writer, archive, before = Writer(file.session()), Archive(tmp_path / "archive"), LATER - timedelta(days=DAYS)
    a_run(writer, run_id=78)
    runs = count(file.connection, "attempts")
    [name] = {f"{NOON:%Y-%m}"} & set(months_to_archive(file.connection, before))
    month = write_month(file.connection, archive, name, before)
    a_run(writer, run_id=78, run_attempt=2)
    moving = writer.transact(lambda cursor: remove_month(cursor, archive, month, LATER))
    assert month.name == name
    with pytest.raises(Conflict) as caught:
        moving.result()
    assert (caught.value.message, caught.value.hint) == (
        "Runs of the month changed while they were archived.",
        "They stay until the next time.",
    )
    assert count(file.connection, "archived_files") == 0
    assert count(file.connection, "attempts") == runs + 1
    writer.close()


def test_files_of_an_earlier_version_are_found_by_their_names(tmp_path: Path) -> None:
    path = tmp_path / "old.duckdb"
    with duckdb.connect(str(path)) as old:
        old.execute(TABLE)
        for number, name, sql in known_migrations():
            if number <= 90:
                old.execute(sql)
                old.execute("INSERT INTO schema_migrations VALUES (?, ?, now())", [number, name])
        place = tmp_path / "archive" / "jobs" / "month=2025-02" / "a.parquet"
        old.execute("INSERT INTO archived_files VALUES (?, 'jobs', '2025-02', 5, now())", [str(place)])
    file = OwnedFile(load_settings(database_url=f"duckdb:///{path}"))
    [found] = noted(file.connection)
    assert (found.path, found.row_count) == ("jobs/month=2025-02/a.parquet", 5)
    assert found.newest_at > datetime(2025, 3, 1, tzinfo=UTC)
    file.close()
