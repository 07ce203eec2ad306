"""What is forgotten, and when. Explicit, small and boring."""

from datetime import datetime, timedelta

from core.alerts import QUIET_BRANCH
from core.store.alerts import SYSTEM, record
from core.store.believable import believable
from core.store.cursor import Cursor


def apply_retention(cursor: Cursor, now: datetime, *, delivery_days: int, run_days: int) -> dict[str, int]:
    """Remove deliveries older than `delivery_days` and runs older than `run_days` (0 keeps them) with all they hold.

    Ends the alerts of branches and pipelines that nobody touches any more, too. Returns how many of each.
    Ages are counted from `now`, or from a day after the newest run where that is earlier: a clock that jumps ahead
    removes nothing.
    """
    now = believable(cursor, now, timedelta(days=1))
    removed = {
        "deliveries": _count(
            cursor, "DELETE FROM deliveries WHERE received_at < ?", now - timedelta(days=delivery_days)
        ),
        "duplicates": _count(
            cursor, "DELETE FROM delivery_duplicates WHERE day < CAST(? AS DATE)", now - timedelta(days=delivery_days)
        ),
        "quiet_alerts": _end_quiet_alerts(cursor, now),
    }
    if run_days:
        oldest = now - timedelta(days=run_days)
        old = "SELECT id FROM workflow_runs WHERE coalesce(finished_at, updated_at) < ?"
        old_jobs = f"SELECT id FROM jobs WHERE attempt_id IN ({old})"  # noqa: S608 - constant text
        removed["steps"] = _count(cursor, f"DELETE FROM steps WHERE job_id IN ({old_jobs})", oldest)  # noqa: S608
        _count(cursor, "DELETE FROM duration_changes WHERE changed_at < ?", oldest)
        _count(cursor, f"DELETE FROM failure_lines WHERE job_id IN ({old_jobs})", oldest)  # noqa: S608
        removed["jobs"] = _count(cursor, f"DELETE FROM jobs WHERE attempt_id IN ({old})", oldest)  # noqa: S608
        removed["runs"] = _count(
            cursor, "DELETE FROM workflow_runs WHERE coalesce(finished_at, updated_at) < ?", oldest
        )
    return removed


def _count(cursor: Cursor, statement: str, before: datetime) -> int:
    row = cursor.execute(statement, [before]).fetchone()
    return int(row[0]) if row else 0


def _end_quiet_alerts(cursor: Cursor, now: datetime) -> int:
    ended = cursor.execute(
        """UPDATE alerts SET status = 'resolved', resolved_at = ?, resolved_by = ?
        WHERE status <> 'resolved' AND severity = 'info' AND last_seen_at < ? RETURNING id""",
        [now, SYSTEM, now - QUIET_BRANCH],
    ).fetchall()
    ended += cursor.execute(
        """UPDATE alerts SET status = 'resolved', resolved_at = ?, resolved_by = ?
        WHERE status <> 'resolved' AND type <> 'pipeline_failure' AND last_seen_at < ? AND pipeline_id NOT IN (
            SELECT pipeline_id FROM workflow_runs WHERE coalesce(finished_at, updated_at) >= ?
        ) RETURNING id""",
        [now, SYSTEM, now - QUIET_BRANCH, now - QUIET_BRANCH],
    ).fetchall()
    for (alert_id,) in ended:
        record(cursor, alert_id, now, "resolved", actor=SYSTEM, note="Nothing ran for a week.")
    return len(ended)
