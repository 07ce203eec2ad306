"""Alerts and their messages in the database: who may do what, what refuses, and in which words."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import duckdb
import orjson
import pytest

from core.alert_groups import Queued
from core.errors import BadRequest, Conflict, DashboardError, NotFound
from core.model import WorkflowRun
from core.store import alert_actions, outbox
from core.store.alert_actions import Refused
from core.store.alerts import Finished
from ingest.providers.github.parse import parse
from tests.builders import NOON, run_payload

MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)
Database = duckdb.DuckDBPyConnection


def rows(database: Database, sql: str) -> list[Any]:
    return database.execute(sql).fetchall()


@pytest.fixture
def open_alert(database: Database) -> Callable[[str], None]:
    def insert(name: str) -> None:
        database.execute(
            """INSERT INTO alerts (id, type, severity, status, pipeline_id, message, dedup_key, occurrences,
            created_at, last_seen_at) VALUES (?, 'slow_build', 'warning', 'active', 'p', 'm', ?, 1, ?, ?)""",
            [name, name, NOON, NOON],
        )

    return insert


def refusal(kind: type[DashboardError], act: Callable[[], object]) -> tuple[str, dict[str, object]]:
    with pytest.raises(kind) as caught:
        act()
    return str(caught.value), caught.value.details


def test_an_alert_is_acknowledged_snoozed_and_ended_with_a_history(
    database: Database, open_alert: Callable[[str], None]
) -> None:
    open_alert("a1")
    cursor = database.cursor()
    alert_actions.snooze(cursor, "a1", NOON + MINUTE, "ana", "later", NOON)
    state = "SELECT status, acknowledged_by, acknowledged_at, note, snoozed_until, resolved_by, resolved_at FROM alerts"
    assert rows(database, state) == [("snoozed", None, None, "later", NOON + MINUTE, None, None)]
    alert_actions.acknowledge(cursor, "a1", "bo", "mine", NOON + SECOND)
    assert rows(database, state) == [("acknowledged", "bo", NOON + SECOND, "mine", None, None, None)]
    alert_actions.snooze(cursor, "a1", NOON + MINUTE, "ana", None, NOON)
    assert rows(database, state)[0][3] == "mine", "a note stays until there is another"
    alert_actions.resolve(cursor, "a1", "cy", "done", NOON + MINUTE)
    assert rows(database, state) == [("resolved", "bo", NOON + SECOND, "done", None, "cy", NOON + MINUTE)]
    assert rows(database, "SELECT * FROM alert_events") == [
        ("a1", NOON, "snoozed", "ana", "later", None),
        ("a1", NOON + SECOND, "acknowledged", "bo", "mine", None),
        ("a1", NOON, "snoozed", "ana", None, None),
        ("a1", NOON + MINUTE, "resolved", "cy", "done", None),
    ]


def test_whoever_comes_second_is_told_who_was_first(database: Database, open_alert: Callable[[str], None]) -> None:
    for name in ("a1", "a2", "a3"):
        open_alert(name)
    cursor = database.cursor()
    alert_actions.acknowledge(cursor, "a1", "ana", None, NOON)
    words = ("ana acknowledged this alert first.", {"status": "acknowledged", "by": "ana", "at": NOON.isoformat()})
    assert refusal(Conflict, lambda: alert_actions.acknowledge(cursor, "a1", "bo", None, NOON)) == words
    alert_actions.resolve(cursor, "a2", "cy", None, NOON)
    over = ("The alert was resolved by cy meanwhile.", {"status": "resolved", "by": "cy"})
    for act in (
        lambda: alert_actions.acknowledge(cursor, "a2", "bo", None, NOON),
        lambda: alert_actions.snooze(cursor, "a2", NOON + MINUTE, "bo", None, NOON),
        lambda: alert_actions.resolve(cursor, "a2", "bo", None, NOON),
    ):
        assert refusal(Conflict, act) == over
    missing = ("There is no such alert.", {"id": "lost"})
    assert refusal(NotFound, lambda: alert_actions.resolve(cursor, "lost", "bo", None, NOON)) == missing
    late = ("until must lie in the future.", {"until": NOON.isoformat()})
    assert refusal(BadRequest, lambda: alert_actions.snooze(cursor, "a3", NOON, "bo", None, NOON)) == late
    assert alert_actions.acknowledge_all(cursor, ["a3", "a1", "lost", "a3", "a2"], "bo", "n", NOON) == [
        Refused("a1", words[0]), Refused("lost", missing[0]), Refused("a2", over[0])
    ]  # fmt: skip
    assert rows(database, "SELECT acknowledged_by, note FROM alerts WHERE id = 'a3'") == [("bo", "n")]


@pytest.fixture
def queued(database: Database) -> Callable[..., None]:
    def insert(name: str, channel: str = "slack", status: str = "pending", **words: Any) -> None:
        usual: dict[str, Any] = {"kind": "raised", "attempts": 0, "created_at": NOON, "next_attempt_at": None}
        columns = usual | {"sent_at": None, "repository": "acme/web"} | words
        facts = {"dedup_key": name, "repository": columns["repository"]} | columns.pop("facts", {})
        payload = orjson.dumps(facts).decode()
        columns |= {"id": name, "channel": channel, "status": status, "payload": payload}
        marks = ", ".join("?" for _ in columns)
        database.execute(f"INSERT INTO notifications ({', '.join(columns)}) VALUES ({marks})", list(columns.values()))

    return insert


def claimed(database: Database, now: Any, gather: timedelta = MINUTE) -> list[str]:
    return [message.id for message in outbox.claim(database.cursor(), "slack", now, gather)]


def test_what_was_claimed_is_lent_for_three_minutes(database: Database, queued: Callable[..., None]) -> None:
    queued("m1")
    queued("m2", created_at=NOON + SECOND)
    queued("m3", channel="mail")
    assert claimed(database, NOON) == ["m1", "m2"]
    lent = "SELECT id, status, next_attempt_at FROM notifications ORDER BY id"
    until = NOON + 3 * MINUTE
    assert rows(database, lent) == [("m1", "sending", until), ("m2", "sending", until), ("m3", "pending", None)]
    assert claimed(database, until - SECOND) == []
    assert claimed(database, until) == ["m1", "m2"]
    outbox.give_back(database.cursor())
    assert rows(database, lent)[0] == ("m1", "pending", None)


@pytest.mark.parametrize(
    ("rests", "goes"),
    [(timedelta(), True), (SECOND, False), (2 * 60 * MINUTE, False), (2 * 60 * MINUTE + SECOND, True)],
)
def test_a_channel_rests_until_its_next_attempt_but_no_longer_than_two_hours(
    rests: timedelta, goes: bool, database: Database, queued: Callable[..., None]
) -> None:
    """A longer rest was ordered by a clock that was wrong."""
    queued("m1", next_attempt_at=NOON + rests)
    queued("m2", created_at=NOON + SECOND)
    assert claimed(database, NOON) == (["m1", "m2"] if goes else [])


def test_a_claimed_message_is_what_was_queued_with_why_the_run_failed(
    database: Database, queued: Callable[..., None]
) -> None:
    queued("m1", attempts=2, facts={"attempt_id": "a1"})
    database.execute(
        """INSERT INTO job_logs (job_id, attempt_id, fetched_at, status, size_bytes, is_cut, excerpt)
        VALUES ('j1', 'a1', ?, 'kept', 1, FALSE, 'Error: boom')""",
        [NOON],
    )
    [message] = outbox.claim(database.cursor(), "slack", NOON, MINUTE)
    facts = {"dedup_key": "m1", "repository": "acme/web", "attempt_id": "a1"}
    assert message == Queued("m1", "raised", 2, NOON, facts | {"excerpt": "Error: boom"})
    queued("m2", channel="mail", kind="resolved", attempts=1, facts={"attempt_id": "a1"})
    [other] = outbox.claim(database.cursor(), "mail", NOON, MINUTE)
    assert other == Queued("m2", "resolved", 1, NOON, facts | {"dedup_key": "m2"})


@pytest.mark.parametrize(
    ("ago", "goes"), [(timedelta(), False), (MINUTE - SECOND, False), (MINUTE, True), (-SECOND, True)]
)
def test_messages_gather_behind_the_last_that_was_sent(
    ago: timedelta, goes: bool, database: Database, queued: Callable[..., None]
) -> None:
    queued("before", status="sent", sent_at=NOON - ago)
    queued("elsewhere", channel="mail", status="sent", sent_at=NOON)
    queued("m1")
    assert claimed(database, NOON) == (["m1"] if goes else [])


def test_a_message_that_failed_waits_or_failed_for_good_and_one_that_was_sent_is_done(
    database: Database, queued: Callable[..., None]
) -> None:
    for name in ("m1", "m2", "m3"):
        queued(name, attempts=1, error="before")
    waiting = {message.id: message for message in outbox.claim(database.cursor(), "slack", NOON, MINUTE)}
    outbox.mark_failed(database.cursor(), [waiting["m1"]], "x" * 600, NOON + MINUTE)
    outbox.mark_failed(database.cursor(), [waiting["m2"]], "gone", None)
    outbox.mark_sent(database.cursor(), [waiting["m3"]], NOON)
    found = "SELECT id, status, attempts, error, next_attempt_at, sent_at FROM notifications ORDER BY id"
    assert rows(database, found) == [
        ("m1", "pending", 2, "x" * 500, NOON + MINUTE, None),
        ("m2", "failed", 2, "gone", None, None),
        ("m3", "sent", 2, None, None, NOON),
    ]


def test_a_message_is_sent_again_where_that_makes_sense(database: Database, queued: Callable[..., None]) -> None:
    queued("failed", status="failed")
    queued("waits", next_attempt_at=NOON + MINUTE)
    queued("mail", channel="mail", next_attempt_at=NOON + MINUTE)
    queued("sent", status="sent")
    queued("sending", status="sending")
    cursor = database.cursor()
    known = ("slack",)
    assert outbox.retry(cursor, "failed", known, NOON) == "slack"
    assert rows(database, "SELECT id, status, next_attempt_at FROM notifications ORDER BY id") == [
        ("failed", "pending", NOON), ("mail", "pending", NOON + MINUTE), ("sending", "sending", None),
        ("sent", "sent", None), ("waits", "pending", NOON),
    ]  # fmt: skip
    for name, kind, words in (
        ("lost", NotFound, ("There is no such message.", {"id": "lost"})),
        ("mail", Conflict, ("The channel mail is no longer configured.", {})),
        ("sent", Conflict, ("The message was sent already.", {"status": "sent"})),
        ("sending", Conflict, ("The message is being sent.", {"status": "sending"})),
    ):
        assert refusal(kind, lambda name=name: outbox.retry(cursor, name, known, NOON)) == words  # type: ignore[misc]


def _run(number: int, second: float, **words: Any) -> WorkflowRun:
    changes = parse("workflow_run", run_payload(run_id=number, begun=second - 60, updated=second, **words))
    assert changes
    return changes.runs[0]


def test_the_earliest_finish_of_each_pipeline_is_noted_until_somebody_takes_it() -> None:
    finished = Finished()
    assert not finished.add([_run(1, 60, status="in_progress", conclusion=None), _run(2, 60, conclusion="cancelled")])
    later, earlier, other = _run(3, 90), _run(4, 60, conclusion="failure"), _run(5, 99, workflow_id=501)
    assert finished.add([later, earlier, later, other])
    assert finished.add([])
    taken = finished.take()
    assert taken == {later.pipeline_id: NOON + MINUTE, other.pipeline_id: NOON + 99 * SECOND}
    assert finished.take() == {}
    finished.note(taken)
    finished.note({later.pipeline_id: NOON, other.pipeline_id: NOON + 9 * MINUTE})
    assert finished.take() == {later.pipeline_id: NOON, other.pipeline_id: NOON + 99 * SECOND}
