"""What is read behind the rounds of one CI system, in small pieces and in this order: logs of jobs that have just
failed, history of repositories seen for the first time, re-checks of older runs, and what belongs to each run.
"""

import asyncio
import zlib
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from core.errors import DashboardError
from core.settings import Settings
from ingest.polling.book import Book
from ingest.polling.logs import FailedLogs
from ingest.polling.source import Source

log = structlog.get_logger()

RECHECK_ROUNDS = 10


class Background:
    """Lives on the event loop of the engine. A repository that fails is left alone until it is woken the next time."""

    def __init__(self, source: Source, books: Callable[[], Sequence[Book]], logs: FailedLogs, settings: Settings):
        self._source = source
        self._books = books
        self._logs = logs
        self._pace = timedelta(seconds=RECHECK_ROUNDS * settings.poll_interval_seconds)
        self._woken = False
        self._task: asyncio.Task[None] | None = None
        self._failed: set[str] = set()
        self._without_logs: set[str] = set()
        self._checked: set[str] = set()
        self._read: set[str] = set()

    def wake(self) -> None:
        """There may be something to read; whoever failed may try again."""
        self._woken = True
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work())

    async def drained(self) -> None:
        """Return when there is nothing left that can be read now."""
        if self._task:
            await self._task

    def has_read(self, book: Book) -> bool:
        """Is everything of this repository read that could be?"""
        return book.state.backfill_done and not self._woken and book.repository in self._read

    async def _work(self) -> None:
        while True:
            if self._woken:
                self._woken = False
                self._failed, self._without_logs, self._checked, self._read = set(), set(), set(), set()
            books = [book for book in self._books() if book.state.first_poll_at]
            trusted = [book for book in books if book.repository not in self._failed]
            logs = [book for book in books if book.repository not in self._without_logs]
            historic = [book for book in trusted if not book.state.backfill_done]
            stale = [book for book in trusted if book.repository not in self._checked and self._is_stale(book)]
            detailed = [book for book in trusted if book.repository not in self._read]
            if logs:
                await self._fetch_logs(logs)
            elif historic:
                await self._pieces(self._source.backfill, historic)
            elif stale:
                await self._pieces(self._recheck, stale)
            elif detailed:
                await self._pieces(self._details, detailed)
            elif not self._woken:
                return

    async def _pieces(self, piece: Callable[[Book], Awaitable[object]], books: Sequence[Book]) -> None:
        async def one(book: Book) -> None:
            error = await tried(lambda: piece(book), book)
            if error:
                self._failed.add(book.repository)
            if error or book.state.background_error:
                book.note(background_error=error)
                await book.save()

        await asyncio.gather(*(one(book) for book in books))

    async def _fetch_logs(self, books: Sequence[Book]) -> None:
        more = await asyncio.gather(*(self._logs.read_some(self._source, book) for book in books))
        self._without_logs |= {book.repository for book, rest in zip(books, more, strict=True) if not rest}

    def _is_stale(self, book: Book) -> bool:
        last = book.state.last_recheck_at
        # A moment that is yet to come was noted by a clock that has been set right since.
        return last is None or abs(datetime.now(UTC) - last) > self._pace

    async def _recheck(self, book: Book) -> None:
        self._checked.add(book.repository)
        # The backfill has just read everything: the first re-check may wait, and not all have to come at once.
        early = self._pace * (zlib.crc32(book.repository.encode()) % RECHECK_ROUNDS / RECHECK_ROUNDS)
        if book.state.last_recheck_at is not None:
            await self._source.recheck(book)
            early = timedelta(0)
        book.note(last_recheck_at=datetime.now(UTC) - early)
        await book.save()

    async def _details(self, book: Book) -> None:
        if await self._source.details(book):
            self._without_logs.discard(book.repository)
        else:
            self._read.add(book.repository)


async def tried(work: Callable[[], Awaitable[Any]], book: Book) -> str | None:
    """Do something for a repository; its failure becomes the sentence that is returned."""
    try:
        await work()
    except DashboardError as error:
        log.warning("polling failed", repository=book.repository, reason=str(error))
        return str(error)
    except Exception as error:
        log.exception("unexpected error while polling", repository=book.repository)
        return f"Something unexpected happened ({type(error).__name__}); the service's log has the details."
    return None
