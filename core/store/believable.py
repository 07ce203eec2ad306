"""How far this machine's clock is believed before what can't be undone is done: CI systems have clocks, too."""

from datetime import datetime, timedelta
from typing import Any

from core.store.cursor import Cursor

# Nothing happens for a weekend, or for as long as a clock stands wrong; more than that needs a run to confirm it.
QUIET = timedelta(days=8)


def newest_activity(cursor: Cursor) -> datetime | None:
    """The newest moment that a CI system named; None where there is no run."""
    row: Any = cursor.execute("SELECT max(last_activity_at) FROM workflow_runs").fetchone()
    return row[0] if row else None


def believable(cursor: Cursor, now: datetime, quiet: timedelta = QUIET) -> datetime:
    """`now`, but no later than `quiet` after the newest run.

    A clock that jumps a year ahead makes everything old at once; where CI systems go on as before, it isn't.
    """
    newest = newest_activity(cursor)
    return min(now, newest + quiet) if newest else now


def set_back(cursor: Cursor, now: datetime) -> timedelta:
    """How far this machine's clock is behind, by what was stored before it was set back; zero where it isn't.

    Both must say so: what a CI system named, whose clock may be ahead, and what this machine noted on arrival.
    """
    row: Any = cursor.execute(
        """SELECT least(newest_run, newest_delivery)
        FROM (SELECT max(last_activity_at) AS newest_run FROM workflow_runs) AS r
        CROSS JOIN (SELECT max(received_at) AS newest_delivery FROM deliveries) AS d
        WHERE newest_run IS NOT NULL AND newest_delivery IS NOT NULL"""
    ).fetchone()
    return max(timedelta(), row[0] - now) if row else timedelta()
