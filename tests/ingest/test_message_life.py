"""What holds a message back, what lets it go, and who sends it: in a real database, with the time passed in."""

from datetime import datetime, timedelta
from typing import Any

import duckdb
import orjson
import pytest

from core.alert_groups import Queued
from core.errors import Conflict
from core.silences import Silence
from core.store import alert_actions, alerts, outbox, silences
from core.store.stored_settings import put
from core.store.writer import Writer
from tests.builders import NOON
from tests.ingest.test_alert_life import Team

MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)
NO_WAIT = timedelta()


@pytest.fixture
def team(writer: Writer, database: duckdb.DuckDBPyConnection) -> Team:
    return Team(writer, database)


def claim(team: Team, now: datetime, channel: str = "slack", gather: timedelta = NO_WAIT) -> list[Queued]:
    return team.writer.transact(lambda cursor: outbox.claim(cursor, channel, now, gather)).result()


def silence(team: Team, *, minutes: int, **matchers: Any) -> None:
    made = Silence("s1", team.now, team.now + minutes * MINUTE, **matchers)
    now = team.now
    team.writer.transact(lambda cursor: silences.add(cursor, made, "backup", "ana", now)).result()


def held(team: Team) -> Any:
    return team.rows("SELECT held FROM alerts WHERE type = 'pipeline_failure' AND status <> 'resolved'")[0][0]


def notes(team: Team) -> list[str]:
    rows = team.rows("SELECT kind FROM alert_events WHERE kind LIKE 'held%' OR kind = 'released' ORDER BY occurred_at")
    return [kind for (kind,) in rows]


def test_what_came_back_within_minutes_and_stays_is_told_when_they_are_over(team: Team) -> None:
    team.finish("failure")
    team.finish("success")
    team.finish("failure")
    assert (team.told(), held(team)) == (["raised", "resolved"], "repeated")
    team.evaluate(after=4 * MINUTE)
    assert team.told() == ["raised", "resolved", "raised"]
    assert held(team) is None
    assert notes(team) == ["held_repeated", "released"]


def test_what_one_reason_no_longer_holds_another_may_and_each_is_noted(team: Team) -> None:
    team.finish("failure")
    team.finish("success")
    silence(team, minutes=2, repository="acme/*")
    team.finish("failure")
    assert held(team) == "silenced"
    team.evaluate(after=MINUTE)
    assert held(team) == "repeated"
    team.evaluate(after=3 * MINUTE)
    assert notes(team) == ["held_silenced", "held_repeated", "released"]


def test_what_is_held_and_has_nobody_to_hear_of_it_any_more_is_let_go(team: Team) -> None:
    team.finish("failure")
    team.finish("success")
    team.finish("failure")
    nobody = orjson.dumps({"routes": [{"channels": []}]}).decode()
    team.writer.transact(lambda cursor: put(cursor, {alerts.ROUTES: nobody}, "ana", NOON)).result()
    team.evaluate()
    assert (held(team), notes(team)) == (None, ["held_repeated", "released"])
    assert team.told() == ["raised", "resolved"]


def test_what_was_held_and_ended_was_never_told(team: Team) -> None:
    team.finish("failure")
    team.finish("success")
    team.finish("failure")
    team.finish("success")
    team.evaluate(after=10 * MINUTE)
    assert team.told() == ["raised", "resolved"]


def test_what_is_still_wrong_after_a_silence_is_told_then(team: Team) -> None:
    silence(team, minutes=30, repository="acme/*")
    team.finish("failure")
    team.evaluate(after=10 * MINUTE)
    assert (team.told(), held(team)) == ([], "silenced")
    team.evaluate(after=20 * MINUTE)
    assert team.told() == ["raised"]


def test_what_somebody_took_on_meanwhile_is_not_told(team: Team) -> None:
    silence(team, minutes=30)
    team.finish("failure")
    alert_id, now = team.only_id(), team.now
    team.writer.transact(lambda cursor: alert_actions.acknowledge(cursor, alert_id, "ana", None, now)).result()
    team.evaluate(after=60 * MINUTE)
    assert team.told() == []


def test_a_pipeline_that_comes_and_goes_and_stays_broken_is_told_in_the_end(team: Team) -> None:
    for _ in range(4):
        team.finish("failure", after=6 * MINUTE)
        team.finish("success")
    team.finish("failure", after=6 * MINUTE)
    assert (team.told().count("raised"), held(team)) == (3, "flapping")
    team.evaluate(after=61 * MINUTE)
    assert team.told().count("raised") == 4


def test_why_a_run_failed_is_in_the_message_even_if_its_log_came_later(team: Team) -> None:
    team.finish("failure")
    [(attempt,)] = team.rows("SELECT attempt_id FROM alerts WHERE type = 'pipeline_failure'")
    team.writer.transact(
        lambda cursor: cursor.execute(
            "INSERT INTO job_logs (job_id, attempt_id, fetched_at, status, size_bytes, is_cut, excerpt) "
            "VALUES ('j', ?, ?, 'kept', 1, FALSE, 'E   assert 1 == 2')",
            [attempt, NOON],
        )
    ).result()
    [message] = [message for message in claim(team, team.now) if message.facts["type"] == "pipeline_failure"]
    assert message.facts["excerpt"] == "E   assert 1 == 2"


def test_a_message_has_one_sender_at_a_time_until_its_lease_is_over(team: Team) -> None:
    team.finish("failure")
    [first, *_] = claim(team, team.now)
    assert claim(team, team.now + MINUTE) == []
    [again, *_] = claim(team, team.now + outbox.LEASE)
    assert again.id == first.id


def test_what_a_killed_process_was_sending_waits_again_at_the_next_start(team: Team) -> None:
    team.finish("failure")
    [first, *_] = claim(team, team.now)
    team.writer.transact(outbox.give_back).result()
    assert claim(team, team.now)[0].id == first.id


def test_a_channel_that_rests_holds_up_no_other(team: Team) -> None:
    team.finish("failure")
    claimed, later = claim(team, team.now), team.now + MINUTE
    team.writer.transact(lambda cursor: outbox.mark_failed(cursor, claimed, "503", later)).result()
    assert claim(team, team.now + SECOND) == []
    assert claim(team, team.now + SECOND, "mail")
    assert claim(team, later)


def test_a_message_that_was_sent_is_not_sent_again(team: Team) -> None:
    team.finish("failure")
    claimed, now = claim(team, team.now), team.now
    team.writer.transact(lambda cursor: outbox.mark_sent(cursor, claimed, now)).result()
    with pytest.raises(Conflict, match="sent already"):
        team.writer.transact(lambda cursor: outbox.retry(cursor, claimed[0].id, ["slack"], now)).result()
    with pytest.raises(Conflict, match="no longer configured"):
        team.writer.transact(lambda cursor: outbox.retry(cursor, claimed[0].id, ["mail"], now)).result()


def test_after_ten_minutes_without_a_sink_all_is_delivered_in_order(team: Team) -> None:
    """Each alert a minute fails or recovers; attempts fail meanwhile; then the sink is back."""
    for step in range(10):
        team.finish("failure" if step % 2 == 0 else "success", workflow=f"W{step // 2}", workflow_id=600 + step // 2)
        for message in [claim(team, team.now)]:
            again = team.now + 30 * SECOND
            team.writer.transact(
                lambda cursor, message=message, again=again: outbox.mark_failed(cursor, message, "503", again)  # type: ignore[misc]
            ).result()
    waiting = [row[0] for row in team.rows("SELECT id FROM notifications WHERE channel = 'slack'")]
    delivered: list[Queued] = []
    now = team.now + MINUTE
    while group := claim(team, now):
        delivered += group
        team.writer.transact(lambda cursor, group=group, now=now: outbox.mark_sent(cursor, group, now)).result()  # type: ignore[misc]
        now += SECOND
    assert sorted(message.id for message in delivered) == sorted(waiting)
    threads: dict[str, list[str]] = {}
    for message in delivered:
        threads.setdefault(message.thread, []).append(message.kind)
    assert all(kinds == ["raised", "resolved"][: len(kinds)] for kinds in threads.values())
    assert len(threads) >= 5
