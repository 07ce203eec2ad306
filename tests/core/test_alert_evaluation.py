"""The evaluation of all rules in the database: which runs it names as causes, and what it writes of them."""

from datetime import datetime, timedelta
from typing import Any

import duckdb
import orjson
import pytest

from core.store import alert_actions
from core.store.alerts import RULES, evaluate
from core.store.stored_settings import put
from core.store.writer import Writer
from ingest.providers.github.parse import parse
from tests.builders import NOON, run_payload

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
ALERTS = """SELECT type, severity, branch, attempt_id, message, occurrences, created_at, last_seen_at FROM alerts
    ORDER BY type"""
EVENTS = "SELECT occurred_at, kind, actor, note, attempt_id FROM alert_events ORDER BY occurred_at, kind"


class Company:
    """Stores runs, evaluates, and looks at the tables. Times are minutes after NOON."""

    def __init__(self, writer: Writer, database: duckdb.DuckDBPyConnection) -> None:
        self.writer, self.database = writer, database

    def ran(self, run_id: int, begun: float, updated: float, conclusion: str | None = "success", **run: Any) -> None:
        status = "completed" if conclusion else "in_progress"
        changes = parse(
            "workflow_run",
            run_payload(
                run_id=run_id, begun=begun * 60, updated=updated * 60, status=status, conclusion=conclusion, **run
            ),
        )
        assert changes
        self.writer.submit_changes(changes).result()

    def rule(self, **thresholds: float) -> None:
        """As people set it for all pipelines; what isn't given hardly ever applies."""
        text = orjson.dumps({"default": {"failure_rate": 1, "down_hours": 9e5, "slow_seconds": 9e5} | thresholds})
        self.writer.transact(lambda cursor: put(cursor, {RULES: text.decode()}, "ana", NOON)).result()

    def evaluate(self, minutes: float, pipelines: list[str] | None = None, since: datetime = NOON - HOUR) -> None:
        now = NOON + minutes * MINUTE
        self.writer.transact(lambda cursor: evaluate(cursor, pipelines, since, now)).result()

    def rows(self, sql: str) -> list[Any]:
        return self.database.execute(sql).fetchall()


@pytest.fixture
def company(writer: Writer, database: duckdb.DuckDBPyConnection) -> Company:
    return Company(writer, database)


def test_a_slow_run_is_the_cause_while_it_runs_and_once_it_ended(company: Company) -> None:
    company.rule(slow_seconds=300)
    company.ran(1, 0, 1)
    company.ran(2, 2, 2, None)
    company.ran(3, 5, 5, None)
    company.evaluate(7)
    assert company.rows(ALERTS) == []
    company.evaluate(8)
    at = NOON + 8 * MINUTE
    slow = ("slow_build", "warning", None, "gh-10-2-1", "CI is slower than usual", 1, at, at)
    assert company.rows(ALERTS) == [slow]
    assert company.rows(EVENTS) == [(at, "raised", "system", None, "gh-10-2-1")]
    company.ran(3, 5, 9)
    company.ran(2, 2, 14)
    company.evaluate(15)
    assert company.rows(ALERTS) == [slow], "the same run"
    company.ran(4, 16, 17)
    company.evaluate(18)
    state = "SELECT status, resolved_at, resolved_by, resolved_attempt_id FROM alerts ORDER BY created_at"
    over = ("resolved", NOON + 18 * MINUTE, "system", "gh-10-4-1")
    assert company.rows(state) == [over]
    assert company.rows(EVENTS)[-1] == (over[1], "resolved", "system", None, "gh-10-4-1")
    company.ran(5, 20, 30)
    company.evaluate(40)
    assert company.rows(state) == [over, ("active", None, None, None)]
    assert company.rows("SELECT created_at, attempt_id FROM alerts WHERE status = 'active'") == [
        (NOON + 30 * MINUTE, "gh-10-5-1")
    ]


def test_the_newest_failure_is_the_cause_of_being_down_and_without_one_the_newest_run(company: Company) -> None:
    company.rule(down_hours=2)
    company.ran(1, 0, 1)
    company.ran(2, 30, 31, "failure", branch="topic")
    company.ran(3, 40, 41, "failure", branch="topic")
    company.ran(4, 0, 1, workflow_id=501)
    company.evaluate(121)
    assert [row[0] for row in company.rows(ALERTS)] == ["pipeline_failure"]
    company.evaluate(122)
    assert company.rows("SELECT attempt_id FROM alerts WHERE type = 'pipeline_down' ORDER BY 1") == [
        ("gh-10-3-1",), ("gh-10-4-1",)
    ]  # fmt: skip


def test_a_failure_its_repetition_and_its_end_are_events_of_the_runs_that_caused_them(company: Company) -> None:
    company.ran(1, 0, 1, "failure")
    company.evaluate(1)
    company.ran(2, 2, 3, "failure")
    company.evaluate(3)
    company.ran(3, 4, 5)
    company.evaluate(5)
    kinds = [("raised", 1, 1), ("repeated", 3, 2), ("resolved", 5, 3)]
    of_failure = EVENTS.replace(
        "ORDER", "WHERE alert_id IN (SELECT id FROM alerts WHERE type = 'pipeline_failure') ORDER"
    )
    assert company.rows(of_failure) == [
        (NOON + minute * MINUTE, kind, "system", None, f"gh-10-{run}-1") for kind, minute, run in kinds
    ]


def test_only_pipelines_that_were_asked_for_are_looked_at(company: Company) -> None:
    company.ran(1, 0, 1, "failure")
    company.ran(2, 0, 1, "failure", workflow_id=501, workflow="Deploy")
    company.evaluate(2, ["gh-10-501"])
    assert {row[4] for row in company.rows(ALERTS)} == {"Deploy failed on main"}
    company.evaluate(2)
    assert {row[4] for row in company.rows(ALERTS)} == {"Deploy failed on main", "CI failed on main"}


def test_an_old_failure_on_a_branch_is_no_news(company: Company) -> None:
    company.ran(1, 0, 1, "failure", branch="topic")
    company.evaluate(7 * 24 * 60 + 2)
    assert "pipeline_failure" not in [row[0] for row in company.rows(ALERTS)]
    company.evaluate(7 * 24 * 60 + 1)
    assert "pipeline_failure" in [row[0] for row in company.rows(ALERTS)]


def test_what_a_person_ended_is_raised_again_by_another_run_only(company: Company) -> None:
    company.ran(1, 0, 1, "failure")
    company.evaluate(1)
    [(alert_id,)] = company.rows("SELECT id FROM alerts WHERE type = 'pipeline_failure'")
    ended = NOON + 2 * MINUTE
    company.writer.transact(lambda cursor: alert_actions.resolve(cursor, alert_id, "ana", None, ended)).result()
    company.ran(1, 0, 3, "failure")  # told of later: the same attempt
    company.evaluate(4)
    assert company.rows("SELECT count(*) FROM alerts WHERE type = 'pipeline_failure'") == [(1,)]
    company.ran(2, 4, 5, "failure")
    company.evaluate(5)
    assert company.rows("SELECT count(*) FROM alerts WHERE type = 'pipeline_failure'") == [(2,)]


def test_a_snooze_that_is_over_is_an_event_of_the_system(company: Company) -> None:
    company.ran(1, 0, 1, "failure")
    company.evaluate(1)
    [(alert_id,)] = company.rows("SELECT id FROM alerts WHERE type = 'pipeline_failure'")
    until = NOON + 30 * MINUTE
    company.writer.transact(lambda cursor: alert_actions.snooze(cursor, alert_id, until, "ana", None, NOON)).result()
    company.evaluate(29)
    company.evaluate(30)
    assert [row[1:] for row in company.rows(EVENTS)][-1] == ("woken", "system", None, None)
