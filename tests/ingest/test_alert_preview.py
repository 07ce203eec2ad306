"""A preview says what the rules, evaluated as it happened, have raised."""

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import duckdb
import pytest

from core.alert_preview import WouldBe, preview, read_history
from core.pipeline_rules import Rules, Thresholds
from core.store import alerts
from core.store.reader import OwnerReader
from core.store.stored_settings import put
from core.store.writer import Writer
from ingest.providers.github.parse import parse
from tests.builders import NOON, run_payload

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
# How often the rules are evaluated for what time alone makes true.
TICK = 10 * MINUTE
DAYS = 2

Event = tuple[float, dict[str, Any]]


def history(seed: int) -> list[Event]:
    """Runs of two workflows on two branches, some re-run, some slow, some never ended: (second, payload) in order."""
    chance = random.Random(seed)
    found: list[Event] = []
    for number in range(60):
        begun = float(chance.randrange(int(DAYS * 86400)))
        words: dict[str, Any] = {
            "run_id": 100 + number,
            "branch": chance.choice(["main", "main", "topic"]),
            "workflow_id": chance.choice([500, 501]),
            "created_at": None,
        }
        for attempt in (1, 2):
            length = chance.choice([60.0, 300.0, 1500.0])
            ends = chance.choice(["success", "success", "failure", "cancelled"])
            running = {"begun": begun, "updated": begun, "status": "in_progress", "conclusion": None}
            found.append((begun, run_payload(**words, attempt=attempt, **running)))
            if chance.random() < 0.05:
                break
            done = {"begun": begun, "updated": begun + length, "conclusion": ends}
            found.append((begun + length, run_payload(**words, attempt=attempt, **done)))
            if ends != "failure" or chance.random() < 0.6:
                break
            begun += length + 600
    return sorted(found, key=lambda event: event[0])


def lived(writer: Writer, database: duckdb.DuckDBPyConnection, events: list[Event]) -> list[tuple[Any, ...]]:
    """The alerts that came while the events happened one after the other, with the timer between them."""
    ticks = [(second, None) for second in range(0, int(DAYS * 86400), int(TICK.total_seconds()))]
    for second, payload in sorted([*events, *ticks], key=lambda event: event[0]):
        now = NOON + timedelta(seconds=second)
        if payload:
            changes = parse("workflow_run", payload)
            assert changes
            writer.submit_changes(changes).result()
        since = now - (MINUTE if payload else TICK)
        writer.transact(lambda cursor, since=since, now=now: alerts.evaluate(cursor, None, since, now)).result()  # type: ignore[misc]
    return database.execute(
        "SELECT pipeline_id, type, created_at, resolved_at FROM alerts ORDER BY created_at, type, pipeline_id"
    ).fetchall()


@pytest.mark.parametrize("seed", [1, 2])
def test_it_finds_the_alerts_that_came(seed: int, writer: Writer, database: duckdb.DuckDBPyConnection) -> None:
    came = lived(writer, database, history(seed))
    end = NOON + DAYS * DAY
    past = read_history(OwnerReader(database).frame, None, days=30, now=end)
    found = sorted(preview(past, Rules(), NOON - DAY, end), key=lambda alert: (alert.raised_at, alert.type))
    assert len(came) > 10
    for kind in ("pipeline_failure", "slow_build", "pipeline_down", "high_failure_rate"):
        expected = [row for row in came if row[1] == kind]
        actual = [alert for alert in found if alert.type == kind]
        assert len(expected) == len(actual), kind
        # Time alone makes an alert true between two ticks, and it is seen at the next.
        for (pipeline_id, _, created_at, resolved_at), alert in zip(expected, actual, strict=True):
            assert alert.pipeline_id == pipeline_id
            assert timedelta() <= created_at - alert.raised_at <= TICK
            if resolved_at and alert.resolved_at:
                assert abs(resolved_at - alert.resolved_at) <= TICK


def failures(writer: Writer, *, of: int, failed: int) -> None:
    for number in range(of):
        conclusion = "failure" if number < failed else "success"
        begun = number * 60.0
        changes = parse(
            "workflow_run", run_payload(run_id=number + 1, begun=begun, updated=begun + 30, conclusion=conclusion)
        )
        assert changes
        writer.submit_changes(changes).result()


@pytest.fixture
def tried(database: duckdb.DuckDBPyConnection) -> Callable[[Thresholds], list[WouldBe]]:
    def preview_with(thresholds: Thresholds) -> list[WouldBe]:
        end = NOON + timedelta(hours=1)
        past = read_history(OwnerReader(database).frame, None, days=1, now=end)
        return preview(past, Rules(thresholds), NOON - DAY, end)

    return preview_with


def test_other_thresholds_give_other_alerts(writer: Writer, tried: Callable[[Thresholds], list[WouldBe]]) -> None:
    failures(writer, of=10, failed=3)
    assert [alert.type for alert in tried(Thresholds())].count("high_failure_rate") == 1
    assert "high_failure_rate" not in [alert.type for alert in tried(Thresholds(failure_rate=0.9))]
    assert "slow_build" in [alert.type for alert in tried(Thresholds(slow_seconds=20))]


def test_nothing_is_changed_by_looking(
    writer: Writer, database: duckdb.DuckDBPyConnection, tried: Callable[[Thresholds], list[WouldBe]]
) -> None:
    failures(writer, of=10, failed=3)
    writer.transact(lambda cursor: put(cursor, {alerts.RULES: "{}"}, "ana", NOON)).result()
    tried(Thresholds())
    assert database.execute("SELECT count(*) FROM alerts").fetchone() == (0,)
