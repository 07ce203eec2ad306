"""Disks that take nothing more, and what grows on them."""

import resource
from io import TextIOWrapper
from pathlib import Path

import duckdb
import pytest

from bench.drills import disk, growth, shared_disk
from core.errors import StoreUnavailable
from core.store.copies import backup_serving
from ingest.logs import Unfailing


def test_a_full_disk_refuses_in_words_loses_nothing_and_is_recovered_from() -> None:
    assert disk.full(runs=20).problems == ()


def test_a_full_disk_under_postgres_refuses_in_words_loses_nothing_and_is_recovered_from() -> None:
    assert shared_disk.full(runs=12).problems == ()


def test_a_disk_that_turns_read_only_refuses_in_words_loses_nothing_and_is_recovered_from() -> None:
    assert disk.read_only(runs=20).problems == ()


def test_rows_that_are_written_again_and_again_leave_no_dead_space() -> None:
    assert growth.grow(20_000).problems == ()


def test_a_backup_that_does_not_fit_leaves_nothing_behind(database: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    database.execute(
        "INSERT INTO deliveries SELECT 'a', i, 'e', NULL, now(), 'processed', NULL, hash(i) FROM range(50000) AS t(i)"
    )
    (tmp_path / "backups").mkdir()
    whole = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, whole[1]))
    try:
        with pytest.raises(StoreUnavailable, match="could not be made"):
            backup_serving(database, tmp_path / "backups")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, whole)
    assert list((tmp_path / "backups").iterdir()) == []
    assert database.execute("SELECT count(*) FROM deliveries").fetchone() == (50_000,)


def test_a_line_of_the_log_that_does_not_fit_fails_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with TextIOWrapper(Path("/dev/full").open("wb", buffering=0), write_through=True) as full:
        monkeypatch.setattr("sys.stderr", full)
        with pytest.raises(OSError):
            full.write("a line")
        print("a line", file=Unfailing(), flush=True)
        monkeypatch.undo()
