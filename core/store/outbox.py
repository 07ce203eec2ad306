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

from core.alerts import Decision, Raise, Resolve, Severity
from core.queries import bound

RANK: dict[str, int] = {"info": 0, "warning": 1, "critical": 2}
# The same alert that ended and came back within this time was told already.
DEDUP_WINDOW = timedelta(minutes=5)
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


def queue(cursor: duckdb.DuckDBPyConnection, decision: Decision, alert_id: str, policy: Policy, now: datetime) -> None:
    """Queue the message that a decision asks for: about a new alert, or about the end of one that was told."""
    match decision:
        case Raise(finding=finding):
            if RANK[finding.severity] < RANK[policy.least] or _was_told(cursor, finding.dedup_key, now):
                return
            if _is_silenced(cursor, alert_id, now):
                cursor.execute(
                    "INSERT INTO alert_events VALUES (?, ?, 'silenced', 'system', NULL, NULL)", [alert_id, now]
                )
                return
            _insert(cursor, alert_id, "raised", policy.channels, now)
        case Resolve():
            told = cursor.execute(
                "SELECT DISTINCT channel FROM notifications WHERE alert_id = ? AND kind = 'raised'", [alert_id]
            ).fetchall()
            _insert(cursor, alert_id, "resolved", sorted(channel for (channel,) in told), now)


def _was_told(cursor: duckdb.DuckDBPyConnection, dedup_key: str, now: datetime) -> bool:
    row = cursor.execute(
        """SELECT count(*) FROM notifications AS n JOIN alerts AS a ON a.id = n.alert_id
        WHERE a.dedup_key = ? AND n.kind = 'raised' AND n.created_at > ?""",
        [dedup_key, now - DEDUP_WINDOW],
    ).fetchone()
    return bool(row and row[0])


def _is_silenced(cursor: duckdb.DuckDBPyConnection, alert_id: str, now: datetime) -> bool:
    row = cursor.execute(
        """SELECT count(*) FROM silences AS s, alerts AS a JOIN pipelines AS p ON p.id = a.pipeline_id
        WHERE a.id = ? AND s.starts_at <= ? AND s.ends_at > ?
            AND (s.pipeline_id IS NULL OR s.pipeline_id = a.pipeline_id)
            AND (s.repository IS NULL OR s.repository = p.repository)
            AND (s.branch IS NULL OR s.branch = a.branch)
            AND (s.type IS NULL OR s.type = a.type)""",
        [alert_id, now, now],
    ).fetchone()
    return bool(row and row[0])


def _insert(
    cursor: duckdb.DuckDBPyConnection, alert_id: str, kind: str, channels: Sequence[str], now: datetime
) -> None:
    if not channels:
        return
    found = cursor.execute(bound("alert_message", {"alert_id": alert_id}))
    names = [column[0] for column in found.description or []]
    row = found.fetchone()
    payload = orjson.dumps(dict(zip(names, row, strict=True)) if row else {}).decode()
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
