"""A PostgreSQL database from nothing to the newest schema, filled from a DuckDB file and written out again."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pytest

from core.errors import Conflict, DashboardError, StoreUnavailable
from core.store import migrations as duckdb_migrations
from core.store.postgres import migrations, transfer
from core.store.postgres.connection import PostgresCursor, connect
from core.store.postgres.migrations import migrate_postgres
from core.store.postgres.transfer import Part, copy_into, copy_out
from core.store.writer import Writer
from tests.builders import NOON, job_payload, run_payload
from tests.postgres.test_store import changes_of, delivery


@pytest.fixture
def empty(postgres_url: str) -> Iterator[PostgresCursor]:
    with connect(postgres_url, "test") as connection:
        yield PostgresCursor(connection)


def tables(cursor: PostgresCursor) -> list[str]:
    return [
        name
        for (name,) in cursor.run("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1").fetchall()
    ]


def applied(cursor: PostgresCursor) -> list[tuple[int, str]]:
    return cursor.run("SELECT version, name FROM schema_migrations ORDER BY version").fetchall()


def test_both_databases_have_the_same_migrations_and_this_one_some_of_its_own(
    empty: PostgresCursor, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    run = PostgresCursor.run

    def heard(self: PostgresCursor, query: str, parameters: Any = ()) -> PostgresCursor:
        asked.append(f"{query} {list(parameters)}")
        return run(self, query, parameters)

    monkeypatch.setattr(PostgresCursor, "run", heard)
    migrate_postgres(empty.connection, postgres_url)
    assert asked[0] == "SELECT pg_advisory_lock(%s) [7461001]"
    assert asked[-1] == "SELECT pg_advisory_unlock(%s) [7461001]"
    done = applied(empty)
    shared = [(number, name) for number, name, _ in duckdb_migrations.known_migrations()]
    assert [each for each in done if each in shared] == shared
    assert [name for each in done if each not in shared for name in each[1:]][:2] == ["indexes", "fewer_indexes"]
    assert {"workflow_runs", "settings", "schema_migrations"} <= set(tables(empty))
    asked.clear()
    migrate_postgres(empty.connection, postgres_url)
    assert not [each for each in asked if "CREATE TABLE" in each and "IF NOT EXISTS" not in each]
    assert applied(empty) == done
    monkeypatch.undo()
    locks = empty.run("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'").fetchone()
    assert locks == (0,)


def test_a_migration_that_fails_leaves_those_before_it_and_no_lock(
    empty: PostgresCursor, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = [(2, "two", "CREATE TABLE b (x INT); CREATE TABLE a (x INT)"), (1, "one", "CREATE TABLE a (x INT)")]
    monkeypatch.setattr(migrations, "_migrations", lambda: known)
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match=r'refused: relation "a" already exists$'):
            migrate_postgres(empty.connection, postgres_url)
        assert tables(empty) == ["a", "schema_migrations"]
        assert applied(empty) == [(1, "one")]
    assert empty.run("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'").fetchone() == (0,)
    known[0] = (2, "two", "CREATE TABLE b (x INT)")
    known.append((3, "three", "CREATE TABLE c (x INT)"))
    migrate_postgres(empty.connection, postgres_url)
    assert applied(empty) == [(1, "one"), (2, "two"), (3, "three")]
    known.pop()
    with pytest.raises(StoreUnavailable, match="schema version 3; this program knows versions up to 2"):
        migrate_postgres(empty.connection, postgres_url)


def test_a_database_of_another_program_is_left_alone(empty: PostgresCursor, postgres_url: str) -> None:
    empty.run("CREATE TABLE theirs (x INT)")
    with pytest.raises(StoreUnavailable) as refused:
        migrate_postgres(empty.connection, postgres_url)
    assert (refused.value.message, refused.value.hint) == (
        "The database holds tables of another program.",
        "Point DATABASE_URL at an empty one; this one was not touched.",
    )
    assert tables(empty) == ["theirs"]
    assert empty.run("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'").fetchone() == (0,)


def test_a_text_of_its_own_takes_the_place_of_the_shared_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = tmp_path / "sql" / "postgres" / "migrations"
    folder.mkdir(parents=True)
    (folder / "0002_two.sql").write_text("SELECT 'own'")
    (folder / "0003_three.sql").write_text("SELECT 3")
    (folder / "notes.txt").write_text("no migration")
    monkeypatch.setattr(migrations, "files", lambda _: tmp_path)
    monkeypatch.setattr(
        migrations, "known_migrations", lambda: [(1, "one", "CREATE TABLE a (x VARCHAR)"), (2, "two", "SELECT 2")]
    )
    assert sorted(migrations._migrations()) == [
        (1, "one", 'CREATE TABLE a (x TEXT COLLATE "C")'), (2, "two", "SELECT 'own'"), (3, "three", "SELECT 3"),
    ]  # fmt: skip


@pytest.fixture
def file(database: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Some rows of every kind that is hard to carry."""
    with closing(Writer(database)) as writer:
        for number in range(1, 6):
            told = changes_of("workflow_run", run_payload(run_id=number))
            writer.submit_delivery(delivery(number, told)).result()
        writer.submit_changes(changes_of("workflow_job", job_payload(run_id=1))).result()
    database.execute("UPDATE workflow_runs SET title = 'a' || chr(0) || ',\"b\"' || chr(10), actor = ''")
    database.execute("INSERT INTO settings VALUES ('a', 'of the file', now(), NULL)")
    database.execute(
        """INSERT INTO job_logs (job_id, attempt_id, fetched_at, status, size_bytes, is_cut, content)
        VALUES ('j', 'a', ?, 'kept', 1, TRUE, '\\x00\\xAB'::BLOB)""",
        [NOON],
    )
    return database


OTHER_STEP = "INSERT INTO steps (job_id, number, name, status, version) VALUES ('other', 1, 'x', 'success', '1')"
INDEXES = "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1"


def contents(connection: Any, text: str) -> dict[str, list[str]]:
    """Every table's rows; `text` says how a title is read."""
    found = {
        table: connection.execute(f"SELECT * FROM {table}").fetchall()
        for table in ("pipelines", "jobs", "steps", "deliveries", "settings", "job_logs")
    }
    found["runs"] = connection.execute(f"SELECT id, run_key, {text}, actor, started_at FROM workflow_runs").fetchall()
    return {table: sorted(map(str, rows)) for table, rows in found.items()}


def test_every_row_goes_over_in_parts_that_are_told_and_comes_back(
    cursor: PostgresCursor,
    file: duckdb.DuckDBPyConnection,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(transfer, "ROWS", 2)
    monkeypatch.setitem(transfer.FEW_ROWS, "deliveries", 3)
    cursor.run("INSERT INTO settings VALUES ('b', 'of the target', now(), NULL)")
    indexes = cursor.run(INDEXES).fetchall()
    told: list[Part] = []
    counts = copy_into(cursor, file, "one", told.append)
    expected = {"workflow_runs": 5, "jobs": 1, "deliveries": 5, "settings": 1, "job_logs": 1, "alerts": 0}
    assert {name: counts[name] for name in expected} == expected
    parts = {table: [(part.done, part.total) for part in told if part.table == table] for table in counts}
    assert parts["workflow_runs"] == [(0, 5), (2, 5), (4, 5), (5, 5)]
    assert parts["deliveries"] == [(0, 5), (3, 5), (5, 5)]
    assert parts["alerts"] == [(0, 0)]
    made = [(part.done, part.total) for part in told if part.table == "indexes"]
    assert made == [(number, len(made)) for number in range(len(made))]
    assert made
    assert told[-1].table == "indexes"
    assert list(counts) == sorted(counts)
    assert not {"schema_migrations", "import_progress", "import_indexes"} & counts.keys()
    assert cursor.run(INDEXES).fetchall() == indexes
    assert not {"import_progress", "import_indexes"} & set(tables(cursor))
    assert cursor.run("SELECT content FROM job_logs").fetchone() == (b"\x00\xab",)
    back = tmp_path / "back.duckdb"
    with closing(duckdb.connect(str(back))) as target:
        target.execute("SET TimeZone = 'UTC'")
        duckdb_migrations.migrate(target)
        told.clear()
        monkeypatch.setitem(transfer.FEW_ROWS, "workflow_runs", 4)
        assert copy_out(cursor.connection, target, told.append) == counts
        parts = {table: [(part.done, part.total) for part in told if part.table == table] for table in counts}
        assert parts["workflow_runs"] == [(0, 5), (4, 5), (5, 5)]
        assert parts["alerts"] == [(0, 0)]
        file.execute("SET TimeZone = 'UTC'")
        assert contents(target, "title") == contents(file, "replace(title, chr(0), chr(65533))")


class Cut(Exception):
    pass


def cut_off_at(table: str, done: int) -> Any:
    def told(part: Part) -> None:
        if (part.table, part.done) == (table, done):
            raise Cut

    return told


def test_a_copy_that_is_cut_off_goes_on_where_it_was_with_the_same_file_only(
    cursor: PostgresCursor,
    file: duckdb.DuckDBPyConnection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(transfer, "ROWS", 2)
    cursor.run("INSERT INTO settings VALUES ('b', 'of the target', now(), NULL)")
    told: list[Part] = []
    for place in (("alerts", 0), ("workflow_runs", 2), ("workflow_runs", 4), ("indexes", 2)):
        with pytest.raises(Cut):
            copy_into(cursor, file, "one", cut_off_at(*place))
    with pytest.raises(Conflict) as mixed:
        copy_into(cursor, file, "two", told.append)
    assert (mixed.value.message, mixed.value.hint) == (
        "The target holds a part of another file (one).",
        "Import that one, or start with an empty database.",
    )
    assert told == []
    assert cursor.connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
    assert copy_into(cursor, file, "one", told.append)["workflow_runs"] == 5
    assert cursor.run("SELECT count(*), count(DISTINCT id) FROM workflow_runs").fetchone() == (5, 5)
    begins = {part.table: part.done for part in reversed(told)}
    assert begins["workflow_runs"] == 5, "these were there already"


def test_a_target_that_holds_data_is_not_written_to(
    cursor: PostgresCursor,
    file: duckdb.DuckDBPyConnection,
) -> None:
    cursor.run(OTHER_STEP)
    cursor.run("INSERT INTO settings VALUES ('b', 'of the target', now(), NULL)")
    present = tables(cursor)
    with pytest.raises(Conflict) as refused:
        copy_into(cursor, file, "one", lambda _: None)
    assert (refused.value.message, refused.value.hint) == (
        "The target holds data already (steps).",
        "Import into an empty database.",
    )
    assert tables(cursor) == present
    assert cursor.run("SELECT key FROM settings").fetchall() == [("b",)]
    assert cursor.connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE


def test_rows_that_something_else_wrote_meanwhile_are_noticed(
    cursor: PostgresCursor,
    file: duckdb.DuckDBPyConnection,
    tmp_path: Path,
) -> None:
    def meddles(part: Part) -> None:
        if part.table == "steps" and part.done == part.total:
            cursor.run(OTHER_STEP)

    with pytest.raises(DashboardError) as told:
        copy_into(cursor, file, "one", meddles)
    assert (told.value.message, told.value.hint) == (
        "steps holds 2 rows after the copy, but 1 were in the file.",
        "Did something else write meanwhile? Empty the target and import again.",
    )
    cursor.run("DELETE FROM steps WHERE job_id = 'other'")
    with closing(duckdb.connect(str(tmp_path / "back.duckdb"))) as target:
        duckdb_migrations.migrate(target)
        target.execute(OTHER_STEP)
        with pytest.raises(DashboardError) as told:
            copy_out(cursor.connection, target, lambda _: None)
    assert told.value.message == "steps holds 2 rows after the copy, but 1 were read."


def test_a_part_that_the_target_refuses_leaves_the_parts_before_it(
    cursor: PostgresCursor,
    file: duckdb.DuckDBPyConnection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(transfer, "ROWS", 2)
    cursor.run("ALTER TABLE workflow_runs ADD CONSTRAINT few CHECK (run_id < '4')")
    with pytest.raises(psycopg.errors.CheckViolation):
        copy_into(cursor, file, "one", lambda _: None)
    assert cursor.connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
    assert cursor.run("SELECT count(*) FROM workflow_runs").fetchone() == (2,)
    cursor.run("ALTER TABLE workflow_runs DROP CONSTRAINT few")
    assert copy_into(cursor, file, "one", lambda _: None)["workflow_runs"] == 5
