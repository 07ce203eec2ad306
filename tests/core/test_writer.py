"""The one writer goes on whatever its callers do."""

import threading
import time
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime

import duckdb
import pytest

from core.errors import StoreUnavailable
from core.model import Changes, Delivery, Step
from core.queries import sql_text
from core.store.session import FileSession, refusal
from core.store.writer import MAX_BATCH, Writer
from tests.conftest import wait_for

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def step(version: str, *, number: int = 1, job_id: str = "job-1") -> Step:
    return Step(job_id, number, f"Step {number}", "success", version, NOON, NOON, version)


def delivery(delivery_id: str, *steps: Step) -> Delivery:
    return Delivery(
        "github-actions", delivery_id, "workflow_job", None, NOON, "processed", None, "{}", Changes(steps=steps)
    )


def stored(database: duckdb.DuckDBPyConnection) -> list[tuple[int, str]]:
    return database.execute("SELECT number, version FROM steps ORDER BY number").fetchall()


def test_a_caller_who_goes_away_does_not_stop_the_writer(writer: Writer) -> None:
    busy, go_on = threading.Event(), threading.Event()

    def wait(_: object) -> str:
        busy.set()
        assert go_on.wait(10)
        return "done"

    first = writer.transact(wait)
    assert busy.wait(10)
    assert not first.cancel(), "it is being written"
    taken_back = writer.transact(lambda _: "never")
    assert taken_back.cancel()
    go_on.set()
    assert first.result(10) == "done"
    assert writer.transact(lambda _: "after").result(10) == "after"


def test_what_an_earlier_process_stored_counts_too(database: duckdb.DuckDBPyConnection) -> None:
    with closing(Writer(database)) as earlier:
        assert earlier.submit_delivery(delivery("a", step("2"), step("2", number=2))).result() == "processed"
    with closing(Writer(database)) as writer:
        assert writer.submit_delivery(delivery("a", step("9"))).result() == "duplicate"
        assert writer.submit_delivery(delivery("b", step("3"), step("1", number=2), step("1", number=3))).result()
        assert stored(database) == [(1, "3"), (2, "2"), (3, "1")]
        assert writer.submit_delivery(delivery("c", step("4"), step("0", number=3))).result() == "processed"
    assert stored(database) == [(1, "4"), (2, "2"), (3, "1")]


def test_newer_words_about_steps_that_were_removed_meanwhile_are_stored(database: duckdb.DuckDBPyConnection) -> None:
    with closing(Writer(database)) as writer:
        writer.submit_delivery(delivery("a", step("1"), step("1", number=2))).result()
        writer.transact(lambda cursor: cursor.execute("DELETE FROM steps WHERE number = 1") and None).result()
        writer.submit_delivery(delivery("b", step("2"), step("2", number=2))).result()
    assert stored(database) == [(1, "2"), (2, "2")]


def test_a_step_is_found_by_an_index_not_by_a_scan(writer: Writer, database: duckdb.DuckDBPyConnection) -> None:
    many = [step("1", number=number, job_id=f"job-{job}") for job in range(3000) for number in range(1, 4)]
    writer.submit_changes(Changes(steps=tuple(many))).result()
    database.execute("CREATE TEMP TABLE incoming_steps AS SELECT * EXCLUDE (duration_seconds) FROM steps LIMIT 5")
    plan = database.execute(f"EXPLAIN ANALYZE {sql_text('write', 'update_steps')}").fetchall()
    assert "Index Scan" in plan[0][1]


def test_a_writer_that_is_closing_accepts_nothing_more(database: duckdb.DuckDBPyConnection) -> None:
    writer = Writer(database)
    busy, go_on = threading.Event(), threading.Event()

    def wait(_: object) -> bool:
        busy.set()
        return go_on.wait(30)

    last = writer.transact(wait)
    assert busy.wait(30)
    closing_thread = threading.Thread(target=writer.close)
    closing_thread.start()
    try:
        wait_for(lambda: not writer.is_alive, "the writer to be closing", seconds=10)
        with pytest.raises(StoreUnavailable):
            writer.transact(lambda _: None)
    finally:
        go_on.set()
    assert last.result(30)
    closing_thread.join()


def test_a_duplicate_in_a_batch_holds_up_no_write_behind_it(
    database: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "FAR-24")  # where it is always tomorrow
    time.tzset()
    with closing(Writer(FileSession(database))) as writer:
        writer.submit_delivery(delivery("a")).result(30)
        busy, go_on = threading.Event(), threading.Event()
        writer.transact(lambda _: (busy.set(), go_on.wait(30)))
        assert busy.wait(30)
        sent = [writer.submit_delivery(delivery(name, step(name))) for name in ("a", "b")]
        day = datetime.now(UTC).date()
        go_on.set()
        assert [each.result(30) for each in sent] == ["duplicate", "processed"]
        writer.submit_delivery(delivery("c")).result(30)
    monkeypatch.undo()
    time.tzset()
    assert stored(database) == [(1, "b")]
    counted = database.execute("SELECT provider, day, number FROM delivery_duplicates").fetchall()
    assert counted in ([("github-actions", day, 1)], [("github-actions", datetime.now(UTC).date(), 1)])


def test_a_writer_that_hangs_keeps_no_process_alive(writer: Writer) -> None:
    assert writer.is_alive
    assert writer._thread.daemon
    assert writer._thread.name == "writer"


def test_what_waits_is_stored_in_full_batches_each_in_one_transaction(database: duckdb.DuckDBPyConnection) -> None:
    class Counted(FileSession):
        def commit(self) -> None:
            super().commit()
            sizes.append(len(stored(database)))

    sizes: list[int] = []
    with closing(Writer(Counted(database))) as writer:
        busy, go_on = threading.Event(), threading.Event()
        writer.transact(lambda _: (busy.set(), go_on.wait(30)))
        assert busy.wait(30)
        waiting = [writer.submit_delivery(delivery(f"d{n}", step("1", number=n))) for n in range(MAX_BATCH + 3)]
        go_on.set()
        assert {each.result(30) for each in waiting} == {"processed"}
        assert sizes == [0, MAX_BATCH, MAX_BATCH + 3]


def test_of_two_writes_the_one_that_can_be_stored_is(database: duckdb.DuckDBPyConnection) -> None:
    with closing(Writer(database)) as writer:
        busy, go_on = threading.Event(), threading.Event()
        writer.transact(lambda _: (busy.set(), go_on.wait(30)))
        assert busy.wait(30)
        impossible = replace(step("1", job_id="bad"), number=2**40)
        bad, good = (writer.submit_changes(Changes(steps=(each,))) for each in (impossible, step("1", job_id="good")))
        go_on.set()
        assert bad.exception(30)
        assert good.result(30) is None
    assert stored(database) == [(1, "1")]


def test_a_session_tells_what_may_be_repeated_and_what_a_refusal_means(database: duckdb.DuckDBPyConnection) -> None:
    session = FileSession(database)
    session.roll_back()  # nothing is open
    taken, other = duckdb.ConstraintException("taken"), duckdb.Error("other")
    assert [session.may_repeat(error, tries, alone=False) for error in (taken, other) for tries in (1, 2)] == [
        True, False, False, False,
    ]  # fmt: skip
    assert not session.rows.is_wary
    assert session.may_repeat(taken, 1, alone=True)
    assert session.rows.is_wary
    session.begin(alone=False)
    session.commit()
    assert not session.rows.is_wary
    own = ValueError("own")
    assert session.in_a_sentence(own) is own
    told = session.in_a_sentence(duckdb.Error("first\nsecond"))
    assert isinstance(told, StoreUnavailable)
    assert (told.message, told.hint) == ("The database refused the write.", "first")
    session.close()
    with pytest.raises(duckdb.ConnectionException):
        session.cursor.execute("SELECT 1")


@pytest.mark.parametrize(
    "error",
    [
        duckdb.FatalException("Failed: it\nmore"),
        *(
            duckdb.IOException(f"Could not write: {words}\nmore")
            for words in (
                "No space left on device", "Disk quota exceeded", "File too large", "Read-only file system",
                "Input/output error",
            )
        ),
    ],
)  # fmt: skip
def test_a_disk_that_takes_nothing_more_is_named(error: duckdb.Error) -> None:
    told = refusal(error)
    assert told.message == "The database's disk takes nothing more, so nothing was stored."
    first = str(error).split("\n")[0]
    assert told.hint == (
        "Free some space, or make it writable again; the service goes on by itself, and what is sent again is stored. "
        f"{first}"
    )
