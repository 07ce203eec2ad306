"""The one writer goes on whatever its callers do."""

import threading
from contextlib import closing
from datetime import UTC, datetime

import duckdb

from core.model import Changes, Delivery, Step
from core.queries import sql_text
from core.store.writer import Writer

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
