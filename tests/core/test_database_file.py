"""The DuckDB file: how it is opened, brought to the newest schema, read beside its owner and closed."""

import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import duckdb
import pytest
import structlog

from core.errors import StoreUnavailable
from core.settings import load_settings
from core.store.database import OwnedFile, SharedPostgres, open_database, opened
from core.store.duckdb_file import INDEXED_KEYS, StoreLocked, open_owned, open_read_only
from core.store.migrations import check_not_newer, known_migrations, migrate, schema_version
from core.store.writer import Writer

NEWEST = known_migrations()[-1][0]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a'b" / "c" / "health.duckdb"


def opens(path: Path, wait_seconds: float = 0) -> duckdb.DuckDBPyConnection:
    return open_owned(path, memory_limit="300MB", threads=1, wait_seconds=wait_seconds)


def value(connection: duckdb.DuckDBPyConnection, setting: str) -> str:
    row = connection.execute(f"SELECT current_setting('{setting}')").fetchone()
    assert row
    return str(row[0])


def refused(error: StoreUnavailable) -> tuple[str, str]:
    return error.message, error.hint


def test_migrations_are_applied_once_in_order_and_noted(database: duckdb.DuckDBPyConnection) -> None:
    known = known_migrations()
    assert [number for number, _, _ in known] == sorted({number for number, _, _ in known})
    assert known[0][:2] == (1, "initial")
    assert "CREATE TABLE" in known[0][2]
    noted = database.execute("SELECT version, name FROM schema_migrations ORDER BY version").fetchall()
    assert noted == [(number, name) for number, name, _ in known]
    assert schema_version(database) == migrate(database) == NEWEST
    assert database.execute("SELECT count(*) FROM schema_migrations").fetchone() == (len(known),)


def test_only_what_is_missing_is_applied_and_one_that_fails_leaves_those_before_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known = [(1, "one", "CREATE TABLE a (x INT)")]
    monkeypatch.setattr("core.store.migrations.known_migrations", lambda: known)
    with closing(duckdb.connect()) as connection:
        assert schema_version(connection) == 0
        assert migrate(connection) == 1
        known.append((2, "two", "CREATE TABLE b (x INT); CREATE TABLE a (x INT)"))
        with pytest.raises(duckdb.CatalogException):
            migrate(connection)
        connection.execute("ROLLBACK")
        assert schema_version(connection) == 1
        known[1] = (2, "two", "CREATE TABLE b (x INT)")
        assert migrate(connection) == 2
        tables = connection.execute("SELECT table_name FROM duckdb_tables() ORDER BY 1").fetchall()
        assert tables == [("a",), ("b",), ("schema_migrations",)]
        connection.execute("DELETE FROM schema_migrations")
        assert schema_version(connection) == 0


def test_a_newer_schema_and_a_foreign_one_are_refused() -> None:
    check_not_newer(NEWEST)
    check_not_newer(3, 3)
    with pytest.raises(StoreUnavailable) as newer:
        check_not_newer(4, 3)
    assert refused(newer.value) == (
        "The database has schema version 4; this program knows versions up to 3.",
        "Start the newer program again, or restore a backup; nothing was touched.",
    )
    with pytest.raises(StoreUnavailable):
        check_not_newer(NEWEST + 1)
    with closing(duckdb.connect()) as connection:
        connection.execute("CREATE TABLE theirs (x INT)")
        with pytest.raises(StoreUnavailable) as foreign:
            migrate(connection)
    assert refused(foreign.value) == (
        "The database holds tables of another program.",
        "Point DATABASE_URL at a new file; this one was not touched.",
    )


def test_a_file_is_made_with_its_folders_its_limits_and_the_newest_schema(path: Path) -> None:
    with closing(opens(path)) as connection:
        assert schema_version(connection) == NEWEST
        assert value(connection, "memory_limit") == "286.1 MiB"
        assert value(connection, "threads") == "1"
        assert value(connection, "TimeZone") == "UTC"
        assert value(connection, "checkpoint_threshold") == "122.0 MiB"
        assert value(connection, "dynamic_or_filter_threshold") == str(INDEXED_KEYS)
    with closing(opens(path)) as connection:
        assert schema_version(connection) == NEWEST


def test_a_file_that_is_newer_foreign_or_no_database_is_refused_and_let_go(path: Path) -> None:
    with closing(opens(path)) as connection:
        connection.execute("INSERT INTO schema_migrations VALUES (?, 'later', now())", [NEWEST + 1])
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match=f"schema version {NEWEST + 1}"):
            opens(path)
        with pytest.raises(StoreUnavailable, match=f"schema version {NEWEST + 1}"), open_read_only(path):
            pass
    path.unlink()
    with closing(duckdb.connect(str(path))) as theirs:
        theirs.execute("CREATE TABLE theirs (x INT)")
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match="another program"):
            opens(path)
    path.write_bytes(b"no database at all")
    with pytest.raises(StoreUnavailable) as unreadable:
        opens(path)
    assert unreadable.value.message == f"{path} can't be read as a DuckDB database."
    assert "\n" not in unreadable.value.hint
    assert "not a valid DuckDB database file" in unreadable.value.hint


def test_a_limit_that_duckdb_does_not_understand_is_told_in_its_first_line(path: Path) -> None:
    with pytest.raises(StoreUnavailable) as told:
        open_owned(path, memory_limit="much", threads=1)
    assert told.value.message == f"{path} can't be opened."
    assert "memory" in told.value.hint.lower()
    assert "\n" not in told.value.hint


def test_a_place_that_cannot_hold_a_file_is_told_before_duckdb_meets_it(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable) as folder:
        opens(tmp_path)
    assert refused(folder.value) == (
        f"{tmp_path} is a folder.",
        "DATABASE_URL must name a file: duckdb:///data/health.duckdb",
    )
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnavailable) as below:
        opens(tmp_path / "file" / "deep" / "health.duckdb")
    assert below.value.message == f"The folder {tmp_path}/file/deep can't be made: Not a directory."


def test_a_place_without_permission_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may write everywhere, so the system's answer is set."""
    asked = []

    def nobody_may(place: Path, mode: int) -> bool:
        asked.append((place, mode))
        return False

    monkeypatch.setattr("core.store.duckdb_file.os.access", nobody_may)
    present = tmp_path / "present.duckdb"
    present.touch()
    for path, place in ((present, present), (tmp_path / "new.duckdb", tmp_path)):
        with pytest.raises(StoreUnavailable) as told:
            opens(path)
        assert refused(told.value) == (
            f"No permission to write {place}.",
            "Change its owner or point DATABASE_URL elsewhere.",
        )
    assert asked == [(present, 2), (tmp_path, 2)]


LOCKED = """
import duckdb, sys
held = duckdb.connect(sys.argv[1])
print("held", flush=True)
sys.stdin.read()
"""


def test_a_file_that_another_process_holds_is_refused_and_waited_for(path: Path) -> None:
    opens(path).close()
    with subprocess.Popen(
        [sys.executable, "-c", LOCKED, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdin
        assert other.stdout
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(StoreLocked) as locked:
            opens(path)
        assert refused(locked.value) == (
            f"Another process has {path} open.",
            "Only one ingest service may own a database: stop the other one.",
        )
        with pytest.raises(StoreLocked), open_read_only(path):
            pass
        lets_go = threading.Timer(0.3, other.stdin.close)
        lets_go.start()
        opens(path, wait_seconds=30).close()
        lets_go.join()


def test_reading_beside_nobody_changes_nothing_and_reaches_no_other_file(path: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable) as none, open_read_only(path):
        pass
    assert refused(none.value) == ("There is no database yet.", "Start the ingest service once: make run")
    opens(path).close()
    (tmp_path / "a.csv").write_text("x\n1\n")
    with open_read_only(path) as connection:
        assert value(connection, "threads") == "2"
        assert value(connection, "memory_limit") == "953.6 MiB"
        with pytest.raises(duckdb.InvalidInputException, match="read-only"):
            connection.execute("DELETE FROM settings")
        with pytest.raises(duckdb.PermissionException):
            connection.execute(f"SELECT * FROM '{tmp_path}/a.csv'")
    with pytest.raises(duckdb.ConnectionException):
        connection.execute("SELECT 1")
    with pytest.raises(ZeroDivisionError), open_read_only(path) as connection:
        raise ZeroDivisionError
    opens(path).close()


def test_of_other_files_only_those_of_the_archive_are_read_beside_nobody(path: Path, tmp_path: Path) -> None:
    opens(path).close()
    for folder in ("archive", "other"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.csv").write_text("x\n1\n")
    with open_read_only(path, tmp_path / "archive") as connection:
        assert connection.execute(f"SELECT x FROM '{tmp_path}/archive/a.csv'").fetchall() == [(1,)]
        with pytest.raises(duckdb.PermissionException):
            connection.execute(f"SELECT * FROM '{tmp_path}/other/a.csv'")


def test_the_database_of_a_service_is_the_file_that_its_settings_name(path: Path) -> None:
    settings = load_settings(database_url=f"duckdb:///{path}", duckdb_memory_limit="300MB", duckdb_threads=1)
    with opened(settings) as database:
        assert isinstance(database, OwnedFile)
        assert database.place == str(path)
        assert value(database.connection, "memory_limit") == "286.1 MiB"
        assert value(database.connection, "threads") == "1"
        assert int(database.reader.frame("freshness")["runs"].iloc[0]) == 0
        writer = Writer(database.session())
        writer.transact(lambda cursor: cursor.execute("INSERT INTO settings VALUES ('a', 'b', now(), NULL)")).result()
        writer.close()
        wal = Path(f"{path}.wal")
        assert wal.stat().st_size > 0
        assert database.size_bytes() == path.stat().st_size + wal.stat().st_size
    assert not wal.exists()
    with pytest.raises(duckdb.ConnectionException):
        database.connection.execute("SELECT 1")
    with pytest.raises(ZeroDivisionError), opened(settings):
        raise ZeroDivisionError
    database = open_database(settings, wait_seconds=0)
    assert isinstance(database, OwnedFile)
    database.connection.execute("CHECKPOINT")
    assert database.size_bytes() == path.stat().st_size
    database.connection.execute("BEGIN").execute("INSERT INTO settings VALUES ('c', 'd', now(), NULL)")
    with structlog.testing.capture_logs() as logged:
        database.close()
    assert [(line["event"], line["log_level"]) for line in logged] == [
        ("no checkpoint on stop; the write-ahead log keeps the data", "warning")
    ]
    assert "transaction local changes" in logged[0]["reason"]
    assert "\n" not in logged[0]["reason"]


def test_an_address_of_postgres_is_no_file() -> None:
    settings = load_settings(database_url="postgresql://nobody:secret@127.0.0.1:1/health")
    with pytest.raises(StoreUnavailable, match=r"^The database at postgresql://127\.0\.0\.1:1/health refused"):
        SharedPostgres(settings)
    with pytest.raises(StoreUnavailable, match=r"127\.0\.0\.1:1"):
        open_database(settings)
