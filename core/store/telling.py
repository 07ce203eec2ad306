"""Who is told about an alert, and when: queued in the transaction that decides about it.

The way of a message: routes and severities choose the channels → silences, repetition and flapping hold it back → it
waits in the outbox. What was held goes out when nothing holds it any more, if its alert still waits for a person.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import orjson

from core.alert_routes import Routing
from core.alerts import Decision, Raise, Resolve, Severity
from core.silences import Silence
from core.store.cursor import Cursor, ask

# The same alert that ended and came back within this time was told already.
DEDUP_WINDOW = timedelta(minutes=5)
# The same alert told so often within this time comes and goes: the last of these messages says that the next are held.
FLAPPING_TIMES, FLAPPING_WINDOW = 3, timedelta(hours=1)

Held = Literal["silenced", "repeated", "flapping"]


@dataclass(frozen=True, slots=True)
class Policy:
    """Which channels hear of alerts, from which severity on."""

    channels: Sequence[str]
    least: Severity


NOWHERE = Policy((), "critical")


@dataclass(frozen=True, slots=True)
class Telling:
    """What decides about messages at one moment."""

    policy: Policy
    routing: Routing
    silences: Sequence[Silence]
    now: datetime


def queue(cursor: Cursor, decision: Decision, alert_id: str, telling: Telling) -> None:
    """Queue the message that a decision asks for: about a new alert, or about the end of one that was told."""
    match decision:
        case Raise():
            facts = _facts(cursor, alert_id)
            channels = telling.routing.channels(facts, telling.policy.channels, telling.policy.least)
            if not channels:
                return
            if held := _tell(cursor, facts, channels, telling):
                cursor.execute("UPDATE alerts SET held = ? WHERE id = ?", [held, alert_id])
                _note(cursor, alert_id, f"held_{held}", telling.now)
        case Resolve():
            rows = cursor.execute(
                """SELECT DISTINCT channel FROM notifications
                WHERE alert_id = ? AND kind = 'raised' AND status <> 'failed'""",
                [alert_id],
            ).fetchall()
            if rows:
                _insert(cursor, "resolved", _facts(cursor, alert_id), sorted(name for (name,) in rows), telling.now)


def release(cursor: Cursor, telling: Telling) -> None:
    """Queue the messages that were held, where nothing holds them any more and nobody took the alert on."""
    rows = cursor.execute("SELECT id, held FROM alerts WHERE held IS NOT NULL AND status = 'active'").fetchall()
    for alert_id, was_held in rows:
        facts = _facts(cursor, alert_id)
        channels = telling.routing.channels(facts, telling.policy.channels, telling.policy.least)
        held = _tell(cursor, facts, channels, telling) if channels else None
        if held != was_held:
            cursor.execute("UPDATE alerts SET held = ? WHERE id = ?", [held, alert_id])
            _note(cursor, alert_id, f"held_{held}" if held else "released", telling.now)


def _tell(cursor: Cursor, facts: dict[str, Any], channels: Sequence[str], telling: Telling) -> Held | None:
    """Queue the message about a new alert, or say what holds it."""
    if any(silence.covers(facts, telling.now) for silence in telling.silences):
        return "silenced"
    told = _times_told(cursor, facts["dedup_key"], telling.now)
    if told.within_window >= FLAPPING_TIMES:
        return "flapping"
    if told.lately:
        return "repeated"
    is_last = told.within_window == FLAPPING_TIMES - 1
    _insert(cursor, "raised", facts | {"is_flapping": is_last}, channels, telling.now)
    return None


@dataclass(frozen=True, slots=True)
class _Told:
    lately: bool
    within_window: int


def _times_told(cursor: Cursor, dedup_key: str, now: datetime) -> _Told:
    """How many alerts of this key were told: within the dedup window, and within the flapping window."""
    row = cursor.execute(
        """SELECT max(n.created_at) > ?, count(DISTINCT n.alert_id)
        FROM notifications AS n JOIN alerts AS a ON a.id = n.alert_id
        WHERE a.dedup_key = ? AND n.kind = 'raised' AND n.created_at > ?""",
        [now - DEDUP_WINDOW, dedup_key, now - FLAPPING_WINDOW],
    ).fetchone()
    return _Told(bool(row and row[0]), row[1] if row else 0)


def _note(cursor: Cursor, alert_id: str, kind: str, now: datetime) -> None:
    cursor.execute("INSERT INTO alert_events VALUES (?, ?, ?, 'system', NULL, NULL)", [alert_id, now, kind])


def _facts(cursor: Cursor, alert_id: str) -> dict[str, Any]:
    """What alert_message.sql tells about an alert."""
    found = ask(cursor, "alert_message", {"alert_id": alert_id})
    names = [column[0] for column in found.description or []]
    row = found.fetchone()
    return dict(zip(names, row, strict=True)) if row else {}


def _insert(cursor: Cursor, kind: str, facts: dict[str, Any], channels: Sequence[str], now: datetime) -> None:
    payload = orjson.dumps(facts).decode()
    for channel in channels:
        cursor.execute(
            """INSERT INTO notifications
                (id, alert_id, channel, kind, repository, payload, status, attempts, created_at, next_attempt_at)
            VALUES (?, ?, ?, ?, ?, ?, 'pending', 0, ?, ?)""",
            [uuid.uuid4().hex, facts["alert_id"], channel, kind, facts["repository"], payload, now, now],
        )
