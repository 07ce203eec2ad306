"""What people do with alerts, by compare-and-set: of two at once one wins and the other sees who."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from core.errors import BadRequest, Conflict, DashboardError, NotFound
from core.store.alerts import record
from core.store.cursor import Cursor


@dataclass(frozen=True, slots=True)
class Refused:
    """An alert of many that wasn't changed, and why."""

    id: str
    reason: str


def acknowledge_all(
    cursor: Cursor, alert_ids: Sequence[str], by: str, note: str | None, now: datetime
) -> list[Refused]:
    """Acknowledge many alerts; returns those that somebody else took on, that ended, or that don't exist."""
    refused = []
    for alert_id in dict.fromkeys(alert_ids):
        try:
            acknowledge(cursor, alert_id, by, note, now)
        except DashboardError as error:
            refused.append(Refused(alert_id, error.message))
    return refused


def acknowledge(cursor: Cursor, alert_id: str, by: str, note: str | None, now: datetime) -> None:
    """Acknowledge an active or snoozed alert. Raises Conflict (saying who was first) or NotFound."""
    changed = cursor.execute(
        """UPDATE alerts
        SET status = 'acknowledged', acknowledged_at = ?, acknowledged_by = ?, note = ?, snoozed_until = NULL
        WHERE id = ? AND status IN ('active', 'snoozed') RETURNING id""",
        [now, by, note, alert_id],
    ).fetchall()
    if not changed:
        raise _lost_race(cursor, alert_id)
    record(cursor, alert_id, now, "acknowledged", actor=by, note=note)


def snooze(cursor: Cursor, alert_id: str, until: datetime, by: str, note: str | None, now: datetime) -> None:
    """Put an open alert aside until a moment. Raises BadRequest, Conflict or NotFound."""
    if until <= now:
        raise BadRequest("until must lie in the future.", details={"until": until.isoformat()})
    changed = cursor.execute(
        """UPDATE alerts SET status = 'snoozed', snoozed_until = ?, note = coalesce(?, note)
        WHERE id = ? AND status <> 'resolved' RETURNING id""",
        [until, note, alert_id],
    ).fetchall()
    if not changed:
        raise _lost_race(cursor, alert_id)
    record(cursor, alert_id, now, "snoozed", actor=by, note=note)


def resolve(cursor: Cursor, alert_id: str, by: str, note: str | None, now: datetime) -> None:
    """End an open alert by hand. Raises Conflict or NotFound."""
    changed = cursor.execute(
        """UPDATE alerts SET status = 'resolved', resolved_at = ?, resolved_by = ?, note = coalesce(?, note),
            snoozed_until = NULL
        WHERE id = ? AND status <> 'resolved' RETURNING id""",
        [now, by, note, alert_id],
    ).fetchall()
    if not changed:
        raise _lost_race(cursor, alert_id)
    record(cursor, alert_id, now, "resolved", actor=by, note=note)


def _lost_race(cursor: Cursor, alert_id: str) -> Conflict | NotFound:
    row = cursor.execute(
        "SELECT status, acknowledged_by, acknowledged_at, resolved_by FROM alerts WHERE id = ?", [alert_id]
    ).fetchone()
    if row is None:
        return NotFound("There is no such alert.", details={"id": alert_id})
    status, by, at, resolver = row
    if status == "resolved":
        return Conflict(f"The alert was resolved by {resolver} meanwhile.", details={"status": status, "by": resolver})
    return Conflict(
        f"{by} acknowledged this alert first.",
        details={"status": status, "by": by, "at": at.isoformat() if at else None},
    )
