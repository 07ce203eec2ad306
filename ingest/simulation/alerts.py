"""The alerts of the simulated history, as the rules would have raised them, and what people did about them."""

import random
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta

from core.alert_preview import WouldBe, preview, read_history
from core.pipeline_rules import Rules
from core.store import alert_actions, alerts
from core.store.cursor import Cursor
from core.store.reader import Reader
from core.store.writer import Writer
from ingest.simulation import company

# How many of those that last are taken on, and of those that still last.
TAKEN_ON, TAKEN_ON_NOW = 0.7, 0.35
SHORTEST = timedelta(minutes=6)
MEDIAN_MINUTES, SPREAD = 9.0, 0.9
NOTES = (
    None, None, "Looking into it", "Known: the registry is slow today", "Reverting the last change",
    "Re-running, it looks like a flaky test", "Waiting for the new runner image",
)  # fmt: skip
EXPLAINED = "Waits for the vendor's fix"


def raise_alerts(writer: Writer, reader: Reader, *, days: int, now: datetime) -> None:
    """Write all alerts of the last `days` days; the rules, evaluated now, find nothing to add."""
    chance = random.Random(7)
    history = read_history(reader.frame, None, days=days, now=now)
    # The history begins at midnight, so that its first day is more than `days` days ago.
    past = list(reversed(preview(history, Rules(), now - timedelta(days=days + 1), now)))
    writer.transact(lambda cursor: _write(cursor, past, chance, now)).result()
    writer.transact(lambda cursor: alerts.evaluate(cursor, None, now - timedelta(days=1), now)).result()


def _write(cursor: Cursor, past: list[WouldBe], chance: random.Random, now: datetime) -> None:
    for alert in past:
        alert_id = uuid.UUID(int=chance.getrandbits(128)).hex
        _raise(cursor, alert, alert_id)
        for take_on_at, person in _taken_on(alert, chance, now):
            alert_actions.acknowledge(cursor, alert_id, person, chance.choice(NOTES), take_on_at)
        if alert.resolved_at:
            cursor.execute(
                """UPDATE alerts SET status = 'resolved', resolved_at = ?, resolved_by = ?, resolved_attempt_id = ?
                WHERE id = ?""",
                [alert.resolved_at, alerts.SYSTEM, alert.resolved_attempt_id, alert_id],
            )
            alerts.record(
                cursor, alert_id, alert.resolved_at, "resolved", actor=alerts.SYSTEM,
                attempt_id=alert.resolved_attempt_id,
            )  # fmt: skip
    _snooze_one(cursor, chance, now)


def _raise(cursor: Cursor, alert: WouldBe, alert_id: str) -> None:
    cursor.execute(
        """INSERT INTO alerts (id, type, severity, status, pipeline_id, branch, attempt_id, message, dedup_key,
            occurrences, created_at, last_seen_at)
        VALUES (?, ?, ?, 'active', ?, ?, ?, ?, ?, ?, ?, ?)""",
        [alert_id, alert.type, alert.severity, alert.pipeline_id, alert.branch, alert.attempt_id, alert.message,
         alert.dedup_key, alert.times, alert.raised_at, alert.last_seen_at],
    )  # fmt: skip
    alerts.record(cursor, alert_id, alert.raised_at, "raised", actor=alerts.SYSTEM, attempt_id=alert.attempt_id)
    if alert.times > 1:
        alerts.record(
            cursor, alert_id, alert.last_seen_at, "repeated", actor=alerts.SYSTEM, attempt_id=alert.attempt_id
        )


def _taken_on(alert: WouldBe, chance: random.Random, now: datetime) -> Iterator[tuple[datetime, str]]:
    """When somebody took an alert on and who, if anybody did."""
    at = alert.raised_at + timedelta(minutes=MEDIAN_MINUTES * chance.lognormvariate(0, SPREAD))
    wanted = TAKEN_ON if alert.resolved_at else TAKEN_ON_NOW
    lasts_long_enough = at < (alert.resolved_at or now) and (alert.resolved_at or now) - alert.raised_at > SHORTEST
    if alert.severity != "info" and lasts_long_enough and chance.random() < wanted:
        yield at, chance.choice(company.PEOPLE)[0]


def _snooze_one(cursor: Cursor, chance: random.Random, now: datetime) -> None:
    """Somebody put the oldest warning aside until tomorrow."""
    row = cursor.execute(
        "SELECT id FROM alerts WHERE status <> 'resolved' AND severity = 'warning' ORDER BY created_at, id LIMIT 1"
    ).fetchone()
    if row:
        person = chance.choice(company.PEOPLE)[0]
        alert_actions.snooze(cursor, row[0], now + timedelta(hours=16), person, EXPLAINED, now - timedelta(minutes=50))
