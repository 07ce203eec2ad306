"""Alerts in the database: evaluated in a transaction of their own, changed by compare-and-set."""

import threading
import uuid
from collections.abc import Collection, Iterable
from datetime import datetime

import duckdb

from core.alerts import BranchState, Decision, OpenAlert, Raise, Repeat, Resolve, pipeline_failures
from core.errors import Conflict, NotFound
from core.model import WorkflowRun
from core.queries import bound

SYSTEM = "system"


class Finished:
    """Gathers, from any thread, which pipelines finished runs until somebody takes it to evaluate them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._finishes: dict[str, datetime] = {}

    def add(self, runs: Iterable[WorkflowRun]) -> bool:
        """Note those of `runs` that count for alerts; whether there was one."""
        with self._lock:
            for run in runs:
                if run.finished_at and run.status in ("success", "failed"):
                    known = self._finishes.get(run.pipeline_id, run.finished_at)
                    self._finishes[run.pipeline_id] = min(run.finished_at, known)
            return bool(self._finishes)

    def take(self) -> dict[str, datetime]:
        """The earliest finish of each pipeline noted since the last call."""
        with self._lock:
            taken, self._finishes = self._finishes, {}
        return taken


def evaluate(
    cursor: duckdb.DuckDBPyConnection, pipeline_ids: Collection[str] | None, since: datetime, now: datetime
) -> list[Decision]:
    """Evaluate pipeline_failure where `pipeline_ids` finished something since `since`; write what it decides."""
    query = bound(
        "branch_states", {"pipeline_ids": None if pipeline_ids is None else tuple(pipeline_ids), "since": since}
    )
    states = [BranchState(*row) for row in cursor.execute(query).fetchall()]
    decisions = pipeline_failures(states, _open_alerts(cursor), now)
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
                VALUES (?, 'pipeline_failure', ?, 'active', ?, ?, ?, ?, ?, ?, ?, ?)""",
                [alert_id, decision.severity, state.pipeline_id, state.branch, state.attempt_id, decision.message,
                 decision.dedup_key, decision.times, decision.since, state.finished_at],
            )  # fmt: skip
            kind = "raised"
        case Repeat(alert_id=alert_id, times=times):
            cursor.execute(
                "UPDATE alerts SET attempt_id = ?, occurrences = occurrences + ?, last_seen_at = ? WHERE id = ?",
                [state.attempt_id, times, state.finished_at, alert_id],
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
