"""A clock that jumps: what can't be undone isn't done, and what it stamped holds up nothing once it is set right."""

from datetime import UTC, datetime, timedelta

import duckdb

from core.model import Delivery
from core.store import outbox
from core.store.alerts import evaluate
from core.store.believable import believable, newest_activity, set_back
from core.store.polling import forget_old
from core.store.retention import apply_retention
from core.store.telling import Policy
from core.store.writer import Writer
from ingest.providers.github.parse import parse
from tests.builders import NOON, run_payload

YEAR = timedelta(days=365)
AT_NIGHT = NOON + timedelta(hours=10)
SLACK = Policy(("slack",), "info")


def stored(
    writer: Writer,
    number: int,
    *,
    conclusion: str = "success",
    seconds: float = 60,
    received_at: datetime | None = None,
) -> None:
    payload = run_payload(run_id=number, conclusion=conclusion, begun=seconds - 60, updated=seconds)
    changes = parse("workflow_run", payload)
    assert changes
    at = NOON if received_at is None else received_at
    delivery = Delivery("github-actions", str(number), "workflow_run", None, at, "processed", None, "{}", changes)
    writer.submit_delivery(delivery).result()


def count(database: duckdb.DuckDBPyConnection, table: str) -> int:
    return database.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0]


def test_a_clock_that_jumps_ahead_removes_nothing(writer: Writer, database: duckdb.DuckDBPyConnection) -> None:
    stored(writer, 1)
    database.execute(
        """INSERT INTO job_logs (job_id, attempt_id, fetched_at, status, size_bytes, is_cut)
        VALUES ('a-job', 'an-attempt', ?, 'kept', 1, FALSE)""",
        [NOON],
    )
    apply_retention(database, AT_NIGHT + YEAR, delivery_days=7, run_days=30)
    forget_old(database, AT_NIGHT + YEAR, log_days=30)
    assert [count(database, table) for table in ("workflow_runs", "deliveries", "job_logs")] == [1, 1, 1]


def test_of_a_clock_that_jumps_one_day_after_the_newest_run_is_believed(
    writer: Writer, database: duckdb.DuckDBPyConnection
) -> None:
    stored(writer, 1, received_at=NOON - timedelta(days=5.5))
    database.execute(
        """INSERT INTO job_logs (job_id, attempt_id, fetched_at, status, size_bytes, is_cut)
        VALUES ('a-job', 'an-attempt', ?, 'kept', 1, FALSE)""",
        [NOON - timedelta(days=28.5)],
    )
    apply_retention(database, NOON + YEAR, delivery_days=7, run_days=0)
    forget_old(database, NOON + YEAR, log_days=30)
    assert [count(database, table) for table in ("deliveries", "job_logs")] == [1, 1]
    apply_retention(database, NOON + YEAR, delivery_days=6, run_days=0)
    forget_old(database, NOON + YEAR, log_days=29)
    assert [count(database, table) for table in ("deliveries", "job_logs")] == [0, 0]


def test_time_that_runs_show_removes_what_is_old(writer: Writer, database: duckdb.DuckDBPyConnection) -> None:
    stored(writer, 1)
    stored(writer, 2, seconds=40 * 86_400)
    removed = apply_retention(database, NOON + timedelta(days=40, hours=1), delivery_days=7, run_days=30)
    assert removed["runs"] == 1
    assert count(database, "workflow_runs") == 1


def test_a_clock_that_is_behind_raises_nothing_that_was_ended_long_ago(
    writer: Writer, database: duckdb.DuckDBPyConnection
) -> None:
    stored(writer, 1, conclusion="failure")
    stored(writer, 2, seconds=40 * 86_400, conclusion="success", received_at=NOON + timedelta(days=40))
    database.execute("UPDATE workflow_runs SET branch = 'other' WHERE run_id = '2'")
    now = NOON + timedelta(days=40) - YEAR
    assert evaluate(database, None, now - timedelta(minutes=10), now, SLACK) == []


def test_a_run_that_a_ci_system_dates_ahead_hides_no_failure_from_the_timer(
    writer: Writer, database: duckdb.DuckDBPyConnection
) -> None:
    stored(writer, 1, conclusion="failure")
    stored(writer, 2, conclusion="success", seconds=40 * 86_400)
    database.execute("UPDATE workflow_runs SET branch = 'other' WHERE run_id = '2'")
    now = NOON + timedelta(minutes=5)
    assert [decision.finding.type for decision in evaluate(database, None, NOON, now, SLACK) if decision.finding] == [
        "pipeline_failure"
    ]


def test_a_message_that_waits_by_a_clock_of_the_future_goes_out_once_it_is_set_right(
    writer: Writer, database: duckdb.DuckDBPyConnection
) -> None:
    stored(writer, 1, conclusion="failure")
    ahead = AT_NIGHT + YEAR
    evaluate(database, None, NOON - timedelta(days=1), AT_NIGHT, SLACK)
    [message] = outbox.claim(database, "slack", ahead, timedelta())
    assert outbox.claim(database, "slack", ahead, timedelta()) == []
    outbox.mark_failed(database, [message], "Slack is away.", ahead + timedelta(minutes=5))
    assert outbox.claim(database, "slack", ahead, timedelta()) == []
    [again] = outbox.claim(database, "slack", AT_NIGHT, timedelta())
    assert again.id == message.id


def test_a_message_sent_by_a_clock_of_the_future_holds_up_none_of_its_repository(
    writer: Writer, database: duckdb.DuckDBPyConnection
) -> None:
    gather = timedelta(minutes=5)
    stored(writer, 1, conclusion="failure")
    evaluate(database, None, NOON - timedelta(days=1), AT_NIGHT, SLACK)
    sent = outbox.claim(database, "slack", AT_NIGHT, gather)
    outbox.mark_sent(database, sent, datetime(2027, 1, 1, tzinfo=UTC))
    database.execute(
        """INSERT INTO notifications
        SELECT * REPLACE ('next' AS id, 'pending' AS status, NULL AS sent_at) FROM notifications"""
    )
    assert [each.id for each in outbox.claim(database, "slack", AT_NIGHT, gather)] == ["next"]


def test_a_clock_is_believed_as_far_as_runs_confirm_it(writer: Writer, database: duckdb.DuckDBPyConnection) -> None:
    assert newest_activity(database) is None
    assert believable(database, NOON + YEAR) == NOON + YEAR, "without a run nothing says otherwise"
    stored(writer, 1, seconds=60)
    newest = newest_activity(database)
    assert newest == NOON + timedelta(seconds=60)
    day = timedelta(days=1)
    assert believable(database, NOON + YEAR) == newest + 8 * day
    assert believable(database, NOON + 5 * day) == NOON + 5 * day
    assert believable(database, NOON + YEAR, day) == newest + day


def test_a_clock_is_behind_by_what_both_runs_and_arrivals_show(
    writer: Writer, database: duckdb.DuckDBPyConnection
) -> None:
    assert set_back(database, NOON) == timedelta()
    stored(writer, 1, seconds=600, received_at=NOON + timedelta(seconds=300))
    assert set_back(database, NOON) == timedelta(seconds=300), "a CI system's clock may be ahead"
    assert set_back(database, NOON + timedelta(seconds=400)) == timedelta()
    database.execute("UPDATE deliveries SET received_at = ?", [NOON + YEAR])
    assert set_back(database, NOON) == timedelta(seconds=600)
    database.execute("DELETE FROM deliveries")
    assert set_back(database, NOON) == timedelta()
