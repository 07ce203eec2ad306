"""How far the history of a repository is read, and how long the rest may take."""

import asyncio
from dataclasses import dataclass
from datetime import datetime

from core.store.polling import PollState
from ingest.polling.book import Book
from ingest.polling.budget import Budget


@dataclass(frozen=True, slots=True)
class Progress:
    """A backfill at one moment.

    `listed`: the part of the time from now back to `since` whose runs are stored, 0 to 1. `attempts` are stored,
    `attempts_left` of them (or of those that must exist) are still to be read, one request each. `remaining` of
    `allowed` requests are left until `reset_at`; `waits_until`: no request goes before. `requests` and `points` are
    those of this repository since it was first seen. `error` is a sentence; the next round tries again.
    """

    provider: str
    repository: str
    since: datetime | None
    reached: datetime | None
    listed: float
    runs: int
    attempts: int
    attempts_left: int
    jobs: int
    requests: int
    points: int
    remaining: int
    allowed: int
    reset_at: datetime | None
    waits_until: datetime | None
    error: str | None
    done: bool


async def progress_of(book: Book, budget: Budget, has_read: bool) -> Progress:
    state = book.state
    counts = (
        await asyncio.to_thread(
            book.rows, "poll_progress", provider=state.provider, repository_id=state.repository_id or ""
        )
    )[0]
    return Progress(
        provider=state.provider,
        repository=state.repository,
        since=state.backfill_since,
        reached=state.backfill_reached,
        listed=_listed(state),
        runs=counts["runs"],
        attempts=counts["attempts"],
        attempts_left=counts["attempts_left"],
        jobs=counts["jobs"],
        requests=state.requests,
        points=state.points,
        remaining=budget.remaining,
        allowed=budget.allowed,
        reset_at=budget.reset_at,
        waits_until=budget.waits_until,
        error=state.background_error,
        done=has_read,
    )


def _listed(state: PollState) -> float:
    if state.backfill_done:
        return 1.0
    begin, since, reached = state.first_poll_at, state.backfill_since, state.backfill_reached
    if begin is None or since is None or reached is None or begin <= since:
        return 0.0
    return min(1.0, max(0.0, (begin - reached) / (begin - since)))


def seconds_left(first: Progress, now: Progress, seconds: float, at: datetime) -> float | None:
    """An estimate from how it went since `first`, `seconds` ago, and from the limit; None while it is too early.

    The limit is used up to nine tenths, and then filled again each hour.
    """
    read = (now.attempts - now.attempts_left) - (first.attempts - first.attempts_left)
    if seconds < 3 or read <= 0 or now.listed <= 0:
        return None
    left = now.attempts / now.listed - (now.attempts - now.attempts_left)
    estimate = left * seconds / read
    if now.allowed and now.reset_at and left > (free := now.remaining - now.allowed / 10):
        windows = (left - free) // (0.9 * now.allowed)
        estimate = max(estimate, (now.reset_at - at).total_seconds() + 3600 * windows)
    return estimate
