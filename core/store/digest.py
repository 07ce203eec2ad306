"""Makes the weekly digest from what is stored, and queues it once for each week that is due."""

import uuid
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import orjson
import pandas as pd

from core.insights import digest, failures
from core.insights.digest import Digest
from core.insights.regressions import HISTORY
from core.store import stored_settings
from core.store.cursor import Cursor

SENT = "digest_sent_for"
KIND = "digest"
MOST_ROWS = 500


def read_digest(ask: Callable[..., pd.DataFrame], until: datetime, zone: str) -> Digest:
    """The digest of the week before `until` (UTC). `ask(query, **parameters)` gives the rows of a named query."""
    everything = {"provider": None, "repository": None, "branch": None}
    since = until - digest.WEEK
    bounds = {"window_start": since, "window_end": until, "previous_start": since - digest.WEEK}
    occurrences = ask("failure_occurrences", **everything, until=until, limit=failures.MOST_OCCURRENCES)
    masks = ask("failure_masks", limit=failures.MOST_MASKS)
    changes = ask(
        "duration_changes",
        provider=None,
        repository=None,
        slower=None,
        since=until - HISTORY,
        week_ago=since,
        limit=MOST_ROWS,
    )
    return digest.build(
        until,
        zone,
        summary=ask("summary", **everything, **bounds, day_ago=until - timedelta(days=1)).iloc[0],
        pipelines=ask("digest_pipelines", **bounds),
        flaky=ask("flaky_jobs", **everything, since=since, until=until, limit=MOST_ROWS),
        changes=changes,
        clusters=failures.clusters(occurrences, masks, since),
    )


def last_sent(cursor: Cursor) -> datetime | None:
    """For which moment the newest digest was queued."""
    row = cursor.execute("SELECT value FROM settings WHERE key = ?", [SENT]).fetchone()
    return datetime.fromisoformat(row[0]) if row else None


def is_due(cursor: Cursor, due: datetime, now: datetime) -> bool:
    """Whether nobody queued the digest of `due` yet. On a database that never had one, the next one is the first."""
    sent = last_sent(cursor)
    if sent is None:
        stored_settings.put(cursor, {SENT: due.isoformat()}, "system", now)
        return False
    return sent < due


def queue_digest(cursor: Cursor, made: Digest, channels: Sequence[str], due: datetime, now: datetime) -> bool:
    """Queue it for each channel unless that was done, in the transaction that notes it: once, whoever restarts."""
    if not is_due(cursor, due, now):
        return False
    stored_settings.put(cursor, {SENT: due.isoformat()}, "system", now)
    payload = orjson.dumps(made.facts()).decode()
    for channel in channels:
        cursor.execute(
            """INSERT INTO notifications
                (id, alert_id, channel, kind, repository, payload, status, attempts, created_at, next_attempt_at)
            VALUES (?, NULL, ?, ?, '', ?, 'pending', 0, ?, ?)""",
            [uuid.uuid4().hex, channel, KIND, payload, now, now],
        )
    return True


def due_moment(now: datetime, schedule: str, zone: str) -> datetime | None:
    """When the newest digest is due, in UTC; None where none is wanted."""
    return digest.due_at(now, schedule, ZoneInfo(zone))
