"""A database on its way from a DuckDB file into PostgreSQL and back, by the commands that people use."""

import os
import shutil
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import psycopg
import pytest

from core.settings import load_settings
from core.store.archive import months_to_archive, remove_month, write_month
from core.store.archive_files import Archive
from core.store.database import OwnedFile
from core.store.duckdb_file import open_owned
from core.store.postgres import transfer
from core.store.postgres.connection import PostgresCursor, connect
from core.store.postgres.transfer import Part, copy_into
from core.store.writer import Writer
from tests.conftest import ROOT, wait_for


@pytest.fixture(scope="module")
def file(simulated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("moving") / "health.duckdb"
    shutil.copyfile(simulated_file, path)
    connection = open_owned(path, memory_limit="1GB", threads=2)
    connection.execute("UPDATE workflow_runs SET title = 'a' || chr(0) || ',\"b\"\n', actor = '' WHERE run_attempt = 2")
    connection.close()
    return path


def command(url: str, *arguments: str) -> list[str]:
    return ["env", f"DATABASE_URL={url}", sys.executable, "-m", "ingest", *arguments]


def run(url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(url, *arguments), cwd=ROOT, capture_output=True, text=True, check=False)


def contents(cursor: Any) -> dict[str, list[list[str]]]:
    tables = ("pipelines", "workflow_runs", "jobs", "steps", "alerts", "alert_events", "deliveries", "settings")
    found = {table: cursor.execute(f"SELECT * FROM {table}").fetchall() for table in tables}
    return {table: sorted([str(value) for value in row] for row in rows) for table, rows in found.items()}


def test_a_file_comes_back_from_postgres_as_it_went(file: Path, postgres_url: str, tmp_path: Path) -> None:
    done = run(postgres_url, "import", str(file))
    assert done.returncode == 0, done.stderr
    assert "every table was counted on both sides" in done.stdout
    again = run(postgres_url, "import", str(file))
    assert again.returncode == 1
    assert "Error: The target holds data already" in again.stderr
    back = tmp_path / "back.duckdb"
    assert run(postgres_url, "export", str(back)).returncode == 0
    with psycopg.connect(postgres_url) as postgres:
        assert postgres.execute(
            "SELECT count(*) FROM pg_indexes WHERE indexname = 'workflow_runs_begun'"
        ).fetchone() == (1,)
    first, second = (open_owned(path, memory_limit="1GB", threads=2) for path in (file, back))
    expected = contents(first)
    expected["workflow_runs"] = sorted(
        [text.replace("\0", "\ufffd") for text in row] for row in expected["workflow_runs"]
    )
    assert contents(second) == expected
    first.close()
    second.close()


class Killed(Exception):
    pass


def test_an_import_that_is_cut_off_goes_on_where_it_was(
    file: Path, target: PostgresCursor, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "ROWS", 100)
    source = open_owned(file, memory_limit="1GB", threads=2)

    def cut_off_after(number: int) -> Any:
        seen: list[Part] = []

        def told(part: Part) -> None:
            seen.append(part)
            if len(seen) == number:
                raise Killed

        return told

    for number in (3, 10, 40):
        connection = connect(postgres_url, "import")
        with pytest.raises(Killed):
            copy_into(PostgresCursor(connection), source, "file", cut_off_after(number))
        connection.close()
    counts = copy_into(target, source, "file", lambda _: None)
    row = source.execute("SELECT count(*) FROM jobs").fetchone()
    assert row == (counts["jobs"],)
    assert target.execute("SELECT count(*), count(DISTINCT id) FROM jobs").fetchone() == (row[0], row[0])
    source.close()


def test_an_import_that_is_killed_goes_on_where_it_was(file: Path, postgres_url: str, tmp_path: Path) -> None:
    process = subprocess.Popen(command(postgres_url, "import", str(file)), cwd=ROOT, stdout=subprocess.DEVNULL)

    def has_begun() -> bool:
        try:
            with psycopg.connect(postgres_url) as postgres:
                row = postgres.execute("SELECT count(*) FROM import_progress WHERE next_row > 0").fetchone()
        except psycopg.errors.UndefinedTable:
            return False
        return bool(row and row[0]) or process.poll() is not None

    wait_for(has_begun, "the import to begin")
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    done = run(postgres_url, "import", str(file))
    # It may have been done already.
    assert done.returncode == 0 or "holds data already" in done.stderr
    with psycopg.connect(postgres_url) as postgres:
        row = postgres.execute("SELECT (SELECT count(*) FROM steps), to_regclass('import_progress')").fetchone()
    source = open_owned(file, memory_limit="1GB", threads=2)
    assert row == (*(source.execute("SELECT count(*) FROM steps").fetchone() or ()), None)
    source.close()


def test_a_started_import_is_not_mixed_with_another_file(
    file: Path, target: PostgresCursor, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = open_owned(file, memory_limit="1GB", threads=2)

    def killed(_: Part) -> None:
        raise Killed

    with pytest.raises(Killed):
        copy_into(target, source, "one", killed)
    with pytest.raises(Exception, match="part of another file"):
        copy_into(target, source, "two", lambda _: None)
    source.close()


def archived(path: Path) -> int:
    """Move the old runs of a database into the folder `archive` beside it; how many files that makes."""
    file, archive = OwnedFile(load_settings(database_url=f"duckdb:///{path}")), Archive(path.parent / "archive")
    writer = Writer(file.session())
    now = datetime.now(UTC)
    before = now - timedelta(days=4)
    for name in months_to_archive(file.connection, before):
        month = write_month(file.connection, archive, name, before)
        writer.transact(lambda cursor, month=month: remove_month(cast("Any", cursor), archive, month, now)).result()
    writer.close()
    noted = len(list(archive.folder.rglob("*.parquet")))
    file.close()
    return noted


def test_the_archive_comes_along(file: Path, postgres_url: str, tmp_path: Path) -> None:
    path = tmp_path / "one" / "health.duckdb"
    path.parent.mkdir()
    shutil.copyfile(file, path)
    files = archived(path)
    assert files
    away = path.parent.rename(tmp_path / "two") / "archive"
    away.rename(tmp_path / "away")
    path = tmp_path / "two" / "health.duckdb"
    shared = ["env", f"ARCHIVE_FOLDER={tmp_path}/shared"]

    def told(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*shared, *command(postgres_url, *arguments)], cwd=ROOT, capture_output=True, text=True, check=False
        )

    refused = told("import", str(path))
    assert refused.returncode == 1
    assert f"{files} archived files are neither in {tmp_path}/two/archive nor in {tmp_path}/shared" in refused.stderr
    done = told("import", str(path), "--archive", str(tmp_path / "away"))
    assert done.returncode == 0, done.stderr
    back = tmp_path / "three" / "back.duckdb"
    back.parent.mkdir()
    assert told("export", str(back)).returncode == 0
    copies = [
        {p.relative_to(folder) for p in folder.rglob("*.parquet")}
        for folder in (tmp_path / "away", tmp_path / "shared", tmp_path / "three" / "archive")
    ]
    assert copies[0] == copies[1] == copies[2]
    attempts = []
    for database, archive in ((path, tmp_path / "away"), (back, None)):
        settings = load_settings(database_url=f"duckdb:///{database}", archive_folder=archive and str(archive))
        opened = OwnedFile(settings)
        attempts.append(opened.connection.execute("SELECT count(*), min(begun_at) FROM attempts").fetchone())
        opened.close()
    assert attempts[0] == attempts[1]
