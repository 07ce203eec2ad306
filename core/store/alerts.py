"""The evaluation of the alert rules in the database, in a transaction of its own. People act by `alert_actions`."""

import threading
import uuid
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import orjson

from core.alert_routes import Routing
from core.alerts import (
    BranchState,
    Decision,
    Dismissal,
    OpenAlert,
    Raise,
    Repeat,
    Resolve,
    pipeline_failures,
    without_dismissed,
)
from core.model import WorkflowRun
from core.pipeline_rules import PipelineHealth, Rules, decide
from core.silences import Silence
from core.store import telling
from core.store.believable import set_back
from core.store.cursor import Cursor, ask
from core.store.telling import NOWHERE, Policy, Telling

SYSTEM = "system"
RULES = "alert_rules"
ROUTES = "alert_routes"
# Longer than any rule looks back.
DISMISSED_FOR = timedelta(days=30)


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

    def note(self, moments: Mapping[str, datetime]) -> None:
        """Note what another process stored, or what was taken and could not be evaluated."""
        with self._lock:
            for pipeline_id, at in moments.items():
                self._finishes[pipeline_id] = min(at, self._finishes.get(pipeline_id, at))


def evaluate(
    cursor: Cursor,
    pipeline_ids: Collection[str] | None,
    since: datetime,
    now: datetime,
    policy: Policy = NOWHERE,
) -> list[Decision]:
    """Evaluate all rules where `pipeline_ids` (None: all) finished something since `since`; write what they decide.

    Messages about it are queued in the same transaction, by `policy`.
    """
    chosen = None if pipeline_ids is None else tuple(pipeline_ids)
    if chosen is None:  # a clock that is behind must not raise again what was ended long ago
        since += set_back(cursor, now)
    open_alerts = _open_alerts(cursor)
    branches = ask(cursor, "branch_states", {"pipeline_ids": chosen, "since": since}).fetchall()
    decisions = pipeline_failures([BranchState(*row) for row in branches], open_alerts, now)
    healths = ask(cursor, "pipeline_health", {"pipeline_ids": chosen, "now": now}).fetchall()
    decisions += decide([_health(row) for row in healths], open_alerts, rules(cursor), now)
    telling_now = Telling(policy, routes(cursor), _silences(cursor, now), now)
    for decision in without_dismissed(decisions, _dismissals(cursor, now)):
        telling.queue(cursor, decision, _write(cursor, decision), telling_now)
    _wake(cursor, now)
    telling.release(cursor, telling_now)
    return decisions


def _health(row: tuple[Any, ...]) -> PipelineHealth:
    """From a row of pipeline_health.sql."""
    newest_at, newest_id, seconds, running_at, running_id, failed_at, failed_id = row[7:]
    newest = {"at": newest_at, "id": newest_id, "seconds": seconds} if newest_id else None
    running = {"at": running_at, "id": running_id} if running_id else None
    failed = {"at": failed_at, "id": failed_id} if failed_id else None
    return PipelineHealth(*[*row[:7], newest, running, failed])


def routes(cursor: Cursor) -> Routing:
    """Who hears of what, as people set it."""
    return Routing.read(_stored(cursor, ROUTES))


def rules(cursor: Cursor) -> Rules:
    """The thresholds as people set them."""
    return Rules.read(_stored(cursor, RULES))


def _silences(cursor: Cursor, now: datetime) -> list[Silence]:
    rows = ask(cursor, "silences_in_force", {"now": now}).fetchall()
    return [Silence(*row) for row in rows]


def _stored(cursor: Cursor, key: str) -> dict[str, Any]:
    row = cursor.execute("SELECT value FROM settings WHERE key = ?", [key]).fetchone()
    return dict(orjson.loads(row[0])) if row else {}


def _wake(cursor: Cursor, now: datetime) -> None:
    """A snooze that is over makes its alert active again."""
    woken = cursor.execute(
        """UPDATE alerts SET status = 'active', snoozed_until = NULL
        WHERE status = 'snoozed' AND snoozed_until <= ? RETURNING id""",
        [now],
    ).fetchall()
    for (alert_id,) in woken:
        record(cursor, alert_id, now, "woken", actor=SYSTEM)


def record(
    cursor: Cursor,
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


def _open_alerts(cursor: Cursor) -> list[OpenAlert]:
    rows = cursor.execute(
        "SELECT id, dedup_key, attempt_id, last_seen_at FROM alerts WHERE status <> 'resolved'"
    ).fetchall()
    return [OpenAlert(*row) for row in rows]


def _dismissals(cursor: Cursor, now: datetime) -> dict[str, Dismissal]:
    rows = cursor.execute(
        """SELECT dedup_key, resolved_at, attempt_id FROM alerts
        WHERE status = 'resolved' AND resolved_by <> ? AND resolved_at > ? ORDER BY resolved_at""",
        [SYSTEM, now - DISMISSED_FOR],
    ).fetchall()
    return {key: Dismissal(at, attempt_id) for key, at, attempt_id in rows}


def _write(cursor: Cursor, decision: Decision) -> str:
    """Apply a decision; returns the alert's id."""
    match decision:
        case Raise(finding=finding):
            alert_id, cause, at = uuid.uuid4().hex, finding.cause, decision.since
            cursor.execute(
                """INSERT INTO alerts (id, type, severity, status, pipeline_id, branch, attempt_id, message, dedup_key,
                    occurrences, created_at, last_seen_at)
                VALUES (?, ?, ?, 'active', ?, ?, ?, ?, ?, ?, ?, ?)""",
                [alert_id, finding.type, finding.severity, cause.pipeline_id, cause.branch, cause.attempt_id,
                 finding.message, finding.dedup_key, decision.times, decision.since, cause.at],
            )  # fmt: skip
            kind = "raised"
        case Repeat(alert_id=alert_id, cause=cause):
            at = cause.at
            cursor.execute(
                "UPDATE alerts SET attempt_id = ?, occurrences = occurrences + ?, last_seen_at = ? WHERE id = ?",
                [cause.attempt_id, decision.times, at, alert_id],
            )
            kind = "repeated"
        case Resolve(alert_id=alert_id, cause=cause):
            at = cause.at
            cursor.execute(
                """UPDATE alerts SET status = 'resolved', resolved_at = ?, resolved_by = ?, resolved_attempt_id = ?,
                    snoozed_until = NULL
                WHERE id = ?""",
                [at, SYSTEM, cause.attempt_id, alert_id],
            )
            kind = "resolved"
    record(cursor, alert_id, at, kind, actor=SYSTEM, attempt_id=cause.attempt_id)
    return alert_id
