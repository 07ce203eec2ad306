"""The timed job that moves old runs away: into a folder, and into a bucket of a real S3 server."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import duckdb
import pytest

from core.errors import StoreUnavailable
from core.settings import Settings, load_settings
from core.store import quack
from core.store.archive_files import Archive, archive_of
from core.store.copies import backup_serving
from core.store.database import Database, OwnedFile
from core.store.writer import Writer
from ingest.providers.github.parse import parse
from ingest.scheduler import Timer
from ingest.service import Service
from tests.builders import NOON, run_payload
from tests.conftest import wait_for
from tests.ports import free_port
from tests.s3_server import S3, new_bucket, s3_bucket, s3_server

# Seconds after NOON: more than 190 days before any day on which this can run, and just now. (Where nothing happened for
# long, the clock isn't believed.)
LONG_AGO = -2 * 365 * 86_400
NOW = (datetime.now(UTC) - NOON).total_seconds()
OLD, RUNS = 6, 7


@pytest.fixture(scope="module")
def s3() -> Iterator[S3]:
    with s3_bucket() as bucket:
        yield bucket


def receive(writer: Writer) -> None:
    """OLD runs of several months, and one that is new."""
    for number in range(RUNS):
        begun = LONG_AGO + number * 20 * 86_400 if number < OLD else NOW
        changes = parse("workflow_run", run_payload(run_id=number + 1, begun=begun, updated=begun + 60))
        assert changes
        writer.submit_changes(changes).result()


def timer_of(database: Database, writer: Writer, settings: Settings) -> Timer:
    """One that has nothing to send and nobody to ask."""
    unused = cast("Any", None)
    return Timer(database, writer, settings, unused, unused, unused)


class Machine:
    """An ingest process's database, writer and timer, on a folder of its own."""

    def __init__(self, folder: Path, **given: Any) -> None:
        self.settings: Settings = load_settings(
            database_url=f"duckdb:///{folder}/health.duckdb", archive_after_days=190, **given
        )
        self.file = OwnedFile(self.settings)
        self.is_open = True
        quack.lock(self.file.connection, folder / "backups", self.settings.archive_path)
        self.writer = Writer(self.file.session())
        self.timer = timer_of(self.file, self.writer, self.settings)

    def receive(self) -> None:
        receive(self.writer)

    def count(self, table: str) -> int:
        row = self.file.connection.execute(f"SELECT count(*) FROM {table}").fetchone()
        assert row
        return int(row[0])

    def parquet(self) -> list[Path]:
        return sorted(self.settings.archive_path.rglob("*.parquet"))

    def close(self) -> None:
        self.is_open = False
        self.writer.close()
        self.file.close()


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Any]:
    machines: list[Machine] = []

    def open_one(name: str, **given: Any) -> Machine:
        (tmp_path / name / "backups").mkdir(parents=True, exist_ok=True)
        machines.append(Machine(tmp_path / name, **given))
        return machines[-1]

    yield open_one
    for machine in machines:
        if machine.is_open:
            machine.close()


def test_old_runs_move_into_the_folder(opened: Any, tmp_path: Path) -> None:
    machine = opened("one", archive_folder=str(tmp_path / "elsewhere"))
    machine.receive()
    machine.timer._archive()
    assert machine.count("workflow_runs") == RUNS - OLD
    assert machine.count("attempts") == RUNS
    months = {path.parent.name for path in (tmp_path / "elsewhere").rglob("*.parquet")}
    assert len(months) == machine.count("archived_files") == 4


def test_old_runs_move_into_the_bucket_and_are_read_from_copies(opened: Any, s3: S3, tmp_path: Path) -> None:
    machine = opened("one", **s3.settings("moved"))
    machine.receive()
    machine.timer._archive()
    assert machine.count("workflow_runs") == RUNS - OLD
    assert machine.count("attempts") == RUNS
    noted = {path for (path,) in machine.file.connection.execute("SELECT path FROM archived_files").fetchall()}
    assert noted == set(s3.names_under("moved"))

    # Another machine with a backup of the database alone: the rest comes from the bucket.
    backup = backup_serving(machine.file.connection, tmp_path / "one" / "backups")
    (tmp_path / "two").mkdir()
    backup.rename(tmp_path / "two" / "health.duckdb")
    other = opened("two", **s3.settings("moved"))
    assert other.count("attempts") == RUNS - OLD
    other.timer._fetch_archive()
    assert other.count("attempts") == RUNS
    # The database itself can't go there: it holds no key, and its way out is shut.
    with pytest.raises(duckdb.Error):
        other.file.connection.execute(f"SELECT * FROM read_parquet('s3://{s3.bucket}/moved/{noted.pop()}')")


def test_a_service_that_starts_without_the_copies_fetches_them(opened: Any, s3: S3, tmp_path: Path) -> None:
    machine = opened("one", **s3.settings("started"))
    machine.receive()
    machine.timer._archive()
    backup = backup_serving(machine.file.connection, tmp_path / "one" / "backups")
    (tmp_path / "two").mkdir()
    database = backup.rename(tmp_path / "two" / "health.duckdb")
    settings = load_settings(database_url=f"duckdb:///{database}", quack_port=free_port(), **s3.settings("started"))
    service = Service.start(settings)
    assert isinstance(service.database, OwnedFile)
    cursor = service.database.connection.cursor()
    try:
        count = "SELECT count(*) FROM attempts"
        wait_for(lambda: cursor.execute(count).fetchone() == (RUNS,), "the runs from the bucket")
        service.timer._fetch_archive()  # nothing is missing any more
    finally:
        service.stop_now()


def test_a_month_whose_runs_change_meanwhile_stays_and_the_others_move(
    opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = opened("one")
    machine.receive()
    keep, changed = Archive.keep, []

    def keep_slowly(archive: Archive, names: list[str]) -> None:
        keep(archive, names)
        if not changed:
            changed.append(names)
            payload = run_payload(run_id=1, begun=LONG_AGO, updated=LONG_AGO + 90, conclusion="failure")
            changes = parse("workflow_run", payload)
            assert changes
            machine.writer.submit_changes(changes).result()

    monkeypatch.setattr(Archive, "keep", keep_slowly)
    machine.timer._archive()
    assert machine.count("workflow_runs") == RUNS - OLD + 2, "the month of the changed run holds two"
    assert machine.count("archived_files") == len(machine.parquet()) == 3
    machine.timer._archive()
    assert machine.count("workflow_runs") == RUNS - OLD
    assert machine.count("attempts") == RUNS


def test_what_a_bucket_lost_is_named_and_the_rest_is_shown(opened: Any, s3: S3, tmp_path: Path) -> None:
    machine = opened("one", **s3.settings("lost"))
    machine.receive()
    machine.timer._archive()
    lost = next(name for name in s3.names_under("lost") if name.startswith("workflow_runs"))
    s3.remove(f"lost/{lost}")
    for path in machine.parquet():
        path.unlink()
    with pytest.raises(StoreUnavailable, match=lost):
        machine.timer._fetch_archive()
    assert RUNS - OLD < machine.count("attempts") < RUNS
    machine.receive()
    with pytest.raises(StoreUnavailable, match="Nothing is archived: 1 archived files are missing"):
        machine.timer._archive()


def test_a_refused_key_removes_nothing_and_tells_no_secret(opened: Any, s3: S3) -> None:
    machine = opened("one", **(s3.settings("refused") | {"aws_secret_access_key": "quite-another-secret"}))
    machine.receive()
    with pytest.raises(StoreUnavailable, match=f"could not be stored in s3://{s3.bucket}/refused") as caught:
        machine.timer._archive()
    assert "quite-another" not in str(caught.value)
    assert machine.count("workflow_runs") == machine.count("attempts") == RUNS
    assert machine.parquet() == []
    assert not s3.names_under("refused")


def test_with_a_dead_bucket_everything_stays_and_the_service_starts(opened: Any, tmp_path: Path) -> None:
    with s3_server() as server:
        s3 = new_bucket(*server)
        machine = opened("one", **s3.settings("dead"))
        machine.receive()
        machine.timer._archive()
        machine.close()
        for path in machine.parquet():
            path.unlink()
    again = opened("one", **s3.settings("dead"))
    again.receive()
    assert again.count("attempts") == RUNS
    with pytest.raises(StoreUnavailable, match=f"could not be read in s3://{s3.bucket}/dead"):
        again.timer._fetch_archive()
    with pytest.raises(StoreUnavailable, match="Nothing is archived"):
        again.timer._archive()
    assert again.count("workflow_runs") == RUNS


def test_a_folder_is_brought_into_a_bucket_once(opened: Any, s3: S3, tmp_path: Path) -> None:
    machine = opened("one")
    machine.receive()
    machine.timer._archive()
    names = [str(path.relative_to(machine.settings.archive_path)) for path in machine.parquet()]
    settings = load_settings(
        database_url=f"duckdb:///{tmp_path}/two/health.duckdb", **cast("Any", s3.settings("brought"))
    )
    bucket, folder = archive_of(settings), Archive(machine.settings.archive_path)
    assert list(bucket.take_from(folder, names)) == list(range(1, len(names) + 1))
    assert sorted(s3.names_under("brought")) == sorted(names)
    # Where the bucket has them, the folder isn't needed any more.
    elsewhere = Archive(tmp_path / "three", bucket.bucket)
    assert len(list(elsewhere.take_from(Archive(tmp_path / "nowhere"), names))) == len(names)
    with pytest.raises(StoreUnavailable, match="1 archived files are neither in"):
        list(elsewhere.take_from(folder, ["jobs/month=2020-01/none.parquet"]))
