"""Whole copies of a database: none is half, none overwrites anything."""

import re
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from core.errors import StoreUnavailable
from core.store import copies
from core.store.copies import backup_serving, backup_stopped, compact, restore
from core.store.duckdb_file import open_owned, open_read_only


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "it's" / 'the "one".duckdb'


def filled(path: Path, key: str = "a") -> duckdb.DuckDBPyConnection:
    connection = open_owned(path, memory_limit="1GB", threads=2)
    connection.execute("INSERT INTO settings VALUES (?, 'b', now(), NULL)", [key])
    return connection


def keys(path: Path) -> list[str]:
    with open_read_only(path) as connection:
        return [key for (key,) in connection.execute("SELECT key FROM settings ORDER BY 1").fetchall()]


@pytest.mark.usefixtures("in_tokyo")
def test_a_backup_of_an_open_database_is_one_whole_file_named_after_its_moment(path: Path) -> None:
    with closing(filled(path)) as connection:
        before = datetime.now(UTC)
        made = backup_serving(connection, path.parent)
        assert re.fullmatch(r"health-\d{8}T\d{12}Z\.duckdb", made.name)
        named = datetime.strptime(made.name, "health-%Y%m%dT%H%M%S%fZ.duckdb").replace(tzinfo=UTC)
        assert before <= named <= datetime.now(UTC)
        assert made.parent == path.parent
        assert not Path(f"{made}.wal").exists()
        assert keys(made) == ["a"]
        connection.execute("INSERT INTO settings VALUES ('later', 'b', now(), NULL)")
        second = backup_serving(connection, path.parent)
    assert (keys(made), keys(second)) == (["a"], ["a", "later"])


def test_a_backup_that_fails_leaves_nothing_and_the_database_goes_on(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half_made(cursor: duckdb.DuckDBPyConnection, name: str, target: Path) -> None:
        target.touch()
        Path(f"{target}.wal").touch()
        cursor.execute("SELECT error('No space left on device' || chr(10) || 'more' || chr(10))")

    with closing(filled(path)) as connection:
        present = sorted(path.parent.iterdir())
        with monkeypatch.context() as patched:
            patched.setattr(copies, "_copy_into", half_made)
            with pytest.raises(StoreUnavailable) as refused:
                backup_serving(connection, path.parent)
        assert refused.value.message == "The backup could not be made."
        assert refused.value.hint.endswith("No space left on device")
        assert sorted(path.parent.iterdir()) == present
        with pytest.raises(StoreUnavailable, match=r"could not be made\."):
            backup_serving(connection, path.parent / "absent")
        assert keys(backup_serving(connection, path.parent)) == ["a"]


def test_a_stopped_database_is_copied_only_to_a_new_place(path: Path) -> None:
    filled(path).close()
    target = path.with_name("copy.duckdb")
    backup_stopped(path, target)
    assert keys(target) == ["a"]
    assert not Path(f"{target}.wal").exists()
    content = target.read_bytes()
    with pytest.raises(StoreUnavailable) as refused:
        backup_stopped(path, target)
    assert (refused.value.message, refused.value.hint) == (
        f"{target} exists already.",
        "Name a new file; nothing was overwritten.",
    )
    assert target.read_bytes() == content
    filled(path, "c").close()
    assert keys(path) == ["a", "c"]


@pytest.mark.usefixtures("in_tokyo")
def test_a_restored_backup_stands_where_the_old_file_was_which_is_kept(path: Path) -> None:
    backup, database = path.with_name("backup.duckdb"), path.parent / "deep" / "down" / "health.duckdb"
    filled(backup, "kept").close()
    assert restore(backup, database) is None
    assert keys(database) == ["kept"]
    filled(database, "newer").close()
    before = datetime.now(UTC).replace(microsecond=0)
    aside = restore(backup, database)
    assert aside
    named = datetime.strptime(aside.name.rpartition("-")[2], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    assert before <= named <= datetime.now(UTC)
    assert re.fullmatch(r"health\.duckdb\.before-restore-\d{8}T\d{6}Z", aside.name)
    assert aside.parent == database.parent
    assert (keys(aside), keys(database), keys(backup)) == (["kept", "newer"], ["kept"], ["kept"])


def test_what_is_no_backup_replaces_nothing(path: Path) -> None:
    filled(path).close()
    absent, junk = path.with_name("absent"), path.with_name("junk")
    with pytest.raises(StoreUnavailable) as refused:
        restore(absent, path)
    assert str(refused.value) == f"There is no backup at {absent}."
    junk.write_bytes(b"junk" * 5000)
    with pytest.raises(StoreUnavailable, match="can't be read as a DuckDB database"):
        restore(junk, path)
    assert keys(path) == ["a"]


def test_dead_space_goes_and_every_row_stays(path: Path) -> None:
    with closing(filled(path)) as connection:
        connection.execute(
            "INSERT INTO settings SELECT 'k' || range, repeat(md5(range::VARCHAR), 30), now(), NULL FROM range(20000)"
        )
        connection.execute("CHECKPOINT")
        connection.execute("DELETE FROM settings WHERE key LIKE 'k%'")
    left_over = path.with_suffix(".compact")
    left_over.write_bytes(b"of an attempt that was killed")
    size = path.stat().st_size
    assert compact(path) == (size, path.stat().st_size)
    assert path.stat().st_size < size
    assert keys(path) == ["a"]
    assert not left_over.exists()


def test_a_database_that_is_not_there_yet_is_empty_before(path: Path) -> None:
    assert compact(path) == (0, path.stat().st_size)
