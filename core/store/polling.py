"""What polling remembers: the state of each repository, ETags, attempts read, the rate limit over time."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Literal

from core.store.believable import believable
from core.store.cursor import Cursor

AttemptResult = Literal["read", "gone"]


@dataclass(frozen=True, slots=True)
class PollState:
    """One repository as polling knows it. The counters are totals since it was first seen."""

    provider: str
    repository: str
    repository_id: str | None = None
    cursor: str | None = None
    first_poll_at: datetime | None = None
    last_poll_at: datetime | None = None
    last_success_at: datetime | None = None
    last_change_at: datetime | None = None
    last_recheck_at: datetime | None = None
    last_error: str | None = None
    background_error: str | None = None
    rows_added: int = 0
    gaps_closed: int = 0
    requests: int = 0
    points: int = 0
    backfill_since: datetime | None = None
    backfill_reached: datetime | None = None

    @property
    def backfill_done(self) -> bool:
        """True once the history is read as far back as it is wanted."""
        if self.backfill_since is None:
            return True
        return self.backfill_reached is not None and self.backfill_reached <= self.backfill_since


@dataclass(frozen=True, slots=True)
class RateLimitSample:
    """What the CI system said of our budget at one moment."""

    sampled_at: datetime
    provider: str
    remaining: int
    allowed: int
    used: int
    reset_at: datetime | None


COLUMNS = tuple(field.name for field in fields(PollState))


def load_state(cursor: Cursor, provider: str, repository: str) -> PollState:
    """What is stored of a repository; an empty state where nothing is."""
    statement = f"SELECT {', '.join(COLUMNS)} FROM poll_state WHERE provider = ? AND repository = ?"  # noqa: S608
    row = cursor.execute(statement, [provider, repository]).fetchone()
    return PollState(*row) if row else PollState(provider, repository)


def save_state(cursor: Cursor, state: PollState) -> None:
    marks = ", ".join("?" for _ in COLUMNS)
    changes = ", ".join(f"{name} = excluded.{name}" for name in COLUMNS[2:])
    cursor.execute(
        f"INSERT INTO poll_state ({', '.join(COLUMNS)}) VALUES ({marks}) "  # noqa: S608 - our own column names
        f"ON CONFLICT (provider, repository) DO UPDATE SET {changes}",
        [getattr(state, name) for name in COLUMNS],
    )


def mark_polled(cursor: Cursor, provider: str, repositories: Collection[str]) -> None:
    """Only these repositories of a CI system are polled now."""
    marks = ", ".join("?" for _ in repositories)
    polled = f"repository IN ({marks})" if repositories else "FALSE"
    cursor.execute(
        f"UPDATE poll_state SET is_polled = {polled} WHERE provider = ?",  # noqa: S608 - question marks alone
        [*repositories, provider],
    )


def save_etags(cursor: Cursor, provider: str, repository: str, etags: Mapping[str, str], now: datetime) -> None:
    cursor.executemany(
        """INSERT INTO poll_etags VALUES (?, ?, ?, ?, ?)
        ON CONFLICT (provider, repository, url) DO UPDATE SET etag = excluded.etag, seen_at = excluded.seen_at""",
        [[provider, repository, url, etag, now] for url, etag in etags.items()],
    )


def mark_attempts(cursor: Cursor, attempt_ids: Iterable[str], result: AttemptResult, now: datetime) -> None:
    cursor.executemany(
        "INSERT INTO poll_attempts VALUES (?, ?, ?) ON CONFLICT (attempt_id) DO NOTHING",
        [[attempt_id, result, now] for attempt_id in attempt_ids],
    )


def save_sample(cursor: Cursor, sample: RateLimitSample) -> None:
    cursor.execute(
        "INSERT INTO rate_limit_samples VALUES (?, ?, ?, ?, ?, ?)",
        [sample.sampled_at, sample.provider, sample.remaining, sample.allowed, sample.used, sample.reset_at],
    )


def end_deleted(cursor: Cursor, attempt_id: str, now: datetime) -> None:
    """End an attempt that was deleted while we believed it to run: as `skipped`, which counts in no rate."""
    cursor.execute(
        """UPDATE workflow_runs SET status = 'skipped', conclusion = 'deleted', finished_at = updated_at,
            last_activity_at = updated_at,
            version = '2' || substr(version, 2)
        WHERE id = ? AND status IN ('queued', 'running', 'blocked')""",
        [attempt_id],
    )
    mark_attempts(cursor, [attempt_id], "gone", now)


def forget_old(cursor: Cursor, now: datetime, *, log_days: int) -> None:
    """Remove logs older than `log_days`, and ETags and rate-limit samples that nobody needs any more.

    As in `core.store.retention`, a clock that jumps ahead removes nothing.
    """
    now = believable(cursor, now, timedelta(days=1))
    cursor.execute("DELETE FROM job_logs WHERE fetched_at < ?", [now - timedelta(days=log_days)])
    cursor.execute("DELETE FROM poll_etags WHERE seen_at < ?", [now - timedelta(days=100)])
    cursor.execute("DELETE FROM rate_limit_samples WHERE sampled_at < ?", [now - timedelta(days=8)])
