"""Old runs out of PostgreSQL into Parquet files: moved once, whole, and whatever happens meanwhile nothing is lost."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from core.errors import Conflict, StoreUnavailable
from core.store.archive_files import Archive
from core.store.duckdb_file import open_owned
from core.store.postgres import archiving
from core.store.postgres.archiving import START, Part, remove_part, write_part
from core.store.postgres.connection import PostgresCursor
from core.store.writer import Writer
from ingest.providers.github.parse import parse
from tests.builders import job_payload, run_payload
from tests.conftest import ROOT, wait_for
from tests.ports import free_port
from tests.postgres_server import PostgresServer

NOW = datetime.now(UTC)
BEFORE = NOW - timedelta(days=4)
KINDS = ("workflow_runs", "jobs", "steps")


@pytest.fixture
def source(simulated_file: Path, tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The simulated history as it is on DuckDB."""
    shutil.copyfile(simulated_file, tmp_path / "source.duckdb")
    with open_owned(tmp_path / "source.duckdb", memory_limit="1GB", threads=2) as connection:
        yield connection


@pytest.fixture
def postgres_url(simulated_url: str, postgres_server: PostgresServer) -> str:
    return postgres_server.copied(simulated_url)


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "archive")


def move(url: str, archive: Archive, runs: int = archiving.RUNS_AT_ONCE) -> int:
    """Archive as the timed job does; how many attempts moved."""
    start, moved = START, 0
    while part := write_part(url, archive, BEFORE, start, runs):
        start = part.end
        if part.files:
            remove_part(url, archive, part, NOW)
            moved += part.counts["workflow_runs"]
    return moved


def count(cursor: Any, table: str) -> int:
    return int(cursor.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def counts(cursor: Any) -> dict[str, int]:
    return {kind: count(cursor, kind) for kind in KINDS}


def texts(rows: list[tuple[Any, ...]]) -> list[list[str]]:
    return sorted([str(value) for value in row] for row in rows)


def tell(writer: Writer, event: str, payload: dict[str, Any]) -> None:
    changes = parse(event, payload)
    assert changes
    writer.submit_changes(changes).result()


def files(archive: Archive) -> list[Path]:
    return sorted(archive.folder.rglob("*.parquet"))


def first_part(url: str, archive: Archive) -> Part:
    part = write_part(url, archive, BEFORE)
    assert part
    assert part.files
    return part


def test_every_row_is_either_in_the_tables_or_in_a_file(
    target: PostgresCursor, source: duckdb.DuckDBPyConnection, postgres_url: str, archive: Archive,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(archiving, "ROWS_AT_ONCE", 30)  # so that a part's rows come several times
    moved = move(postgres_url, archive, runs=50)
    assert 100 < moved < count(source, "workflow_runs")
    for kind in KINDS:
        parquet = f"read_parquet('{archive.folder}/{kind}/*/*.parquet', hive_partitioning = false)"
        archived = source.execute(f"SELECT * FROM {parquet}").fetchall()
        rows = target.run(f"SELECT * FROM {kind}").fetchall() + archived
        assert texts(rows) == texts(source.execute(f"SELECT * FROM {kind}").fetchall())
        written, stored = (source.execute(f"DESCRIBE SELECT * FROM {name}").fetchall() for name in (parquet, kind))
        assert [row[:2] for row in written] == [row[:2] for row in stored]
        assert count(target, f"archived_files WHERE kind = '{kind}'") == len(
            list((archive.folder / kind).rglob("*.parquet"))
        )
    assert moved == count(source, "workflow_runs") - count(target, "workflow_runs")
    assert {pq.ParquetFile(file).metadata.row_group(0).column(0).compression for file in files(archive)} == {"ZSTD"}
    assert count(target, f"workflow_runs WHERE last_activity_at < TIMESTAMPTZ '{BEFORE.isoformat()}'") == 0
    assert move(postgres_url, archive) == 0


def test_a_part_is_of_one_month_and_no_run_is_cut(target: PostgresCursor, postgres_url: str, archive: Archive) -> None:
    target.run(
        """UPDATE workflow_runs SET begun_at = begun_at - INTERVAL '60 days', last_activity_at = begun_at
        WHERE begun_at < (SELECT min(begun_at) FROM workflow_runs) + INTERVAL '1 day'"""
    )
    parts, start = [], START
    while part := write_part(postgres_url, archive, BEFORE, start, 40):
        parts.append(part)
        start = part.end
    assert len({part.month for part in parts}) > 1
    keys = [key for part in parts for key in part.run_keys]
    assert len(keys) == len(set(keys))
    for part in parts:
        held = duckdb.sql(
            f"SELECT DISTINCT strftime(begun_at AT TIME ZONE 'UTC', '%Y-%m'), run_key FROM "
            f"'{archive.place(part.names[0])}' WHERE is_latest"
        ).fetchall()
        assert {month for month, _ in held} == {part.month}
        assert {key for _, key in held} == set(part.run_keys)


def test_what_is_told_of_a_moving_run_is_kept(target: PostgresCursor, postgres_url: str, archive: Archive) -> None:
    before = counts(target)
    part = first_part(postgres_url, archive)
    key = part.run_keys[0]
    target.run("UPDATE workflow_runs SET title = 'said meanwhile' WHERE run_key = %s", [key])
    with pytest.raises(Conflict) as caught:
        remove_part(postgres_url, archive, part, NOW)
    told = (caught.value.message, caught.value.hint)
    assert told == ("Runs changed while they were archived.", "They stay until the next time.")
    assert counts(target) == before
    assert count(target, "archived_files") == 0


def test_a_rerun_stored_before_its_run_is_removed_keeps_the_run(
    target: PostgresCursor, replicas: list[Writer], postgres_url: str, archive: Archive
) -> None:
    tell(replicas[0], "workflow_run", run_payload(run_id=7))
    part = first_part(postgres_url, archive)
    before = counts(target)
    tell(replicas[1], "workflow_run", run_payload(run_id=7, attempt=2))
    with pytest.raises(Conflict):
        remove_part(postgres_url, archive, part, NOW)
    assert counts(target) == before | {"workflow_runs": before["workflow_runs"] + 1}


@pytest.mark.parametrize(
    ("event", "payload", "table"),
    [
        ("workflow_run", run_payload(run_id=7, attempt=2), "workflow_runs"),
        ("workflow_run", run_payload(run_id=7, display_title="Told late"), "workflow_runs"),
        ("workflow_job", job_payload(run_id=7, finished=70), "jobs"),
    ],
    ids=["a rerun", "the run", "its job"],
)
def test_what_is_told_while_a_run_is_removed_is_kept(
    event: str, payload: dict[str, Any], table: str,
    target: PostgresCursor, replicas: list[Writer], postgres_url: str, archive: Archive,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    tell(replicas[0], "workflow_run", run_payload(run_id=7))
    tell(replicas[0], "workflow_job", job_payload(run_id=7))
    part, changes = first_part(postgres_url, archive), parse(event, payload)
    assert changes
    before, waiting, whole = counts(target), [], archiving.note

    def told_meanwhile(*given: Any) -> None:
        whole(*given)
        waiting.append(replicas[1].submit_changes(changes))
        wait_for(lambda: count(target, "pg_locks WHERE NOT granted") > 0, "the writer to wait for the rows")

    monkeypatch.setattr(archiving, "note", told_meanwhile)
    remove_part(postgres_url, archive, part, NOW)
    waiting[0].result()
    assert counts(target)[table] == before[table] - part.counts[table] + 1
    assert count(target, "archived_files") == len(part.files)


def test_of_two_workers_one_moves_a_part(target: PostgresCursor, postgres_url: str, archive: Archive) -> None:
    before = counts(target)
    parts = [first_part(postgres_url, archive) for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        done = [pool.submit(remove_part, postgres_url, archive, part, NOW) for part in parts]
        errors = [future.exception() for future in done]
    assert sorted(type(error).__name__ for error in errors) == ["Conflict", "NoneType"]
    assert counts(target) == {kind: before[kind] - parts[0].counts[kind] for kind in KINDS}
    assert count(target, "archived_files") == len(parts[0].files)


@pytest.mark.parametrize("step", ["_remove", "_digest_of_file", "note"])
def test_a_move_that_breaks_off_removes_nothing(
    step: str, target: PostgresCursor, postgres_url: str, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = counts(target)
    part = first_part(postgres_url, archive)
    whole = getattr(archiving, step)

    def broken(*given: Any) -> None:
        whole(*given)
        raise KeyboardInterrupt

    monkeypatch.setattr(archiving, step, broken)
    with pytest.raises(KeyboardInterrupt):
        remove_part(postgres_url, archive, part, NOW)
    monkeypatch.undo()
    assert counts(target) == before
    assert count(target, "archived_files") == 0
    moved = move(postgres_url, archive)
    assert moved > 0
    assert counts(target)["workflow_runs"] == before["workflow_runs"] - moved


KILLED = """
import os, sys
from pathlib import Path
from core.store.archive_files import Archive
from core.store.postgres import archiving
from tests.postgres.test_archiving import first_part, NOW

def noted(*given):
    whole(*given)
    print("noted", flush=True)
    sys.stdin.read()

whole, archiving.note = archiving.note, noted
archive = Archive(Path(sys.argv[2]))
archiving.remove_part(sys.argv[1], archive, first_part(sys.argv[1], archive), NOW)
"""


def test_a_killed_worker_leaves_every_row_and_holds_nobody_off(
    target: PostgresCursor, replicas: list[Writer], postgres_url: str, archive: Archive
) -> None:
    before = counts(target)
    command = [sys.executable, "-c", KILLED, postgres_url, str(archive.folder)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as worker:
        assert worker.stdout
        assert worker.stdout.readline() == b"noted\n"
        worker.kill()
    assert len(files(archive)) == 3
    assert counts(target) == before
    tell(replicas[0], "workflow_run", run_payload(run_id=7))
    moved = move(postgres_url, archive)
    assert count(target, "archived_files") == len(files(archive)) - 3
    assert counts(target)["workflow_runs"] == before["workflow_runs"] + 1 - moved


def test_a_run_that_was_archived_stays_where_it_is(
    target: PostgresCursor, replicas: list[Writer], postgres_url: str, archive: Archive
) -> None:
    tell(replicas[0], "workflow_run", run_payload(run_id=7))
    assert move(postgres_url, archive) > 0
    kept, left = files(archive), counts(target)
    tell(replicas[0], "workflow_run", run_payload(run_id=7))
    assert move(postgres_url, archive) == 0
    assert files(archive) == kept
    assert counts(target)["workflow_runs"] == left["workflow_runs"] + 1


def test_nothing_moves_where_the_archive_is_missing_or_can_t_be_written(
    target: PostgresCursor, postgres_url: str, archive: Archive, tmp_path: Path
) -> None:
    before = counts(target)
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(StoreUnavailable, match="can't be written") as unwritten:
        write_part(postgres_url, Archive(tmp_path / "file"), BEFORE)
    assert "Not a directory" in (unwritten.value.hint or "")
    part = write_part(postgres_url, archive, BEFORE, runs=20)
    assert part
    remove_part(postgres_url, archive, part, NOW)
    between = counts(target)
    assert between["workflow_runs"] < before["workflow_runs"]
    with pytest.raises(StoreUnavailable, match="Nothing is archived: 1 archived files are missing") as missing:
        write_part(postgres_url, Archive(tmp_path / "elsewhere"), BEFORE)
    assert missing.value.hint == f"Bring them back to {tmp_path / 'elsewhere'}."
    assert counts(target) == between


def test_a_file_that_was_damaged_removes_nothing(target: PostgresCursor, postgres_url: str, archive: Archive) -> None:
    before = counts(target)
    part, other = (write_part(postgres_url, archive, BEFORE, runs=runs) for runs in (20, 21))
    assert part
    assert other
    archive.place(part.names[0]).write_bytes(archive.place(other.names[0]).read_bytes())
    with pytest.raises(Conflict):
        remove_part(postgres_url, archive, part, NOW)
    archive.place(part.names[0]).write_bytes(b"PAR1")
    with pytest.raises(StoreUnavailable, match="can't be read") as unread:
        remove_part(postgres_url, archive, part, NOW)
    assert "too small to be a Parquet file" in (unread.value.hint or "")
    assert counts(target) == before


def test_a_database_that_is_away_is_told_without_its_password(archive: Archive) -> None:
    with pytest.raises(StoreUnavailable) as caught:
        write_part(f"postgresql://tester:geheim@127.0.0.1:{free_port()}/test", archive, BEFORE)
    assert "geheim" not in str(caught.value)
