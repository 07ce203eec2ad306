"""The store's parts on PostgreSQL, each alone: connections, the writer's session, rows, frames, readers, questions."""

import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import duckdb
import orjson
import psycopg
import pyarrow as pa
import pytest
from psycopg import errors

from core.errors import BadRequest, StoreUnavailable
from core.model import Changes, Delivery, Step, WorkflowRun
from core.store.cursor import ask as ask_named
from core.store.postgres import asking
from core.store.postgres import connection as connections
from core.store.postgres import session as sessions
from core.store.postgres.connection import PostgresCursor, connect, place_of, storable
from core.store.postgres.frames import frame_of, schema_of, table_of
from core.store.postgres.reader import PostgresReader
from core.store.postgres.rows import PostgresRows
from core.store.postgres.session import FINISHED, PostgresSession
from ingest.providers.github.parse import parse
from tests.builders import NOON, job_payload, run_payload
from tests.core.test_queries import EVERY


@pytest.fixture
def reader(url: str) -> Iterator[PostgresReader]:
    reader = PostgresReader(url, size=2)
    yield reader
    reader.close()


def setting(connection: "psycopg.Connection[Any]", name: str) -> str:
    row = connection.execute("SELECT current_setting(%s)", [name]).fetchone()
    assert row
    return str(row[0])


def test_a_named_query_is_asked_in_the_words_of_its_database(
    cursor: PostgresCursor, database: duckdb.DuckDBPyConnection
) -> None:
    asked = {"pipeline_ids": ("p1", "p2"), "now": NOON}  # in the words of one database alone, the other fails
    for place in (cursor, database):
        assert ask_named(place, "pipeline_health", asked).fetchall() == []
        assert ask_named(place, "attempt_excerpt", {"attempt_id": "a"}).fetchone() is None


def test_an_address_is_told_without_who_and_how() -> None:
    for address in ("postgresql://me:secret@host:1/db", "postgresql+asyncpg://me:se@cret@host:1/db?ssl=require"):
        assert place_of(address) == "postgresql://host:1/db"
    assert place_of("postgresql://host/db#x") == "postgresql://host/db"


def test_a_refusal_is_told_in_one_line_without_the_password() -> None:
    with pytest.raises(StoreUnavailable) as refused:
        connect("postgresql+psycopg://me:secret@127.0.0.1:1/db?ssl=disable", "test")
    assert refused.value.message.startswith("The database at postgresql://127.0.0.1:1/db refused: connection failed")
    assert "\n" not in refused.value.message
    assert "secret" not in str(refused.value)
    with pytest.raises(StoreUnavailable, match='invalid sslmode value: "nonsense"'):
        connect("postgresql://127.0.0.1:1/db?a=b&ssl=nonsense".replace("a=b", "application_name=b"), "test")


def test_a_connection_is_set_up_for_the_service(url: str) -> None:
    with connect(f"{url}?options=-c%20work_mem%3D7MB", "one", idle_seconds=7) as connection:
        named = ("application_name", "TimeZone", "jit", "idle_session_timeout", "default_transaction_read_only")
        assert [setting(connection, name) for name in named] == ["cicd-health one", "UTC", "off", "7s", "off"]
        named = ("work_mem", "statement_timeout", "idle_in_transaction_session_timeout", "tcp_keepalives_idle")
        assert [setting(connection, name) for name in named] == ["7MB", "0", "30s", "5"]
        assert connection.autocommit
        parameters = connection.info.get_parameters()
        assert {name: parameters[name] for name in ("connect_timeout", "keepalives_idle", "tcp_user_timeout")} == {
            "connect_timeout": "10", "keepalives_idle": "5", "tcp_user_timeout": "15000",
        }  # fmt: skip
        assert (parameters["keepalives_interval"], parameters["keepalives_count"]) == ("5", "2")
    with connect(url, "two", read_only=True) as connection:
        named = ("default_transaction_read_only", "statement_timeout", "idle_session_timeout")
        assert [setting(connection, name) for name in named] == ["on", "1min", "0"]
        with pytest.raises(errors.ReadOnlySqlTransaction):
            connection.execute("DELETE FROM settings")


def test_a_pool_lends_read_only_connections_up_to_its_size(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "BORROW_SECONDS", 0.1)
    with connections.pool(url, "pool", 1) as pool:
        assert (pool.min_size, pool.max_size, pool.max_idle, pool.timeout, pool.name) == (0, 1, 300, 0.1, "pool")
        with connections.borrowed(pool, url) as connection:
            assert setting(connection, "default_transaction_read_only") == "on"
            assert setting(connection, "application_name") == "cicd-health pool"
            assert connection.autocommit
            assert connection.prepare_threshold is None
            with pytest.raises(StoreUnavailable) as busy, connections.borrowed(pool, url):
                pass
        assert (busy.value.message, busy.value.hint) == (
            "All 1 connections to the database were busy for 0.1 s.",
            "Raise DATABASE_POOL_SIZE, or start more replicas.",
        )
        wrong = pytest.raises(StoreUnavailable, match=r"refused: relation \"nothing\" does not exist$")
        with wrong, connections.borrowed(pool, url) as connection:
            connection.execute("SELECT 1 FROM nothing")
        with connections.borrowed(pool, url) as connection:
            (process,) = connection.execute("SELECT pg_backend_pid()").fetchone() or ()
        with connect(url, "ends") as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", [process])
        with connections.borrowed(pool, url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,), "checked before it is lent"


def test_a_pool_of_a_server_that_is_away_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "BORROW_SECONDS", 0.1)
    address = "postgresql://127.0.0.1:1/db"
    told = pytest.raises(StoreUnavailable, match=r"127\.0\.0\.1:1/db refused: connection failed")
    with connections.pool(address, "pool", 1) as pool, told, connections.borrowed(pool, address):
        pass


def test_a_cursor_takes_duckdbs_words_and_answers_as_duckdb_does(cursor: PostgresCursor) -> None:
    assert cursor.dialect == "postgres"
    assert cursor.execute("SELECT '%' || ? || '%%', list_contains(?, 'b')", ["a", ["b"]]).fetchone() == ("%a%%", True)
    assert cursor.execute("SELECT '100 %'").fetchall() == [("100 %",)]
    assert [column.name for column in cursor.description] == ["?column?"]
    assert cursor.run("SELECT '%', 7").fetchall() == [("%", 7)]
    assert cursor.run("SELECT %s || '%%'", ["a\0b"]).fetchone() == ("a\ufffdb%",)
    put = "INSERT INTO settings VALUES (?, ?, now(), NULL)"
    assert cursor.execute(put, ["a", "1\0"]).fetchone() == (1,)
    assert cursor.description is None
    assert cursor.executemany(put, [["b", "2\0"], ["c", "3"]]) is None  # type: ignore[func-returns-value]
    assert cursor.execute("SELECT value FROM settings ORDER BY key").fetchall() == [("1\ufffd",), ("2\ufffd",), ("3",)]
    assert cursor.execute("DELETE FROM settings").fetchall() == [(3,)]
    cursor.close()
    with pytest.raises(psycopg.InterfaceError):
        cursor.run("SELECT 1")
    assert [storable(value) for value in ("a\0", "b", 1, None)] == ["a\ufffd", "b", 1, None]


def step(number: int = 1, version: str = "1", job_id: str = "job") -> Step:
    return Step(job_id, number, "Build", "success", version, NOON, NOON, version)


def delivery(number: int, changes: Changes, result: str = "processed") -> Delivery:
    return Delivery("github-actions", str(number), "x", None, NOON, result, None, "{}", changes)  # type: ignore[arg-type]


def changes_of(event: str, payload: dict[str, Any]) -> Changes:
    changes = parse(event, payload)
    assert changes
    return changes


def finished_run(number: int, name: str | None = None) -> WorkflowRun:
    [run] = changes_of("workflow_run", run_payload(run_id=number)).runs
    return replace(run, pipeline_id=name or f"pipeline-{number}")


def test_rows_are_stored_as_they_are_and_the_largest_version_stays(cursor: PostgresCursor) -> None:
    rows = PostgresRows(cursor)
    told = changes_of("workflow_run", run_payload(run_id=1, attempt=2))
    [written] = rows.write([told, changes_of("workflow_job", job_payload(run_id=1)), Changes(steps=(step(2), step(1)))])
    assert (written.run_id, written.run_attempt) == ("1", 2)
    rows.write([Changes(steps=(step(1, "3"), step(2, "0"), step(1, "2")))])
    rows.forget()
    stored = cursor.run("SELECT number, version, started_at FROM steps WHERE job_id = 'job' ORDER BY 1").fetchall()
    assert stored == [(1, "3", NOON), (2, "1", NOON)]
    [run] = told.runs
    names = [name for name in run.__dataclass_fields__ if name not in ("finished_at",)]
    [kept] = cursor.run(f"SELECT {', '.join(names)} FROM workflow_runs").fetchall()
    assert dict(zip(names, kept, strict=True)) == {name: getattr(run, name) for name in names}
    assert cursor.run("SELECT count(*) FROM jobs").fetchone() == (1,)


def test_only_the_last_attempt_is_the_latest_and_a_new_name_reaches_all_pipelines(cursor: PostgresCursor) -> None:
    rows = PostgresRows(cursor)
    for attempt in (2, 1, 3):
        rows.write([changes_of("workflow_run", run_payload(run_id=1, attempt=attempt))])
    latest = cursor.run("SELECT run_attempt, is_latest FROM workflow_runs ORDER BY 1").fetchall()
    assert latest == [(1, False), (2, False), (3, True)]
    [pipeline] = changes_of("workflow_run", run_payload()).pipelines
    renamed = replace(pipeline, id="another", workflow_id="another", repository="acme/new", version="9")
    rows.write([Changes(pipelines=(renamed,))])
    assert cursor.run("SELECT DISTINCT repository FROM pipelines").fetchall() == [("acme/new",)]


def test_a_delivery_is_kept_once_and_one_that_failed_may_come_again(cursor: PostgresCursor) -> None:
    rows = PostgresRows(cursor)
    failed = delivery(2, Changes(), "failed")
    assert rows.keep([]) == set()
    assert rows.keep([delivery(1, Changes()), failed]) == {("github-actions", "1"), ("github-actions", "2")}
    assert rows.keep([delivery(1, Changes()), failed, delivery(3, Changes())]) == {
        ("github-actions", "2"), ("github-actions", "3"),
    }  # fmt: skip


def test_what_counts_from_all_rows_is_locked_until_the_commit_in_one_order(cursor: PostgresCursor, url: str) -> None:
    told = changes_of("workflow_run", run_payload(run_id=1))
    locks = """SELECT (classid::bigint << 32) | objid::bigint FROM pg_locks
        WHERE locktype = 'advisory' AND granted AND pid = pg_backend_pid()"""
    taken = []
    for _ in range(2):
        cursor.run("BEGIN")
        PostgresRows(cursor).write([told])
        taken.append({key for (key,) in cursor.run(locks).fetchall()})
        cursor.run("COMMIT")
    # Replicas of two versions must lock the same.
    assert taken[0] == taken[1] == {7_461_100_456, 7_461_100_634}
    cursor.run("BEGIN")
    PostgresRows(cursor).write([Changes(steps=(step(),))])
    assert cursor.run(locks).fetchall() == []
    cursor.run("COMMIT")


@pytest.fixture
def session(url: str) -> Iterator[PostgresSession]:
    session = PostgresSession(url)
    yield session
    session.close()


def test_a_change_runs_as_if_it_were_alone_and_a_batch_does_not(session: PostgresSession) -> None:
    levels = []
    for alone in (True, False):
        session.begin(alone=alone)
        levels.append(session.cursor.run("SHOW transaction_isolation").fetchone())
        session.roll_back()
    assert levels == [("serializable",), ("read committed",)]
    assert session.cursor.run("SELECT current_setting('application_name')").fetchone() == ("cicd-health writer",)


def test_whoever_wants_hears_of_commits_that_changed_something(url: str) -> None:
    heard: list[int] = []
    with closing(PostgresSession(url, lambda: heard.append(1))) as session:
        for alone, statement, changes in (
            (True, "SELECT 1", False),
            (True, "INSERT INTO settings VALUES ('a', 'b', now(), NULL)", True),
            (False, "SELECT 1", True),
        ):
            heard.clear()
            session.begin(alone=alone)
            session.cursor.run(statement)
            assert heard == []
            session.commit()
            assert bool(heard) is changes
        session.begin(alone=True)
        session.prove("x" * 100)
        session.commit()
        assert len(heard) == 1, "what is written to find out changes nothing"
        session.begin(alone=True)
        session.cursor.run("DELETE FROM settings")
        session.commit()
        assert len(heard) == 2
    with closing(PostgresSession(url)) as silent:
        silent.begin(alone=True)
        silent.commit()


def test_a_lost_connection_is_made_anew_for_the_next_transaction(session: PostgresSession, url: str) -> None:
    (process,) = session.cursor.run("SELECT pg_backend_pid()").fetchone()
    session.begin(alone=False)
    with connect(url, "ends") as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [process])
    with pytest.raises(psycopg.OperationalError):
        session.cursor.run("SELECT 1")
    session.roll_back()
    session.begin(alone=False)
    session.rows.write([Changes(steps=(step(),))])
    session.commit()
    assert session.cursor.run("SELECT count(*), current_setting('application_name') FROM steps").fetchone() == (
        1, "cicd-health writer",
    )  # fmt: skip
    session.close()
    assert session._connection.closed


def test_finished_runs_are_announced_with_the_commit_some_pipelines_at_a_time(
    session: PostgresSession, url: str
) -> None:
    with connect(url, "hears") as listener:
        listener.execute(f"LISTEN {FINISHED}")
        session.begin(alone=False)
        session.announce([])
        session.announce([finished_run(number) for number in range(21)])
        session.announce([finished_run(1, "x" * 7000), finished_run(2, "y" * 7000)])
        session.announce([finished_run(1, "x" * 7000)])
        session.commit()
        notes = [(note.channel, orjson.loads(note.payload)) for note in listener.notifies(timeout=5, stop_after=4)]
    moment = finished_run(0).finished_at
    assert moment
    at = moment.isoformat()
    assert {channel for channel, _ in notes} == {"cicd_finished"}
    assert [note for _, note in notes] == [
        {f"pipeline-{number}": at for number in range(20)}, {"pipeline-20": at}, {}, {"x" * 7000: at},
    ]  # fmt: skip


def test_a_message_just_too_long_says_look_at_everything() -> None:
    around = len(orjson.dumps({"": NOON}))
    assert sessions._message([("x" * (7899 - around), NOON)]) != "{}"
    assert sessions._message([("x" * (7900 - around), NOON)]) == "{}"


def test_what_collided_is_repeated_after_a_growing_wait(
    session: PostgresSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(sessions.time, "sleep", waits.append)
    monkeypatch.setattr(sessions.random, "uniform", lambda least, most: (least, most))
    for error in (errors.DeadlockDetected(), errors.SerializationFailure()):
        for alone in (True, False):
            assert [session.may_repeat(error, tries, alone=alone) for tries in (1, 5, 6, 19, 20)] == [True] * 4 + [
                False
            ]
    assert waits[:5] == [(0, 0.02), (0, 0.32), (0, 0.32), (0, 0.32), (0, 0.32)]


def test_only_a_batch_waits_for_a_server_that_is_away(
    session: PostgresSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(sessions.time, "sleep", waits.append)
    gone = (psycopg.OperationalError("gone"), StoreUnavailable("gone"))
    assert not any(session.may_repeat(error, 1, alone=False) for error in gone), "the connection stands"
    session.close()
    for error in gone:
        assert [session.may_repeat(error, tries, alone=False) for tries in (1, 9, 10)] == [True, True, False]
        assert not session.may_repeat(error, 1, alone=True)
    assert waits == [0.5] * 4
    assert not session.may_repeat(errors.UniqueViolation(), 1, alone=False)


def test_the_servers_words_are_told_in_a_sentence_and_our_own_stay(session: PostgresSession) -> None:
    own = ValueError("own")
    assert session.in_a_sentence(own) is own
    told = session.in_a_sentence(psycopg.Error("no\nmore"))
    assert isinstance(told, StoreUnavailable)
    assert told.message.endswith(" refused: no")
    assert told.message.startswith("The database at postgresql://127.0.0.1:")


def test_finding_out_whether_anything_can_be_written_leaves_nothing(session: PostgresSession) -> None:
    session.begin(alone=True)
    session.prove("x" * 100)
    assert session.cursor.run("SELECT count(*) FROM settings").fetchone() == (0,)
    assert session.cursor.run("SELECT pg_current_xact_id_if_assigned() IS NOT NULL").fetchone() == (True,)
    session.commit()


TYPES = """SELECT TRUE AS a, '\\x01'::bytea AS b, 1::bigint AS c, 2::smallint AS d, 3::int AS e, 't'::text AS f,
    1.5::real AS g, 2.5::float8 AS h, 'v'::varchar AS i, DATE '2026-03-02' AS j, TIMESTAMP '2026-03-02 12:00' AS k,
    TIMESTAMPTZ '2026-03-02 12:00+00' AS l, ARRAY['x'] AS m, ARRAY[1::bigint] AS n,
    ARRAY[TIMESTAMPTZ '2026-03-02 12:00+00'] AS o, 1.25::numeric AS p
UNION ALL SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL"""


def test_rows_become_tables_with_the_types_that_duckdb_gives(cursor: PostgresCursor) -> None:
    found = cursor.connection.execute(TYPES, binary=True)
    table = table_of(found.description or [], found.fetchall())
    assert table.schema == schema_of(found.description or [])
    moment = pa.timestamp("us", tz="UTC")
    assert [field.type for field in table.schema] == [
        pa.bool_(), pa.binary(), pa.int64(), pa.int16(), pa.int32(), pa.string(), pa.float32(), pa.float64(),
        pa.string(), pa.date32(), pa.timestamp("us"), moment, pa.list_(pa.string()), pa.list_(pa.int64()),
        pa.list_(moment), pa.float64(),
    ]  # fmt: skip
    first, second = table.to_pylist()
    assert list(first.values()) == [
        True, b"\x01", 1, 2, 3, "t", 1.5, 2.5, "v", date(2026, 3, 2), datetime(2026, 3, 2, 12),  # noqa: DTZ001
        NOON, ["x"], [1], [NOON], 1.25,
    ]  # fmt: skip
    assert set(second.values()) == {None}
    with pytest.raises(KeyError):
        schema_of(cursor.connection.execute("SELECT '{}'::json").description or [])


def test_a_frame_is_as_duckdb_would_give_it_in_any_thread(cursor: PostgresCursor) -> None:
    table = pa.table({"at": pa.array([NOON], pa.timestamp("us", tz="UTC")), "n": pa.array([1], pa.int32())})
    frames = [frame_of(table)]
    frames += [frame_of(pa.table({"n": pa.array([None, 2], pa.int32())}))]
    thread = threading.Thread(target=lambda: frames.append(frame_of(table)))
    thread.start()
    thread.join()
    assert str(frames[0]["at"].iloc[0]) == "2026-03-02 12:00:00+00:00"
    assert frames[0].equals(frames[2])
    assert [str(kind) for kind in frames[0].dtypes] == ["datetime64[us, UTC]", "int32"]
    assert frames[1]["n"].isna().tolist() == [True, False]


def test_a_query_is_answered_as_a_frame_or_in_parts_and_can_change_nothing(
    reader: PostgresReader, cursor: PostgresCursor
) -> None:
    assert reader.source == "live"
    PostgresRows(cursor).write([changes_of("workflow_run", run_payload(run_id=number)) for number in range(1, 6)])
    assert int(reader.frame("run_count", **EVERY)["total"].iloc[0]) == 5
    assert int(reader.frame("run_count", **EVERY | {"branch": "a\0b"})["total"].iloc[0]) == 0
    wanted = EVERY | {"limit": 100, "pipeline_id": None}
    parts = list(reader.batches("run_page", 2, **wanted))
    assert [part.num_rows for part in parts] == [0, 2, 2, 1]
    assert {part.schema for part in parts[1:]} == {parts[0].schema}
    whole = reader.frame("run_page", **wanted)
    assert [row for part in parts for row in part["run_id"].to_pylist()] == whole["run_id"].tolist()
    assert [part.num_rows for part in reader.batches("run_page", 2, **wanted | {"branch": "no"})] == [0]
    with reader.connection() as connection:
        assert setting(connection, "application_name") == "cicd-health reader"
        with pytest.raises(errors.ReadOnlySqlTransaction):
            connection.execute("DELETE FROM workflow_runs")
    reader.close()
    with pytest.raises(Exception, match="closed"), reader.connection():
        pass


def test_a_reader_has_its_size_and_name(url: str) -> None:
    with closing(PostgresReader(url, size=3, name="ingest")) as reader:
        assert (reader._pool.max_size, reader._pool.name) == (3, "ingest")


def ask(reader: PostgresReader, query: str, limit: int = 10, seconds: float = 5) -> asking.Answer:
    return asking.ask(reader, query, limit=limit, seconds=seconds)


def test_an_answer_has_duckdbs_names_of_types_and_the_first_rows(reader: PostgresReader) -> None:
    answer = ask(reader, "SELECT 1 AS n, 'x' AS t, TRUE AS b, 1.5::DECIMAL AS d, INTERVAL 90 SECOND AS i, [1, 2] AS l")
    assert answer == asking.Answer(
        ["n", "t", "b", "d", "i", "l"], ["INTEGER", "VARCHAR", "BOOLEAN", "DECIMAL", "INTERVAL", "VARCHAR"],
        [[1, "x", True, 1.5, 90.0, "{1,2}"]], False,
    )  # fmt: skip
    cut = ask(reader, "FROM range(3)", limit=2)
    assert (cut.rows, cut.is_cut) == ([[0], [1]], True)
    whole = ask(reader, "FROM range(2)", limit=2)
    assert (whole.rows, whole.is_cut) == ([[0], [1]], False)
    [[short], [long]] = ask(reader, f"SELECT '{'x' * 2000}' UNION ALL SELECT '{'y' * 2001}' ORDER BY 1").rows
    assert (short, long) == ("x" * 2000, "y" * 2000 + " …")


def test_a_question_runs_within_its_bounds_and_leaves_the_connection_as_it_was(reader: PostgresReader) -> None:
    endless = "SELECT count(*) FROM range(100000) AS a, range(100000) AS b, range(1000) AS c"
    with pytest.raises(BadRequest) as stopped:
        ask(reader, endless, seconds=0.05)
    assert (stopped.value.message, stopped.value.hint) == (
        "The query was stopped after 0.05 s.",
        "Ask for less time, or count before you list.",
    )
    with pytest.raises(BadRequest, match=r"^The query was stopped after 0 s\."):
        ask(reader, endless, seconds=0)
    with pytest.raises(BadRequest) as wrong:
        ask(reader, "SELECT statsu FROM runs")
    assert wrong.value.message.startswith('column "statsu" does not exist\n')
    assert wrong.value.message == wrong.value.message.strip()
    with reader.connection() as connection:
        named = ("statement_timeout", "max_parallel_workers_per_gather")
        assert [setting(connection, name) for name in named] == ["1min", "2"]


def test_a_question_is_bounded_by_the_server_itself(reader: PostgresReader, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []

    def look(connection: "psycopg.Connection[Any]", *_: Any) -> asking.Answer:
        names = (
            "statement_timeout", "standard_conforming_strings", "max_parallel_workers_per_gather",
            "transaction_read_only",
        )  # fmt: skip
        seen.append([setting(connection, name) for name in names])
        return asking.Answer([], [], [], False)

    monkeypatch.setattr(asking, "_answer", look)
    ask(reader, "SELECT 1", seconds=1.25)
    assert seen == [["1250ms", "on", "0", "on"]]


def test_a_server_that_is_gone_is_no_mistake_of_the_question(
    reader: PostgresReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    for error, told in (
        (psycopg.OperationalError("lost"), StoreUnavailable),
        (errors.AdminShutdown("stops"), StoreUnavailable),
        (errors.ConnectionFailure("lost"), StoreUnavailable),
        (errors.DiskFull("full"), BadRequest),
        (errors.DivisionByZero("by zero "), BadRequest),
    ):

        def refuse(*_: Any, error: Exception = error) -> asking.Answer:
            raise error

        monkeypatch.setattr(asking, "_answer", refuse)
        with pytest.raises(told) as refused:
            ask(reader, "SELECT 1")
        assert str(error).strip() in refused.value.message
