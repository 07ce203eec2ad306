"""The SQL endpoint in one process: its token, what it lets through, readers beside it, a person's own question."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from core.errors import BadRequest, StoreUnavailable, TooManyRequests
from core.store import asking, extensions, quack
from core.store.asking import Answer, place_to_answer, plain
from core.store.reader import OwnerReader, RemoteReader
from tests.conftest import wait_for
from tests.core.test_queries import EVERY
from tests.ports import free_port

Connection = duckdb.DuckDBPyConnection
TOKEN = "it's-a-token-of-the-tests"


@pytest.fixture
def port(database: Connection) -> Iterator[int]:
    """Served until the test stops it."""
    port = free_port()
    quack.serve(database, port, TOKEN)
    yield port
    try:
        quack.stop(database, port)
    except duckdb.Error:
        return


def reader(tmp_path: Path, port: int, token: str | None = TOKEN, database: str = "health.duckdb") -> RemoteReader:
    return RemoteReader(port=port, token=token, token_path=tmp_path / "token", database=tmp_path / database)


def test_the_token_is_the_configured_one_or_one_made_once_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "token"
    assert quack.token_of(path, "configured") == "configured"
    assert not path.exists()
    made = quack.token_of(path, None)
    assert len(made) == 48
    assert path.stat().st_mode & 0o777 == 0o600
    assert quack.token_of(path, "") == made
    assert path.read_text() == made
    path.write_text(" own\n")
    assert quack.token_of(path, None) == "own"
    assert quack.token_of(tmp_path / "other", None) != made


def test_readers_ask_the_server_with_the_token_or_its_file(tmp_path: Path, port: int, database: Connection) -> None:
    database.execute("INSERT INTO settings VALUES ('a', 'b', '2026-03-02T12:00:00+00', NULL)")
    (tmp_path / "token").write_text(TOKEN)
    for token in (TOKEN, None):
        asked = reader(tmp_path, port, token)
        assert asked.source == "live"
        asked.source = "file"
        rows = asked.sql("SELECT key, updated_at FROM settings")
        assert rows["key"].tolist() == ["a"]
        assert str(rows["updated_at"].iloc[0]) == "2026-03-02 12:00:00+00:00"
        assert asked.source == "live"
        assert asked.frame("freshness")["runs"].tolist() == [0]
        client = asked._connection()
        assert client is asked._connection()
        limits = client.execute("SELECT current_setting('threads'), current_setting('memory_limit')").fetchone()
        assert limits == (1, "488.2 MiB")
    with pytest.raises(duckdb.Error):
        reader(tmp_path, port, "another").sql("SELECT 1")


@pytest.mark.parametrize(
    "refused",
    [
        "DROP TABLE jobs",
        "SELECT * FROM quack_stop('quack:127.0.0.1:{port}')",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT sleep_ms(1)",
        "SELECT nextval('x')",
    ],
)
def test_the_server_answers_reading_only(tmp_path: Path, port: int, refused: str) -> None:
    asked = reader(tmp_path, port)
    with pytest.raises(duckdb.Error):
        asked.sql(refused.format(port=port))
    assert asked.sql("SELECT count(*) AS n FROM duckdb_tables(), range(2), jobs")["n"].tolist() == [0]


def test_a_taken_port_is_told_with_its_number(database: Connection) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(StoreUnavailable) as refused:
            quack.serve(database, port, TOKEN)
    assert refused.value.message == f"The SQL endpoint can't listen on port {port}."
    assert refused.value.hint.startswith("Set QUACK_PORT to a free port. ")
    assert len(refused.value.hint) > 40
    assert "\n" not in refused.value.hint


def test_while_nobody_serves_the_file_is_read(tmp_path: Path, port: int, database: Connection) -> None:
    asked = reader(tmp_path, port)
    assert asked.sql("SELECT count(*) AS n FROM settings")["n"].tolist() == [0]
    quack.stop(database, port)
    database.close()
    assert asked.frame("freshness")["runs"].tolist() == [0]
    assert asked.source == "file"
    without_token = reader(tmp_path, port, token=None)
    assert without_token.frame("freshness")["runs"].tolist() == [0]
    assert without_token.source == "file"
    assert not (tmp_path / "token").exists()
    with pytest.raises(StoreUnavailable) as unknown:
        asked.sql("SELECT statsu FROM runs")
    assert unknown.value.message == "The database can't be read."
    assert "statsu" in unknown.value.hint
    assert "\n" not in unknown.value.hint
    with pytest.raises(StoreUnavailable, match="no database yet"):
        reader(tmp_path, port, database="absent.duckdb").sql("SELECT 1")


def test_while_nobody_serves_archived_files_are_read_too(tmp_path: Path, database: Connection) -> None:
    database.close()
    (tmp_path / "archive").mkdir()
    (tmp_path / "archive" / "a.csv").write_text("x\n1\n")
    asked = RemoteReader(
        port=free_port(), token=TOKEN, token_path=tmp_path / "token", database=tmp_path / "health.duckdb",
        archive=tmp_path / "archive",
    )  # fmt: skip
    assert asked.sql(f"SELECT x FROM '{tmp_path}/archive/a.csv'")["x"].tolist() == [1]
    assert asked.frame("run_count", **EVERY)["total"].tolist() == [0]


def test_a_database_that_gave_up_is_told_by_its_owner() -> None:
    class GaveUp:
        def cursor(self) -> Any:
            raise duckdb.FatalException("FATAL: No space left\nmore")

    given_up: Any = GaveUp()
    with pytest.raises(StoreUnavailable) as told:
        OwnerReader(given_up).frame("freshness")
    assert told.value.hint.endswith("FATAL: No space left")


def test_after_locking_only_named_folders_are_reached_and_nothing_is_loosened(
    database: Connection, tmp_path: Path
) -> None:
    allowed, other = tmp_path / "allowed", tmp_path / "other"
    for folder in (allowed, other):
        folder.mkdir()
        (folder / "a.csv").write_text("x\n1\n")
    quack.lock(database, allowed, tmp_path / "absent")
    assert database.execute(f"SELECT x FROM '{allowed}/a.csv'").fetchall() == [(1,)]
    with pytest.raises(duckdb.PermissionException):
        database.execute(f"SELECT x FROM '{other}/a.csv'")
    for setting in ("enable_external_access = true", "threads = 1"):
        with pytest.raises(duckdb.InvalidInputException):
            database.execute(f"SET {setting}")


def test_extensions_come_from_their_wheels_or_from_duckdb(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = extensions._wheel_path("quack")
    assert path
    assert path.endswith(f"v{duckdb.__version__}/quack.duckdb_extension")
    assert extensions._wheel_path("no_such_one") is None
    with closing(duckdb.connect()) as connection:
        extensions.load_quack(connection)
        loaded = connection.execute(
            "SELECT extension_name FROM duckdb_extensions() WHERE loaded AND extension_name IN ('httpfs', 'quack') "
            "ORDER BY 1"
        ).fetchall()
        assert loaded == [("httpfs",), ("quack",)]
    monkeypatch.setattr(extensions, "files", lambda _: tmp_path / "it's")
    assert extensions._wheel_path("quack") is None
    made = tmp_path / "it's" / "extensions" / f"v{duckdb.__version__}" / "quack.duckdb_extension"
    made.parent.mkdir(parents=True)
    made.touch()
    assert extensions._wheel_path("quack") == str(made).replace("'", "''")


def test_where_no_wheel_fits_duckdb_is_asked_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extensions, "_wheel_path", lambda _: None)

    class Heard:
        said: list[str]

        def __init__(self) -> None:
            self.said = []

        def execute(self, statement: str) -> None:
            self.said.append(statement)

    heard: Any = Heard()
    extensions.load_quack(heard)
    assert heard.said == ["INSTALL httpfs", "LOAD 'httpfs'", "INSTALL quack", "LOAD 'quack'"]


def test_an_owner_reads_in_parts_of_one_moment(database: Connection) -> None:
    database.execute(
        "INSERT INTO pipelines SELECT 'p' || range, 'x', '1', 'r' || range, NULL, '1', 'CI', NULL, 'main', 'v', 'v' "
        "FROM range(5000)"
    )
    owner = OwnerReader(database)
    whole = owner.frame("filter_options", **EVERY)
    parts = list(owner.batches("filter_options", 2048, **EVERY))
    assert parts[0].num_rows == 0
    assert parts[0].schema == parts[1].schema
    assert sum(part.num_rows for part in parts) == len(whole)
    assert len(parts) > 2


@pytest.fixture
def asked(database: Connection) -> Connection:
    database.execute(quack.AUTHORISATION)
    return database


def ask(connection: Connection, sql: str, limit: int = 10, seconds: float = 10) -> Answer:
    return asking.ask(connection, sql, limit=limit, seconds=seconds)


def test_an_answer_has_names_types_and_the_first_rows(asked: Connection) -> None:
    answer = ask(asked, " SELECT range AS n, 'x' AS t FROM range(3) -- all ;\n", limit=3)
    assert answer == Answer(["n", "t"], ["BIGINT", "VARCHAR"], [[0, "x"], [1, "x"], [2, "x"]], False)
    assert ask(asked, "SELECT 1 AS X;").columns == ["X"]
    cut = ask(asked, "SELECT range FROM range(3);  ", limit=2)
    assert (cut.rows, cut.is_cut) == ([[0], [1]], True)


@pytest.mark.parametrize(
    ("sql", "message", "hint"),
    [
        ("DELETE FROM jobs", "Only SELECT statements can be serialized to json!", ""),
        ("SELECT sleep_ms(1)", "Only one SELECT is answered here, without functions that reach outside the data.", ""),
        (
            "SELECT 1 FROM settings, deliveries, runs",
            "deliveries, settings can't be read here.",
            "The views are listed beside the query.",
        ),
    ],
)
def test_what_is_refused_is_told_why(asked: Connection, sql: str, message: str, hint: str) -> None:
    with pytest.raises(BadRequest) as refused:
        ask(asked, sql)
    assert (refused.value.message, refused.value.hint) == (message, hint)


def test_duckdbs_lines_are_those_of_the_question(asked: Connection) -> None:
    for sql, line in (("SELECT statsu FROM runs", "LINE 1:"), ("SELECT 1,\nstatsu\nFROM runs", "LINE 2:")):
        with pytest.raises(BadRequest) as refused:
            ask(asked, sql)
        assert line in refused.value.message
        assert "statsu" in refused.value.message


def test_a_question_that_takes_too_long_is_stopped(asked: Connection) -> None:
    with pytest.raises(BadRequest) as stopped:
        ask(
            asked,
            "SELECT count(*) FROM range(10000000000) AS a, range(1000) AS b WHERE a.range % 7 = b.range",
            seconds=0.2,
        )
    assert stopped.value.message == "The query was stopped after 0.2 s."
    assert stopped.value.hint == "Ask for less time, or count before you list."
    assert not [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)]
    ask(asked, "SELECT 1", seconds=600)
    assert not [
        thread
        for thread in threading.enumerate()
        if isinstance(thread, threading.Timer) and not thread.finished.is_set()
    ]


def test_two_questions_are_answered_at_once_and_a_third_is_told_to_wait(asked: Connection) -> None:
    with place_to_answer(), place_to_answer():
        with pytest.raises(TooManyRequests) as busy:
            ask(asked, "SELECT 1")
        assert (busy.value.message, busy.value.hint) == ("Other queries are running.", "Try again in a few seconds.")
    with pytest.raises(BadRequest):
        ask(asked, "nonsense")
    with place_to_answer(), place_to_answer():
        pass


@pytest.mark.parametrize(
    ("value", "json"),
    [
        (None, None),
        (True, True),
        (7, 7),
        (1.5, 1.5),
        (Decimal("1.5"), 1.5),
        (float("nan"), None),
        (float("-inf"), None),
        (datetime(2026, 3, 2, 12), "2026-03-02T12:00:00"),  # noqa: DTZ001 - DuckDB's TIMESTAMP has no zone
        (date(2026, 3, 2), "2026-03-02"),
        (time(12, 30), "12:30:00"),
        (timedelta(minutes=1.5), 90.0),
        ("x" * 2000, "x" * 2000),
        ("x" * 2001, "x" * 2000 + " …"),
        ([1, "a"], "[1, 'a']"),
    ],
)
def test_a_value_is_as_json_has_it(value: Any, json: Any) -> None:
    found = plain(value)
    assert (found, type(found)) == (json, type(json))


LARGE = "SELECT i, repeat(md5(i::VARCHAR), 30) AS words FROM range(300000) AS t(i)"


def active(database: Connection) -> int:
    [(number,)] = database.execute("SELECT count(*) FROM quack_active_connections() WHERE state = 'active'").fetchall()
    return int(number)


def test_lost_readers_are_cleared_away_and_who_is_being_answered_gets_the_answer(
    tmp_path: Path, port: int, database: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    quack.lock(database, tmp_path)
    assert not quack.renew_if_littered(database, port, TOKEN)
    found: list[int] = []
    asking_reader = reader(tmp_path, port)
    asked = threading.Thread(target=lambda: found.append(len(asking_reader.sql(LARGE))))
    asked.start()
    wait_for(lambda: active(database) == 1, "the question to be answered")
    # One that has just begun is left alone; what is old, or one of many that aren't new, ends all.
    assert not quack.renew_if_littered(database, port, TOKEN)
    monkeypatch.setattr(quack, "LONG_SECONDS", 0)
    assert quack.renew_if_littered(database, port, TOKEN)
    monkeypatch.undo()
    asked.join()
    assert found == [300_000]
    wait_for(lambda: active(database) == 0, "nobody to be left")
    monkeypatch.setattr(quack, "WHILE_SECONDS", 0)
    assert not quack.renew_if_littered(database, port, TOKEN)
    with pytest.raises(duckdb.InvalidInputException, match="Authorization failed"):
        reader(tmp_path, port).sql("SELECT * FROM quack_stop('x')")


def test_many_readers_that_take_a_while_are_taken_for_lost(
    tmp_path: Path, port: int, database: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quack, "WHILE_SECONDS", 0)
    monkeypatch.setattr(quack, "MANY", 2)
    threads = [threading.Thread(target=reader(tmp_path, port).sql, args=(LARGE,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    wait_for(lambda: active(database) == 2, "both to be answered")
    assert quack.renew_if_littered(database, port, TOKEN)
    for thread in threads:
        thread.join()
