"""The timed job on PostgreSQL: into a folder or a bucket, from which other machines read what was archived."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.errors import BadSetting, StoreUnavailable
from core.settings import Settings, load_settings
from core.store import archive_copies
from core.store.database import SharedPostgres
from core.store.writer import Writer
from tests.core.test_queries import EVERY
from tests.ingest.test_archive_job import OLD, RUNS, receive, timer_of
from tests.s3_server import S3, new_bucket, s3_bucket, s3_server


@pytest.fixture(scope="module")
def s3() -> Iterator[S3]:
    with s3_bucket() as bucket:
        yield bucket


class Machine:
    """A process on one machine of several that share a database."""

    def __init__(self, url: str, folder: Path, **given: Any) -> None:
        self.settings: Settings = load_settings(database_url=url, archive_after_days=190, **given)
        self.database = SharedPostgres(self.settings)
        self.archive_folder = folder
        self.writer = Writer(self.database.session())
        self.timer = timer_of(self.database, self.writer, self.settings)

    def receive(self) -> None:
        receive(self.writer)

    def shown(self) -> int:
        return len(self.database.reader.frame("run_page", **EVERY | {"limit": 100}))

    def stored(self) -> int:
        with self.database.reader.connection() as connection:
            row = connection.execute("SELECT count(*) FROM workflow_runs").fetchone()
        assert row
        return int(row[0])

    def close(self) -> None:
        self.writer.close()
        self.database.close()


@pytest.fixture
def machines(postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Opens machines by name, each with a folder of its own as its working directory."""
    opened: list[Machine] = []

    def open_one(name: str, **given: Any) -> Machine:
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        opened.append(Machine(postgres_url, tmp_path / name, **given))
        return opened[-1]

    yield open_one
    for machine in opened:
        machine.close()


def test_what_one_process_archives_every_other_shows(machines: Any, tmp_path: Path) -> None:
    one, other = (machines(name, archive_folder=str(tmp_path / "shared")) for name in ("one", "other"))
    one.receive()
    one.timer._archive()
    assert one.stored() == RUNS - OLD
    assert one.shown() == other.shown() == RUNS
    months = {path.parent.name for path in (tmp_path / "shared").rglob("*.parquet")}
    assert len(months) > 1
    other.timer._archive()
    assert one.shown() == other.shown() == RUNS


def test_a_machine_reads_copies_of_what_is_in_the_bucket(
    machines: Any, s3: S3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive_copies, "WAIT_SECONDS", 60)
    one, other = (machines(name, **s3.settings("postgres")) for name in ("one", "other"))
    one.receive()
    one.timer._archive()
    assert one.stored() == RUNS - OLD
    assert one.shown() == other.shown() == RUNS
    copies = [{path.name for path in (tmp_path / name).rglob("*.parquet")} for name in ("one", "other")]
    assert copies[0] == copies[1] == {name.rsplit("/", 1)[1] for name in s3.names() if name.startswith("postgres/")}


def test_a_dead_bucket_leaves_everything_in_the_tables_and_the_rest_on_the_pages(
    machines: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive_copies, "WAIT_SECONDS", 60)
    with s3_server() as server:
        s3 = new_bucket(*server)
        one = machines("one", **s3.settings("dead"))
        one.receive()
        one.timer._archive()
    other = machines("other", **s3.settings("dead"))
    assert other.shown() == RUNS - OLD
    one.receive()
    stored = one.stored()
    for path in (tmp_path / "one").rglob("*.parquet"):
        path.unlink()
    with pytest.raises(StoreUnavailable, match=f"could not be read in s3://{s3.bucket}/dead"):
        one.timer._archive()
    assert one.stored() == stored


def test_postgres_needs_a_place_that_all_reach() -> None:
    with pytest.raises(BadSetting, match="on PostgreSQL needs ARCHIVE_FOLDER"):
        load_settings(database_url="postgresql://localhost/ci", archive_after_days=365)
