"""Alerts in the database: evaluated inside the transaction that writes their runs, changed by compare-and-set."""

import uuid
from collections.abc import Sequence
from datetime import datetime

import duckdb

from core.alerts import BranchState, Decision, OpenAlert, Raise, Repeat, Resolve, pipeline_failures
from core.errors import Conflict, NotFound
from core.model import WorkflowRun
from core.queries import sql_text

SYSTEM = "system"


def evaluate(cursor: duckdb.DuckDBPyConnection, runs: Sequence[WorkflowRun], now: datetime) -> list[Decision]:
    """Evaluate pipeline_failure for the branches of `runs` (registered as incoming_runs); write what it decides."""
    open_alerts = _open_alerts(cursor)
    alerted = {alert.dedup_key.split(":", 1)[0] for alert in open_alerts}
    if not any(run.status == "failed" or (run.status == "success" and run.pipeline_id in alerted) for run in runs):
        return []
    states = [BranchState(*row) for row in cursor.execute(sql_text("write", "branch_states")).fetchall()]
    decisions = pipeline_failures(states, open_alerts, now)
    for decision in decisions:
        _write(cursor, decision)
    return decisions


def acknowledge(cursor: duckdb.DuckDBPyConnection, alert_id: str, by: str, note: str | None, now: datetime) -> None:
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


def record(
    cursor: duckdb.DuckDBPyConnection,
    alert_id: str,
    at: datetime,
    kind: str,
    *,
    actor: str,
    note: str | None = None,
    attempt_id: str | None = None,
) -> None:
    """Append one event to an alert's history."""
    cursor.execute("INSERT INTO alert_events VALUES (?, ?, ?, ?, ?, ?)", [alert_id, at, kind, actor, note, attempt_id])


def _open_alerts(cursor: duckdb.DuckDBPyConnection) -> list[OpenAlert]:
    rows = cursor.execute(
        "SELECT id, dedup_key, attempt_id, last_seen_at FROM alerts WHERE status <> 'resolved'"
    ).fetchall()
    return [OpenAlert(*row) for row in rows]


def _write(cursor: duckdb.DuckDBPyConnection, decision: Decision) -> None:
    state = decision.state
    match decision:
        case Raise():
            alert_id = uuid.uuid4().hex
            cursor.execute(
                """INSERT INTO alerts (id, type, severity, status, pipeline_id, branch, attempt_id, message, dedup_key,
                    occurrences, created_at, last_seen_at)
                VALUES (?, 'pipeline_failure', ?, 'active', ?, ?, ?, ?, ?, 1, ?, ?)""",
                [alert_id, decision.severity, state.pipeline_id, state.branch, state.attempt_id, decision.message,
                 decision.dedup_key, state.finished_at, state.finished_at],
            )  # fmt: skip
            kind = "raised"
        case Repeat(alert_id=alert_id):
            cursor.execute(
                "UPDATE alerts SET attempt_id = ?, occurrences = occurrences + 1, last_seen_at = ? WHERE id = ?",
                [state.attempt_id, state.finished_at, alert_id],
            )
            kind = "repeated"
        case Resolve(alert_id=alert_id):
            cursor.execute(
                """UPDATE alerts SET status = 'resolved', resolved_at = ?, resolved_by = ?, resolved_attempt_id = ?
                WHERE id = ?""",
                [state.finished_at, SYSTEM, state.attempt_id, alert_id],
            )
            kind = "resolved"
    record(cursor, alert_id, state.finished_at, kind, actor=SYSTEM, attempt_id=state.attempt_id)


def _lost_race(cursor: duckdb.DuckDBPyConnection, alert_id: str) -> Conflict | NotFound:
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
