"""Any order and any repetition of the same deliveries gives the same rows."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.model import Delivery
from core.store import alerts
from core.store.duckdb_file import open_owned
from core.store.writer import Writer
from ingest.providers.github.parse import parse
from tests.builders import NOON, job_payload, repository, run_payload, step_part

TABLES = ("pipelines", "workflow_runs", "jobs", "steps")
# Which pipeline of a repository heard its newest name first is no fact about the repository.
LEFT_OUT = {"pipelines": "EXCLUDE (repository_version)"}
Event = tuple[str, dict[str, Any]]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_owned(tmp_path_factory.mktemp("order") / "health.duckdb", memory_limit="1GB", threads=2) as connection:
        yield connection


@st.composite
def run_events(draw: st.DrawFn) -> Event:
    status = draw(st.sampled_from(["queued", "in_progress", "completed"]))
    conclusion = (
        draw(st.sampled_from(["success", "failure", "cancelled", "action_required"])) if status == "completed" else None
    )
    attempt = draw(st.integers(1, 3))
    run_id = draw(st.integers(1000, 1002))
    payload = run_payload(
        run_id=run_id,
        attempt=attempt,
        status=status,
        conclusion=conclusion,
        begun=attempt * 100,
        updated=attempt * 100 + draw(st.integers(0, 3)),
        branch=["main", "topic"][(run_id + attempt) % 2],  # of one attempt it never changes
        workflow=draw(st.sampled_from(["CI", "Build"])),
        workflow_id=500 + run_id % 2,
        repo=repository(draw(st.sampled_from(["acme/web", "acme/shop"]))),
        head_commit=draw(st.sampled_from([None, {"message": "One"}, {"message": "Two"}])),
    )
    return "workflow_run", payload


@st.composite
def job_events(draw: st.DrawFn) -> Event:
    status = draw(st.sampled_from(["queued", "waiting", "in_progress", "completed"]))
    payload = job_payload(
        job_id=draw(st.integers(7000, 7001)),
        run_id=draw(st.integers(1000, 1001)),
        attempt=draw(st.integers(1, 2)),
        status=status,
        conclusion=draw(st.sampled_from(["success", "failure"])),
        begun=draw(st.sampled_from([None, 5, -50])),
        finished=draw(st.integers(50, 52)),
        steps=[step_part(number, done=draw(st.booleans())) for number in range(1, draw(st.integers(1, 4)))],
    )
    return "workflow_job", payload


def evaluate(writer: Writer, finished: alerts.Finished) -> None:
    """What finished at once, as the evaluator does; then everything, as the timer does."""
    now = NOON + timedelta(hours=2)
    if taken := finished.take():
        writer.transact(lambda cursor: alerts.evaluate(cursor, taken, min(taken.values()), now)).result()
    writer.transact(lambda cursor: alerts.evaluate(cursor, None, NOON, now)).result()


def delivery_of(number: int, event: str, payload: dict[str, Any]) -> Delivery:
    changes = parse(event, payload)
    assert changes
    return Delivery("github-actions", str(number), event, None, datetime.now(UTC), "processed", None, "{}", changes)


def outcome(
    connection: duckdb.DuckDBPyConnection, events: list[tuple[int, Event]], *, together: bool, restart_after: int = 0
) -> list[object]:
    """All rows after the deliveries, in one group or each alone; from `restart_after` on by another writer."""
    connection.execute("".join(f"DELETE FROM {table};" for table in (*TABLES, "alerts", "alert_events", "deliveries")))
    finished = alerts.Finished()
    for part in (events[:restart_after], events[restart_after:]):
        with closing(Writer(connection, on_runs=finished.add)) as writer:
            futures = []
            for number, (event, payload) in part:
                futures.append(writer.submit_delivery(delivery_of(number, event, payload)))
                if not together:
                    futures[-1].result()
                    evaluate(writer, finished)
            for future in futures:
                future.result()
            evaluate(writer, finished)
    rows: list[object] = [
        connection.execute(f"SELECT * {LEFT_OUT.get(table, '')} FROM {table} ORDER BY ALL").fetchall()
        for table in TABLES
    ]
    rows.append(
        connection.execute(
            """SELECT dedup_key, CASE WHEN type = 'pipeline_failure' THEN attempt_id END
            FROM alerts WHERE status <> 'resolved' ORDER BY ALL"""
        ).fetchall()
    )
    return rows


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(data=st.data(), events=st.lists(run_events() | job_events(), min_size=2, max_size=9))
def test_any_order_and_any_repetition_gives_the_same_rows(
    database: duckdb.DuckDBPyConnection, data: st.DataObject, events: list[Event]
) -> None:
    numbered = list(enumerate(events))
    repeated = data.draw(st.lists(st.sampled_from(numbered), max_size=4))
    shuffled = data.draw(st.permutations(numbered + repeated))
    in_order = outcome(database, numbered, together=False)
    assert outcome(database, shuffled, together=False) == in_order
    restart_after = data.draw(st.integers(0, len(shuffled)))
    assert outcome(database, shuffled, together=True, restart_after=restart_after) == in_order
