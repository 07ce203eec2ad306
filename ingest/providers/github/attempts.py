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
from ingest.providers.github.api import GitHub, is_missing, runs_of
from ingest.providers.github.history import RunPage, merged
from ingest.providers.github.parse import parse

log = structlog.get_logger()
PIECE = 60
# The list of jobs may lag behind the end of its run; after this long it is taken as it is.
SETTLED = timedelta(minutes=30)
ASK_AGAIN = timedelta(seconds=20)

Row = dict[str, Any]


class Attempts:
    def __init__(self, github: GitHub) -> None:
        self._github = github
        self._not_before: dict[str, datetime] = {}

    async def read_some(self, book: Book) -> bool:
        """One piece, attempts before jobs. False where nothing is left that can be read now."""
        return await self._missing_attempts(book) or await self._unread_jobs(book)

    async def _missing_attempts(self, book: Book) -> bool:
        rows = self._pending(book, "poll_missing_attempts")
        read = await self._each(book, rows, self._attempt)
        # One that GitHub answers with another attempt, or with nonsense, would be asked for again for ever.
        known = {row["id"] for row in book.rows("poll_known_runs", attempt_ids=tuple(read))} if read else set()
        await book.mark(set(read) - known, "gone")
        return bool(rows)

    async def _unread_jobs(self, book: Book) -> bool:
        rows = self._pending(book, "poll_unread_attempts", since=None)
        read = await self._each(book, rows, self._jobs)
        await book.mark(set(read) - set(self._not_before), "read")
        return bool(rows)

    def _pending(self, book: Book, query: str, **more: None) -> list[Row]:
        now = datetime.now(UTC)
        self._not_before = {name: moment for name, moment in self._not_before.items() if moment > now}
        limit = PIECE + len(self._not_before)
        rows = book.rows(query, provider=PROVIDER, repository_id=book.state.repository_id, limit=limit, **more)
        return [row for row in rows if row["id"] not in self._not_before][:PIECE]

    async def _each(self, book: Book, rows: list[Row], read: Callable[[Book, Row], Awaitable[Changes]]) -> list[str]:
        """Read rows side by side, store what came and return their ids; one that fails takes no other with it."""
        results = await asyncio.gather(*(read(book, row) for row in rows), return_exceptions=True)
        found = [(row, result) for row, result in zip(rows, results, strict=True) if isinstance(result, Changes)]
        if found:
            await book.keep_history(merged([changes for _, changes in found]))
            await book.save()
        gone = [row["id"] for row, result in zip(rows, results, strict=True) if is_missing(result)]
        await book.mark(gone, "gone")
        for result in results:
            if isinstance(result, BaseException) and not is_missing(result):
                raise result
        return [row["id"] for row, _ in found]

    async def _attempt(self, book: Book, row: Row) -> Changes:
        path = f"{runs_of(book.repository)}/{row['run_id']}/attempts/{row['run_attempt']}"
        answer = await self._github.fetch(book, path)
        return RunPage({"workflow_runs": [answer.body]}, book).changes

    async def _jobs(self, book: Book, row: Row) -> Changes:
        """All jobs of an attempt. Where one hasn't ended in the list yet, they are asked for again later."""
        path = f"{runs_of(book.repository)}/{row['run_id']}/attempts/{row['run_attempt']}/jobs"
        items = [item async for item in self._github.items(path, "jobs", book.repository)]
        lagging = any(item.get("status") != "completed" for item in items)
        if lagging and datetime.now(UTC) - row["updated_at"] < SETTLED:
            self._not_before[row["id"]] = datetime.now(UTC) + ASK_AGAIN
        return merged([found for item in items if (found := _understood(item, book))])


def _understood(job: dict[str, Any], book: Book) -> Changes | None:
    try:
        return parse("workflow_job", {"workflow_job": job, "repository": book.remembered("repository")})
    except BadPayload as error:
        log.warning("a job can't be understood", repository=book.repository, reason=str(error))
        return None
