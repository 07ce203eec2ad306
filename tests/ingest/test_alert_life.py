"""The life of alerts and their noise in a real database, with the time passed in."""

import threading
from datetime import datetime, timedelta
from typing import Any

import duckdb
import pytest

from core.errors import Conflict
from core.store import alert_actions, alerts
from core.store.stored_settings import put
from core.store.telling import Policy
from core.store.writer import Writer
from ingest.providers.github.parse import parse
from tests.builders import NOON, run_payload

EVERYTHING = Policy(("slack", "mail"), "info")


class Team:
    """Sends runs of one pipeline, evaluates, and looks at what came of it."""

    def __init__(self, writer: Writer, database: duckdb.DuckDBPyConnection) -> None:
        self.writer, self.database, self.now, self.runs = writer, database, NOON, 0

    def finish(self, conclusion: str, *, after: timedelta = timedelta(minutes=1), **run: Any) -> None:
        """A run that finishes so long `after` the last, evaluated at that moment."""
        self.now += after
        self.runs += 1
        second = (self.now - NOON).total_seconds()
        changes = parse(
            "workflow_run",
            run_payload(run_id=self.runs, conclusion=conclusion, begun=second - 30, updated=second, **run),
        )
        assert changes
        self.writer.submit_changes(changes).result()
        self.evaluate()

    def evaluate(self, *, after: timedelta = timedelta()) -> None:
        self.now += after
        now, since = self.now, self.now - timedelta(days=1)
        self.writer.transact(lambda cursor: alerts.evaluate(cursor, None, since, now, EVERYTHING)).result()

    def rows(self, sql: str) -> list[Any]:
        return self.database.execute(sql).fetchall()

    def failures(self) -> list[str]:
        return [status for (status,) in self.rows(
            "SELECT status FROM alerts WHERE type = 'pipeline_failure' ORDER BY created_at, id"
        )]  # fmt: skip

    def told(self, channel: str = "slack") -> list[str]:
        return [kind for (kind,) in self.rows(
            f"""SELECT n.kind FROM notifications AS n JOIN alerts AS a ON a.id = n.alert_id
            WHERE n.channel = '{channel}' AND a.type = 'pipeline_failure' ORDER BY n.created_at"""
        )]  # fmt: skip

    def only_id(self) -> str:
        [(found,)] = self.rows("SELECT id FROM alerts WHERE type = 'pipeline_failure' AND status <> 'resolved'")
        return str(found)


@pytest.fixture
def team(writer: Writer, database: duckdb.DuckDBPyConnection) -> Team:
    return Team(writer, database)


def test_a_failure_its_recovery_and_the_next_failure_are_two_alerts(team: Team) -> None:
    team.finish("failure")
    team.finish("failure")
    assert team.failures() == ["active"]
    team.finish("success")
    assert team.failures() == ["resolved"]
    [(resolving,)] = team.rows("SELECT resolved_attempt_id FROM alerts WHERE type = 'pipeline_failure'")
    assert resolving == team.rows("SELECT max(id) FROM workflow_runs WHERE status = 'success'")[0][0]
    team.finish("failure", after=timedelta(hours=1))
    assert team.failures() == ["resolved", "active"]


def test_what_a_person_ended_stays_ended_until_it_fails_again(team: Team) -> None:
    team.finish("failure")
    alert_id, now = team.only_id(), team.now
    team.writer.transact(lambda cursor: alert_actions.resolve(cursor, alert_id, "ana", "known", now)).result()
    team.evaluate(after=timedelta(minutes=2))
    team.evaluate(after=timedelta(hours=2))
    assert team.failures() == ["resolved"]
    team.finish("failure")
    assert team.failures() == ["resolved", "active"]
    assert team.rows("SELECT occurrences, created_at FROM alerts WHERE status = 'active'") == [(1, team.now)]


def test_a_snooze_ends_by_itself(team: Team) -> None:
    team.finish("failure")
    alert_id, now, until = team.only_id(), team.now, team.now + timedelta(minutes=10)
    team.writer.transact(lambda cursor: alert_actions.snooze(cursor, alert_id, until, "ana", None, now)).result()
    team.evaluate(after=timedelta(minutes=9))
    assert team.failures() == ["snoozed"]
    team.evaluate(after=timedelta(minutes=1))
    assert team.failures() == ["active"]


def test_of_many_who_acknowledge_at_once_one_wins_and_the_others_see_who(team: Team) -> None:
    team.finish("failure")
    alert_id, now = team.only_id(), team.now
    outcomes: list[str | None] = []

    def take_on(name: str) -> None:
        try:
            team.writer.transact(lambda cursor: alert_actions.acknowledge(cursor, alert_id, name, None, now)).result()
        except Conflict as error:
            outcomes.append(error.message)
        else:
            outcomes.append(None)

    threads = [threading.Thread(target=take_on, args=(f"person {number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    [(winner,)] = team.rows(f"SELECT acknowledged_by FROM alerts WHERE id = '{alert_id}'")
    assert sorted(outcomes, key=str) == sorted([None, *[f"{winner} acknowledged this alert first."] * 7], key=str)
    assert team.rows("SELECT count(*) FROM alert_events WHERE kind = 'acknowledged'") == [(1,)]


def test_concurrent_evaluations_raise_one_alert(team: Team) -> None:
    changes = parse("workflow_run", run_payload(conclusion="failure"))
    assert changes
    team.writer.submit_changes(changes).result()
    threads = [threading.Thread(target=team.evaluate) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert team.failures() == ["active"]
    assert team.told() == ["raised"]


def test_an_alert_that_comes_back_within_five_minutes_is_not_told_again(team: Team) -> None:
    team.finish("failure")
    team.finish("success")
    team.finish("failure", after=timedelta(minutes=2))
    assert team.told() == ["raised", "resolved"]


def test_an_alert_that_comes_and_goes_is_told_three_times_an_hour(team: Team) -> None:
    for _ in range(6):
        team.finish("failure", after=timedelta(minutes=6))
        team.finish("success")
    assert team.told().count("raised") == 3
    notes = team.rows("""SELECT n.payload ->> 'is_flapping'
        FROM notifications AS n JOIN alerts AS a ON a.id = n.alert_id
        WHERE n.channel = 'slack' AND n.kind = 'raised' AND a.type = 'pipeline_failure' ORDER BY n.created_at""")
    assert notes == [("false",), ("false",), ("true",)], "the last message says that the next are held"
    assert team.rows("""SELECT count(*) FROM alert_events AS e JOIN alerts AS a ON a.id = e.alert_id
        WHERE e.kind = 'held_flapping' AND a.type = 'pipeline_failure'""") == [(3,)]
    team.finish("failure", after=timedelta(hours=1))
    assert team.told().count("raised") == 4


def test_a_weekly_window_holds_messages_each_week(team: Team) -> None:
    starts, ends = NOON + timedelta(hours=1), NOON + timedelta(hours=3)
    team.writer.transact(
        lambda cursor: cursor.execute(
            "INSERT INTO silences VALUES ('s1', ?, ?, NULL, NULL, 'main', NULL, 'backup', 'ana', ?, 'weekly', NULL)",
            [starts, ends, NOON],
        )
    ).result()
    heard: dict[datetime, int] = {}
    for week in range(2):
        for hour in (0.5, 2.0, 3.5):
            moment = NOON + timedelta(weeks=week, hours=hour)
            before = team.told().count("raised")
            team.finish("failure", after=moment - team.now)
            heard[moment] = team.told().count("raised") - before
            team.finish("success", after=timedelta(minutes=1))
    assert list(heard.values()) == [1, 0, 1] * 2


def test_a_route_decides_who_hears(team: Team) -> None:
    text = '{"routes": [{"repository": "acme/*", "channels": ["mail"]}]}'
    team.writer.transact(lambda cursor: put(cursor, {alerts.ROUTES: text}, "ana", NOON)).result()
    team.finish("failure")
    assert (team.told("slack"), team.told("mail")) == ([], ["raised"])
