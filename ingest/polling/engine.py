"""The engine: one thread with an event loop that asks every configured CI system, on a schedule and when told to.

A round asks each repository for its newest runs. Behind the rounds, one task for each CI system reads what takes
longer, in small pieces and in this order: history of repositories seen for the first time, re-checks of older runs, and
what belongs to each run. A repository that fails is told so in a sentence and left alone until the next round.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import structlog

from core.errors import DashboardError, NotFound, StoreUnavailable
from core.settings import Settings
from core.store import polling as store
from core.store.reader import Reader
from core.store.writer import Writer
from ingest.polling.book import Book
from ingest.polling.source import Source
from ingest.providers import poll_modules

log = structlog.get_logger()
T = TypeVar("T")

RECHECK_ROUNDS = 10


class Polling:
    """Start it, then call `round` as often as wanted; thread-safe."""

    def __init__(self, settings: Settings, reader: Reader, writer: Writer) -> None:
        self._settings = settings
        self._reader = reader
        self._writer = writer
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="polling", daemon=True)
        self._books: dict[tuple[str, str], Book] = {}
        self._background: dict[str, asyncio.Task[None]] = {}
        self._wake: dict[str, asyncio.Event] = {}
        self._round_lock = asyncio.Lock()
        self._stopping = False
        self.sources: dict[str, Source] = {}

    def start(self) -> None:
        """Make the sources that are configured. Raises BadSetting."""
        self._thread.start()
        self.run(self._open())

    def stop(self) -> None:
        """Stop in the middle of whatever goes on: what is stored is consistent, and the rest is asked for again."""
        closing = self.submit(self._close())
        self._stopping = True
        with suppress(Exception):
            closing.result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)

    @property
    def is_configured(self) -> bool:
        return bool(self.sources)

    def submit(self, work: Coroutine[Any, Any, T]) -> "Future[T]":
        """Run a coroutine on the engine's loop, from any thread. Raises StoreUnavailable while the service stops."""
        if self._stopping:
            work.close()
            raise StoreUnavailable("The service is stopping.", hint="Try again in a moment.")
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def run(self, work: Coroutine[Any, Any, T], timeout: float | None = None) -> T:
        return self.submit(work).result(timeout)

    def round(self) -> None:
        """Ask every repository for its newest runs, and return when all have answered. Background work goes on."""
        with suppress(CancelledError, StoreUnavailable):  # the service stops meanwhile
            self.run(self._round())

    def poll_soon(self) -> None:
        """Ask now instead of at the next tick; returns at once."""
        self.submit(self._round())

    def drain(self) -> None:
        """Return when there is nothing left to read in the background, or nothing that can be read now."""
        self.run(self._drain())

    def backfill(self, provider: str, repository: str, since: datetime) -> None:
        """Read the history of a repository back to `since`, further than it is stored. Raises NotFound, BadSetting."""
        self.run(self._backfill(provider, repository, since))

    def book(self, provider: str, repository: str) -> Book:
        """What is known of a repository. Raises NotFound for one that was never polled."""
        book = self._books.get((provider, repository))
        if book is None:
            raise NotFound(f"{repository} is not polled.", hint="Is it in GITHUB_REPOSITORIES?")
        return book

    def repositories(self, provider: str) -> list[str]:
        return sorted(repository for name, repository in self._books if name == provider)

    async def _open(self) -> None:
        for module in poll_modules():
            source = module.source(self._settings)
            if source is not None:
                self.sources[source.provider] = source
                self._wake[source.provider] = asyncio.Event()

    async def _close(self) -> None:
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for source in self.sources.values():
            await source.close()

    async def _round(self) -> None:
        async with self._round_lock:
            await asyncio.gather(*(self._ask(source) for source in self.sources.values()))

    async def _ask(self, source: Source) -> None:
        books = await self._targets(source)
        await asyncio.gather(*(self._newest(source, book) for book in books))
        await self._sample(source)
        self._start_background(source)

    async def _targets(self, source: Source) -> Sequence[Book]:
        try:
            targets = await source.targets()
        except DashboardError as error:
            log.warning("repositories can't be listed", provider=source.provider, reason=str(error))
            known = [book for (provider, _), book in self._books.items() if provider == source.provider]
            for book in known:
                book.note(last_poll_at=datetime.now(UTC), last_error=str(error))
                await book.save()
            return []
        for pattern, sentence in targets.problems.items():
            problem = await self._open_book(source.provider, pattern)
            problem.note(last_poll_at=datetime.now(UTC), last_error=sentence)
            await problem.save()
        return [await self._open_book(source.provider, repository) for repository in targets.repositories]

    async def _open_book(self, provider: str, repository: str) -> Book:
        key = (provider, repository)
        if key not in self._books:
            states = self._writer.transact(lambda cursor: store.load_state(cursor, provider, repository))
            state = await asyncio.wrap_future(states)
            self._books[key] = Book(state, self._reader, self._writer)
        return self._books[key]

    async def _newest(self, source: Source, book: Book) -> None:
        now = datetime.now(UTC)
        first = book.state.first_poll_at is None
        book.note(last_poll_at=now, first_poll_at=book.state.first_poll_at or now)
        if first and book.state.backfill_since is None:
            book.note(backfill_since=now - timedelta(days=self._settings.backfill_days))
        error = await self._tried(lambda: source.newest(book), book)
        if error is None:
            book.note(last_success_at=datetime.now(UTC))
        book.note(last_error=error)
        await book.save()

    async def _tried(self, work: Callable[[], Awaitable[Any]], book: Book) -> str | None:
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

    async def _sample(self, source: Source) -> None:
        budget = source.budget
        if not budget.allowed:
            return
        sample = store.RateLimitSample(
            datetime.now(UTC), source.provider, budget.remaining, budget.allowed, budget.used, budget.reset_at
        )
        await asyncio.wrap_future(self._writer.transact(lambda cursor: store.save_sample(cursor, sample)))

    async def _backfill(self, provider: str, repository: str, since: datetime) -> None:
        source = self.sources.get(provider)
        if source is None:
            raise NotFound(f"No CI system called {provider} is set up for polling.", details={"known": [*self.sources]})
        book = await self._open_book(provider, repository)
        wanted = min(since, book.state.backfill_since or since)
        book.note(backfill_since=wanted, first_poll_at=book.state.first_poll_at or datetime.now(UTC))
        book.note(background_error=None)
        await book.save()
        self._start_background(source)

    def _start_background(self, source: Source) -> None:
        running = self._background.get(source.provider)
        self._wake[source.provider].set()
        if running is None or running.done():
            self._background[source.provider] = asyncio.create_task(self._work(source))

    async def _drain(self) -> None:
        for source in self.sources.values():
            self._start_background(source)
        await asyncio.gather(*self._background.values())

    async def _work(self, source: Source) -> None:
        """Read piece after piece, the most urgent first, until there is nothing left. A round wakes up what failed."""
        wake = self._wake[source.provider]
        failed: set[str] = set()
        read: set[str] = set()
        while True:
            if wake.is_set():
                wake.clear()
                failed, read = set(), set()
            books = [
                book
                for (provider, name), book in self._books.items()
                if provider == source.provider and name not in failed and book.state.first_poll_at
            ]
            historic = [book for book in books if not book.state.backfill_done]
            stale = [book for book in books if self._is_stale(book)]
            detailed = [book for book in books if book.repository not in read]
            if historic:
                await self._pieces(source.backfill, historic, failed)
            elif stale:
                await self._pieces(self._recheck_of(source), stale, failed)
            elif detailed:
                read |= await self._details(source, detailed, failed)
            else:
                return

    async def _pieces(
        self, piece: Callable[[Book], Awaitable[object]], books: Sequence[Book], failed: set[str]
    ) -> None:
        async def one(book: Book) -> None:
            error = await self._tried(lambda: piece(book), book)
            if error:
                failed.add(book.repository)
            if error or book.state.background_error:
                book.note(background_error=error)
                await book.save()

        await asyncio.gather(*(one(book) for book in books))

    def _is_stale(self, book: Book) -> bool:
        pace = timedelta(seconds=RECHECK_ROUNDS * self._settings.poll_interval_seconds)
        return book.state.last_recheck_at is None or datetime.now(UTC) - book.state.last_recheck_at > pace

    def _recheck_of(self, source: Source) -> Callable[[Book], Awaitable[object]]:
        async def recheck(book: Book) -> None:
            if book.state.last_recheck_at is not None:
                await source.recheck(book)
            # The backfill has just read everything: the first re-check may wait.
            book.note(last_recheck_at=datetime.now(UTC))
            await book.save()

        return recheck

    async def _details(self, source: Source, books: Sequence[Book], failed: set[str]) -> set[str]:
        """One piece for each repository; returns those that have nothing left."""
        done: set[str] = set()

        async def piece(book: Book) -> None:
            if not await source.details(book):
                done.add(book.repository)

        await self._pieces(piece, books, failed)
        return done
