"""What belongs to stored runs: their earlier attempts, and the jobs and steps of every finished attempt."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from core.errors import BadPayload
from core.model import Changes
from ingest.polling.book import Book
from ingest.providers.github import PROVIDER
from ingest.providers.github.api import GitHub, name_of, runs_of
from ingest.providers.github.history import RunPage, merged
from ingest.providers.github.parse import parse
from ingest.providers.refusals import is_missing

log = structlog.get_logger()
PIECE = 60
# Attempts that have just finished are read at once, unless they are too many for a round.
FRESH = timedelta(days=1)
MOST_FRESH = 20
# The list of jobs may lag behind the end of its run; after this long it is taken as it is.
SETTLED = timedelta(minutes=30)
ASK_AGAIN = timedelta(seconds=20)
AFTER_A_FAULT = timedelta(minutes=1)

Row = dict[str, Any]
Read = Callable[[GitHub, Book, Row], Awaitable[Changes]]


class Attempts:
    """Reads through `front` what people wait for, through `back` all the rest."""

    def __init__(self, front: GitHub, back: GitHub) -> None:
        self._front = front
        self._back = back
        self._not_before: dict[str, datetime] = {}
        self._in_hand: set[str] = set()

    async def read_fresh(self, book: Book) -> None:
        """The jobs of attempts that have just finished."""
        rows = self._pending(book, "poll_unread_attempts", MOST_FRESH, since=datetime.now(UTC) - FRESH)
        await self._keep_jobs(book, self._front, rows)

    async def read_some(self, book: Book) -> bool:
        """One piece, attempts before jobs. False where nothing is left that can be read now."""
        return await self._missing_attempts(book) or await self._unread_jobs(book)

    async def _missing_attempts(self, book: Book) -> bool:
        rows = self._pending(book, "poll_missing_attempts", PIECE)
        read, error = await self._each(self._back, book, rows, self._attempt)
        # One that GitHub answers with another attempt, or with nonsense, would be asked for again for ever.
        known = {row["id"] for row in book.rows("poll_known_runs", attempt_ids=tuple(read))} if read else set()
        await book.mark(set(read) - known, "gone")
        if error:
            raise error
        return bool(rows)

    async def _unread_jobs(self, book: Book) -> bool:
        rows = self._pending(book, "poll_unread_attempts", PIECE, since=None)
        await self._keep_jobs(book, self._back, rows)
        return bool(rows)

    async def _keep_jobs(self, book: Book, github: GitHub, rows: list[Row]) -> None:
        read, error = await self._each(github, book, rows, self._jobs)
        await book.mark(set(read) - set(self._not_before), "read")
        if error:
            raise error

    def _pending(self, book: Book, query: str, most: int, **more: datetime | None) -> list[Row]:
        now = datetime.now(UTC)
        self._not_before = {name: moment for name, moment in self._not_before.items() if moment > now}
        left_out = self._not_before.keys() | self._in_hand
        limit = most + len(left_out)
        rows = book.rows(query, provider=PROVIDER, repository_id=book.state.repository_id, limit=limit, **more)
        return [row for row in rows if row["id"] not in left_out][:most]

    async def _each(
        self, github: GitHub, book: Book, rows: list[Row], read: Read
    ) -> tuple[list[str], BaseException | None]:
        """Read rows side by side and store what came: the ids of those, and the first fault.

        A fault takes no other row with it. Its row is left alone for a while, lest it stand in the way of those behind.
        """
        ids = {row["id"] for row in rows}
        self._in_hand |= ids
        try:
            results = await asyncio.gather(*(read(github, book, row) for row in rows), return_exceptions=True)
        finally:
            self._in_hand -= ids
        pairs = list(zip(rows, results, strict=True))
        found = [(row["id"], result) for row, result in pairs if isinstance(result, Changes)]
        if found:
            await book.keep_history(merged([changes for _, changes in found]))
            await book.save()
        await book.mark([row["id"] for row, result in pairs if is_missing(result)], "gone")
        faults = [(row["id"], result) for row, result in pairs if _is_fault(result)]
        self._not_before |= {name: datetime.now(UTC) + AFTER_A_FAULT for name, _ in faults}
        first = faults[0][1] if faults else None
        return [name for name, _ in found], first if isinstance(first, BaseException) else None

    async def _attempt(self, github: GitHub, book: Book, row: Row) -> Changes:
        path = f"{runs_of(name_of(book))}/{row['run_id']}/attempts/{row['run_attempt']}"
        answer = await github.fetch(book, path)
        return RunPage({"workflow_runs": [answer.body]}, book).changes

    async def _jobs(self, github: GitHub, book: Book, row: Row) -> Changes:
        """All jobs of an attempt. Where one hasn't ended in the list yet, they are asked for again later."""
        path = f"{runs_of(name_of(book))}/{row['run_id']}/attempts/{row['run_attempt']}/jobs"
        jobs = await github.jobs(book, path)
        lagging = any(job.get("status") != "completed" for job in jobs)
        if lagging and datetime.now(UTC) - row["updated_at"] < SETTLED:
            self._not_before[row["id"]] = datetime.now(UTC) + ASK_AGAIN
        return merged([found for job in jobs if (found := _understood(job, book))])


def _is_fault(result: object) -> bool:
    return isinstance(result, BaseException) and not is_missing(result)


def _understood(job: dict[str, Any], book: Book) -> Changes | None:
    try:
        return parse("workflow_job", {"workflow_job": job, "repository": book.remembered("repository")})
    except BadPayload as error:
        log.warning("a job can't be understood", repository=book.repository, reason=str(error))
        return None
