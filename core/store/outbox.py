"""Messages about alerts that wait to be sent: queued in the transaction that decides them, claimed by one sender each.

A message is `pending`, then `sending` while a sender holds it, then `sent` or `failed` (for good). One that a killed
process was sending is sent again, with the same id, by which the receiver can tell.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import duckdb
import orjson

from core.alert_routes import Routing
from core.alerts import Decision, Raise, Resolve, Severity
from core.queries import bound

# The same alert that ended and came back within this time was told already.
DEDUP_WINDOW = timedelta(minutes=5)
# The same alert told so often within this time comes and goes: the last of these messages says that the next are held.
FLAPPING_TIMES, FLAPPING_WINDOW = 3, timedelta(hours=1)
AT_ONCE = 20


@dataclass(frozen=True, slots=True)
class Policy:
    """Which channels hear of alerts, from which severity on."""

    channels: Sequence[str]
    least: Severity


NOWHERE = Policy((), "critical")


@dataclass(frozen=True, slots=True)
class Queued:
    """One claimed message: `facts` is what alert_message.sql read when it was queued."""

    id: str
    kind: str
    attempts: int
    created_at: datetime
    facts: dict[str, Any]


def queue(
    cursor: duckdb.DuckDBPyConnection,
    decision: Decision,
    alert_id: str,
    policy: Policy,
    routing: Routing,
    now: datetime,
) -> None:
    """Queue the message that a decision asks for: about a new alert, or about the end of one that was told."""
    match decision:
        case Raise(finding=finding):
            facts = _facts(cursor, alert_id)
            channels = routing.channels(facts, policy.channels, policy.least)
            told = _times_told(cursor, finding.dedup_key, now)
            if not channels or told.lately:
                return
            if told.within_window >= FLAPPING_TIMES or _is_silenced(cursor, alert_id, now):
                held = "damped" if told.within_window >= FLAPPING_TIMES else "silenced"
                cursor.execute("INSERT INTO alert_events VALUES (?, ?, ?, 'system', NULL, NULL)", [alert_id, now, held])
                return
            is_last = told.within_window == FLAPPING_TIMES - 1
            _insert(cursor, alert_id, "raised", facts | {"is_flapping": is_last}, channels, now)
        case Resolve():
            rows = cursor.execute(
                "SELECT DISTINCT channel FROM notifications WHERE alert_id = ? AND kind = 'raised'", [alert_id]
            ).fetchall()
            if rows:
                _insert(cursor, alert_id, "resolved", _facts(cursor, alert_id), sorted(name for (name,) in rows), now)


@dataclass(frozen=True, slots=True)
class _Told:
    lately: bool
    within_window: int


def _times_told(cursor: duckdb.DuckDBPyConnection, dedup_key: str, now: datetime) -> _Told:
    """How many alerts of this key were told: within the dedup window, and within the flapping window."""
    row = cursor.execute(
        """SELECT max(n.created_at) > ?, count(DISTINCT n.alert_id)
        FROM notifications AS n JOIN alerts AS a ON a.id = n.alert_id
        WHERE a.dedup_key = ? AND n.kind = 'raised' AND n.created_at > ?""",
        [now - DEDUP_WINDOW, dedup_key, now - FLAPPING_WINDOW],
    ).fetchone()
    return _Told(bool(row and row[0]), row[1] if row else 0)


def _is_silenced(cursor: duckdb.DuckDBPyConnection, alert_id: str, now: datetime) -> bool:
    return bool(cursor.execute(bound("silences_of_alert", {"alert_id": alert_id, "now": now})).fetchall())


def _facts(cursor: duckdb.DuckDBPyConnection, alert_id: str) -> dict[str, Any]:
    """What alert_message.sql tells about an alert."""
    found = cursor.execute(bound("alert_message", {"alert_id": alert_id}))
    names = [column[0] for column in found.description or []]
    row = found.fetchone()
    return dict(zip(names, row, strict=True)) if row else {}


def _insert(
    cursor: duckdb.DuckDBPyConnection,
    alert_id: str,
    kind: str,
    facts: dict[str, Any],
    channels: Sequence[str],
    now: datetime,
) -> None:
    payload = orjson.dumps(facts).decode()
    for channel in channels:
        cursor.execute(
            """INSERT INTO notifications
                (id, alert_id, channel, kind, payload, status, attempts, created_at, next_attempt_at)
            VALUES (?, ?, ?, ?, ?, 'pending', 0, ?, ?)""",
            [uuid.uuid4().hex, alert_id, channel, kind, payload, now, now],
        )


def give_back(cursor: duckdb.DuckDBPyConnection) -> None:
    """At a start: what the process before was sending waits again."""
    cursor.execute("UPDATE notifications SET status = 'pending' WHERE status = 'sending'")


def claim(cursor: duckdb.DuckDBPyConnection, channel: str, now: datetime) -> list[Queued]:
    """The channel's oldest messages that are due, of one kind and one repository: they go out as one.

    Nothing overtakes: while the oldest waits for its next attempt, the channel has nothing due.
    """
    rows = cursor.execute(
        """SELECT id, kind, attempts, created_at, payload, next_attempt_at FROM notifications
        WHERE channel = ? AND status = 'pending' ORDER BY created_at, id LIMIT 200""",
        [channel],
    ).fetchall()
    waiting = [(Queued(row[0], row[1], row[2], row[3], orjson.loads(row[4])), row[5]) for row in rows]
    if not waiting or (waiting[0][1] and waiting[0][1] > now):
        return []
    first = waiting[0][0]
    group = [
        message
        for message, _ in waiting
        if (message.kind, message.facts.get("repository")) == (first.kind, first.facts.get("repository"))
    ][:AT_ONCE]
    for message in group:
        cursor.execute("UPDATE notifications SET status = 'sending' WHERE id = ?", [message.id])
    return group


def mark_sent(cursor: duckdb.DuckDBPyConnection, messages: Sequence[Queued], now: datetime) -> None:
    for message in messages:
        cursor.execute(
            "UPDATE notifications SET status = 'sent', attempts = attempts + 1, sent_at = ?, error = NULL WHERE id = ?",
            [now, message.id],
        )


def mark_failed(
    cursor: duckdb.DuckDBPyConnection, messages: Sequence[Queued], error: str, next_attempt_at: datetime | None
) -> None:
    """Keep why sending failed; without a next attempt it failed for good."""
    for message in messages:
        cursor.execute(
            "UPDATE notifications SET status = ?, attempts = attempts + 1, error = ?, next_attempt_at = ? WHERE id = ?",
            ["pending" if next_attempt_at else "failed", error[:500], next_attempt_at, message.id],
        )
