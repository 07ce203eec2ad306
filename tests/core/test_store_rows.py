"""Rows and deliveries as the writer stores them: the newest word, the first moments, each delivery once."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import duckdb
import pytest

from core.errors import StoreUnavailable
from core.model import Changes, Delivery, Job, Pipeline, Step, WorkflowRun
from core.store.cursor import Cursor
from core.store.writer import Writer
from tests.builders import NOON

MINUTE = timedelta(minutes=1)
Database = duckdb.DuckDBPyConnection

PIPELINE = Pipeline("p1", "github", "10", "acme/web", "https://x", "500", "CI", "ci.yml", "main", "1")


def run(version: str = "1", **words: Any) -> WorkflowRun:
    usual: dict[str, Any] = dict.fromkeys(WorkflowRun.__dataclass_fields__) | {
        "id": "r1", "run_key": "k1", "pipeline_id": "p1", "provider": "github", "run_id": "1", "run_attempt": 1,
        "status": "running", "is_fork": False, "created_at": NOON, "updated_at": NOON, "version": version,
    }  # fmt: skip
    return WorkflowRun(**(usual | words))


def job(version: str = "1", **words: Any) -> Job:
    usual: dict[str, Any] = dict.fromkeys(Job.__dataclass_fields__) | {
        "id": "j1", "attempt_id": "r1", "provider": "github", "job_id": "1", "name": "build", "status": "running",
        "version": version,
    }  # fmt: skip
    return Job(**(usual | words))


def store(writer: Writer, *changes: Changes) -> None:
    """In one batch."""
    writer.submit_changes(Changes.together(changes)).result(10)


def rows(database: Database, sql: str) -> list[Any]:
    return database.execute(sql).fetchall()


def test_the_largest_version_wins_within_a_batch_and_between_batches(writer: Writer, database: Database) -> None:
    title = "SELECT title, version FROM workflow_runs"
    store(writer, Changes(runs=(run("2", title="two"), run("3", title="three"), run("1", title="one"))))
    assert rows(database, title) == [("three", "3")]
    store(writer, Changes(runs=(run("2", title="two again"),)))
    assert rows(database, title) == [("three", "3")]
    store(writer, Changes(runs=(run("4", title="four"),)))
    assert rows(database, title) == [("four", "4")]


def test_of_equal_versions_in_a_batch_the_first_stays(writer: Writer, database: Database) -> None:
    store(writer, Changes(runs=(run("1", title="first"), run("1", title="second"))))
    assert rows(database, "SELECT title FROM workflow_runs") == [("first",)]


def test_the_first_moments_that_any_word_named_count(writer: Writer, database: Database) -> None:
    early, late = NOON - MINUTE, NOON + MINUTE
    store(
        writer,
        Changes(runs=(
            run("1", created_at=early, started_at=NOON),
            run("3", status="success", created_at=NOON, started_at=late, finished_at=late + MINUTE),
            run("2", status="success", created_at=late, finished_at=late),
        )),
        Changes(jobs=(
            job("1", created_at=early, started_at=NOON, finished_at=NOON),
            job("2", created_at=NOON, started_at=late, finished_at=late, status="success"),
        )),
    )  # fmt: skip
    moments = "SELECT created_at, started_at, finished_at FROM"
    assert rows(database, f"{moments} workflow_runs") == [(early, NOON, late)]
    assert rows(database, f"{moments} jobs") == [(early, NOON, late)]


def test_what_a_queued_job_calls_its_start_is_none(writer: Writer, database: Database) -> None:
    store(writer, Changes(jobs=(job("1", status="queued", started_at=NOON), job("1", id="j2", started_at=NOON))))
    assert rows(database, "SELECT id, started_at FROM jobs ORDER BY id") == [("j1", None), ("j2", NOON)]


def test_steps_are_told_apart_by_their_job_and_number(writer: Writer, database: Database) -> None:
    step = Step("j1", 1, "make", "success", None, NOON, None, "1")
    store(
        writer,
        Changes(
            steps=(step, replace(step, number=2), replace(step, job_id="j2"), replace(step, name="test", version="2"))
        ),
    )
    assert rows(database, "SELECT job_id, number, name FROM steps ORDER BY ALL") == [
        ("j1", 1, "test"), ("j1", 2, "make"), ("j2", 1, "make")
    ]  # fmt: skip


def test_only_the_last_attempt_of_a_run_is_its_latest_in_whatever_order_they_come(
    writer: Writer, database: Database
) -> None:
    latest = "SELECT id FROM workflow_runs WHERE is_latest ORDER BY id"
    second = run(id="r1-2", run_attempt=2)
    store(writer, Changes(runs=(second,)))
    store(writer, Changes(runs=(run(), run(id="other", run_key="k2"))))
    assert rows(database, latest) == [("other",), ("r1-2",)]
    store(writer, Changes(runs=(run("2", id="r1-3", run_attempt=3),)))
    assert rows(database, latest) == [("other",), ("r1-3",)]


def test_a_writer_that_starts_anew_knows_which_runs_were_tried_again(writer: Writer, database: Database) -> None:
    store(writer, Changes(runs=(run(id="r1-2", run_attempt=2),)))
    again = Writer(database)
    again.submit_changes(Changes(runs=(run(),))).result(10)
    again.close()
    assert rows(database, "SELECT id FROM workflow_runs WHERE is_latest") == [("r1-2",)]


def test_a_new_name_of_a_repository_reaches_all_its_pipelines(writer: Writer, database: Database) -> None:
    names = "SELECT id, repository, repository_url, default_branch FROM pipelines ORDER BY id"
    lint = replace(PIPELINE, id="p2", name="Lint")
    other = replace(PIPELINE, id="p3", repository_id="11", repository="acme/api")
    store(writer, Changes(pipelines=(PIPELINE, lint, other)))
    store(writer, Changes(pipelines=(replace(PIPELINE, repository="acme/shop", default_branch="trunk", version="2"),)))
    assert rows(database, names) == [
        ("p1", "acme/shop", "https://x", "trunk"), ("p2", "acme/shop", "https://x", "trunk"),
        ("p3", "acme/api", "https://x", "main"),
    ]  # fmt: skip


def delivery(name: str = "d1", result: Any = "processed", **words: Any) -> Delivery:
    usual: dict[str, Any] = {"changes": Changes(), "reason": None, "payload": "{}", "provider": "github"}
    usual |= words
    return Delivery(
        usual["provider"], name, "push", None, NOON, result, usual["reason"], usual["payload"], usual["changes"]
    )


def outcome(writer: Writer, each: Delivery) -> str:
    return writer.submit_delivery(each).result(10)


def test_a_delivery_counts_once_and_one_that_failed_may_come_again(writer: Writer, database: Database) -> None:
    assert outcome(writer, delivery(changes=Changes(runs=(run("1", title="first"),)))) == "processed"
    assert outcome(writer, delivery(changes=Changes(runs=(run("9", title="forged"),)))) == "duplicate"
    assert rows(database, "SELECT title FROM workflow_runs") == [("first",)]
    assert outcome(writer, delivery(provider="gitlab")) == "processed", "another system's delivery of the same name"
    assert outcome(writer, delivery("d2", "failed", reason="broken")) == "failed"
    assert outcome(writer, delivery("d2", "ignored")) == "ignored"
    assert outcome(writer, delivery("d2", "ignored")) == "duplicate"
    found = "SELECT provider, delivery_id, result, reason FROM deliveries ORDER BY ALL"
    assert rows(database, found) == [
        ("github", "d1", "processed", None), ("github", "d2", "ignored", None), ("gitlab", "d1", "processed", None)
    ]  # fmt: skip
    counted = "SELECT provider, sum(number) FROM delivery_duplicates GROUP BY provider"
    assert rows(database, counted) == [("github", 1)], "they are stored with the next batch that stores a delivery"
    assert outcome(writer, delivery("d3")) == "processed"
    assert rows(database, counted) == [("github", 2)]


def test_a_delivery_that_is_replayed_has_its_new_result_and_rows(writer: Writer, database: Database) -> None:
    outcome(writer, delivery("d1", "failed", reason="broken"))
    better = replace(delivery("d1", "processed", changes=Changes(runs=(run(title="now"),))), action="completed")
    writer.replay_delivery(better).result(10)
    assert rows(database, "SELECT action, result, reason FROM deliveries") == [("completed", "processed", None)]
    assert rows(database, "SELECT title FROM workflow_runs") == [("now",)]


def test_whoever_listens_hears_of_the_runs_of_each_commit(database: Database) -> None:
    heard: list[Sequence[WorkflowRun]] = []
    writer = Writer(database, heard.append)
    first = run(title="one")
    store(writer, Changes(runs=(first,)))
    store(writer, Changes(jobs=(job(),)))
    writer.transact(lambda cursor: cursor.execute("SELECT 1").fetchall()).result(10)
    writer.replay_delivery(delivery(changes=Changes(runs=(run("2"),)))).result(10)
    assert [[each.version for each in runs] for runs in heard] == [["1"], ["2"]]
    writer.close()


def test_what_a_transaction_raises_is_rolled_back_and_told_and_the_next_goes_on(
    writer: Writer, database: Database
) -> None:
    def fails(cursor: Cursor) -> None:
        cursor.execute("INSERT INTO settings VALUES ('a', '1', ?, 'ana')", [NOON])
        raise StoreUnavailable("On purpose.")

    with pytest.raises(StoreUnavailable, match="On purpose"):
        writer.transact(fails).result(10)
    assert rows(database, "SELECT * FROM settings") == []
    assert writer.transact(lambda cursor: cursor.execute("SELECT 7").fetchone()).result(10) == (7,)


def test_one_write_that_cannot_be_stored_takes_no_neighbour_with_it(writer: Writer, database: Database) -> None:
    """They come while another commit holds the writer, so they are one batch."""
    bad: Any = "no moment"
    futures = [
        writer.submit_changes(
            Changes(runs=(run(id=f"r{number}", run_key=f"k{number}", created_at=bad if number == 2 else NOON),))
        )
        for number in range(5)
    ]
    failed = [bool(future.exception(10)) for future in futures]
    assert failed == [False, False, True, False, False]
    assert rows(database, "SELECT count(*) FROM workflow_runs") == [(4,)]


def test_after_closing_all_that_was_accepted_is_stored_and_nothing_more_is_accepted(database: Database) -> None:
    writer = Writer(database)
    assert writer.is_alive
    future = writer.submit_changes(Changes(runs=(run(),)))
    writer.close()
    assert future.done()
    assert not writer.is_alive
    with pytest.raises(StoreUnavailable) as caught:
        writer.submit_changes(Changes())
    assert str(caught.value) == "The service is stopping. Send it again in a moment."
    assert rows(database, "SELECT count(*) FROM workflow_runs") == [(1,)]


def test_writes_and_transactions_happen_in_the_order_in_which_they_came(writer: Writer) -> None:
    def count(cursor: Cursor) -> int:
        row = cursor.execute("SELECT count(*) FROM workflow_runs").fetchone()
        return int(row[0])

    seen = []
    for number in range(3):
        writer.submit_changes(Changes(runs=(run(id=f"r{number}", run_key=f"k{number}"),)))
        seen.append(writer.transact(count))
    assert [future.result(10) for future in seen] == [1, 2, 3]


def test_every_field_of_a_row_is_stored(writer: Writer, database: Database) -> None:
    later: datetime = NOON + MINUTE
    whole = run(
        "2", run_number=7, status="success", conclusion="success", event="push", title="t", branch="b",
        base_branch="main", head_sha="s", head_repository="h", is_fork=True, commit_message="m", commit_author="a",
        actor="x", url="u", started_at=NOON, finished_at=later, updated_at=later,
    )  # fmt: skip
    store(writer, Changes(pipelines=(PIPELINE,), runs=(whole,), jobs=(job(runner_name="n", labels="l", url="u"),)))
    names = ", ".join(name for name in WorkflowRun.__dataclass_fields__)
    [kept] = rows(database, f"SELECT {names} FROM workflow_runs")
    assert WorkflowRun(*kept) == whole
    assert rows(database, "SELECT duration_seconds FROM workflow_runs") == [(60,)]
    assert rows(database, "SELECT runner_name, labels, url FROM jobs") == [("n", "l", "u")]
