"""Three replicas take the same deliveries at once: the rows are those of one DuckDB file that takes them in order."""

import random
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import Conflict
from core.model import Delivery
from core.store import alerts
from core.store.alert_actions import acknowledge
from core.store.postgres.connection import PostgresCursor
from core.store.writer import Writer
from ingest.providers.github.parse import parse
from tests.builders import NOON, run_payload
from tests.ingest.test_any_order import LEFT_OUT, TABLES, Event, job_events, run_events


def delivery(number: int, event: str, payload: dict[str, Any]) -> Delivery:
    changes = parse(event, payload)
    assert changes
    return Delivery("github-actions", str(number), event, None, datetime.now(UTC), "processed", None, "{}", changes)


def emptied(cursor: Any) -> None:
    for table in (*TABLES, "alerts", "alert_events", "deliveries"):
        cursor.execute(f"DELETE FROM {table}")


def rows_of(cursor: Any, names: dict[str, str]) -> list[list[Any]]:
    stored = [cursor.execute(f"SELECT {names[table]} FROM {table}").fetchall() for table in TABLES]
    return [sorted([str(value) for value in row] for row in rows) for rows in stored]


def columns(database: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """What is compared of each table."""
    found = {}
    for table in TABLES:
        database.execute(f"SELECT * {LEFT_OUT.get(table, '')} FROM {table}")
        found[table] = ", ".join(column[0] for column in database.description or [])
    return found


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(data=st.data(), events=st.lists(run_events() | job_events(), min_size=2, max_size=9))
def test_any_order_through_three_replicas_gives_the_same_rows(
    database: duckdb.DuckDBPyConnection,
    target: PostgresCursor,
    replicas: list[Writer],
    data: st.DataObject,
    events: list[Event],
) -> None:
    numbered = list(enumerate(events))
    repeated = data.draw(st.lists(st.sampled_from(numbered), max_size=6))
    shuffled = data.draw(st.permutations(numbered + repeated))
    emptied(database)
    emptied(target)
    # A writer of its own: it remembers what it stored, and the tables were emptied behind the last one's back.
    with closing(Writer(database)) as writer:
        for number, (event, payload) in numbered:
            writer.submit_delivery(delivery(number, event, payload)).result()
    futures = [
        replicas[place % 3].submit_delivery(delivery(number, event, payload))
        for place, (number, (event, payload)) in enumerate(shuffled)
    ]
    results = [future.result() for future in futures]
    assert results.count("duplicate") == len(repeated)
    names = columns(database)
    assert rows_of(target, names) == rows_of(database, names)


def test_a_storm_through_three_replicas_loses_nothing(replicas: list[Writer], target: PostgresCursor) -> None:
    """Two thousand deliveries about few runs, each sent to every replica, in another order to each."""
    payloads = [
        run_payload(
            run_id=1000 + number % 40,
            attempt=1 + number % 3,
            status="completed" if number % 2 else "in_progress",
            workflow_id=500 + number % 4,
            updated=60 + number,
        )
        for number in range(700)
    ]
    futures = []
    orders = [random.Random(seed).sample(range(700), 700) for seed in range(3)]
    for numbers in zip(*orders, strict=True):
        for replica, number in zip(replicas, numbers, strict=True):
            futures.append(replica.submit_delivery(delivery(number, "workflow_run", payloads[number])))
    results = [future.result() for future in futures]
    assert results.count("processed") == 700
    assert results.count("duplicate") == 1400
    assert target.execute("SELECT count(*) FROM deliveries").fetchone() == (700,)
    rows = target.execute(
        "SELECT run_key, max(run_attempt), count(*) FILTER (WHERE is_latest) FROM workflow_runs GROUP BY 1"
    )
    assert {row[1:] for row in rows.fetchall()} == {(3, 1)}
    newest = target.execute("SELECT count(*) FROM workflow_runs AS r WHERE is_latest AND run_attempt < 3").fetchone()
    assert newest == (0,)


def test_of_two_people_who_acknowledge_at_once_one_is_first(replicas: list[Writer], target: PostgresCursor) -> None:
    replicas[0].submit_delivery(delivery(1, "workflow_run", run_payload(conclusion="failure"))).result()
    replicas[0].transact(lambda cursor: alerts.evaluate(cursor, None, NOON, NOON)).result()
    (alert_id,) = target.execute("SELECT id FROM alerts").fetchone()
    futures = [
        replica.transact(lambda cursor, who=str(who): acknowledge(cursor, alert_id, who, None, NOON))
        for who, replica in enumerate(replicas)
    ]
    refused = [future.exception() for future in futures]
    assert sum(error is None for error in refused) == 1
    assert all(error is None or isinstance(error, Conflict) for error in refused)


def test_replicas_that_evaluate_at_once_raise_one_alert(replicas: list[Writer], target: PostgresCursor) -> None:
    replicas[0].submit_delivery(delivery(1, "workflow_run", run_payload(conclusion="failure"))).result()
    futures = [replica.transact(lambda cursor: alerts.evaluate(cursor, None, NOON, NOON)) for replica in replicas]
    for future in futures:
        future.result()
    assert target.execute("SELECT count(*) FROM alerts").fetchone() == (1,)


@pytest.mark.parametrize("text", ["a\0b", "it's", "100 %s", "\\x41", "é☃"])
def test_whatever_a_webhook_holds_is_stored(text: str, replicas: list[Writer], target: PostgresCursor) -> None:
    """PostgreSQL's text has no NUL; it stands there as the sign for what can't be shown."""
    replicas[0].submit_delivery(delivery(1, "workflow_run", run_payload(branch=text))).result()
    assert target.execute("SELECT branch FROM workflow_runs").fetchone() == (text.replace("\0", "\ufffd"),)
