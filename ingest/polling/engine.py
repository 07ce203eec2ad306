"""The engine: one thread with an event loop that asks every configured CI system, on a schedule and when told to.

A round asks each repository for its newest runs. Behind the rounds `ingest.polling.background` reads what takes longer.
A repository that fails is told so in a sentence and left alone until the next round; one that hangs keeps no other
waiting for longer than `PATIENCE`.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Sequence
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
from ingest.polling.background import Background, tried
from ingest.polling.book import Book
from ingest.polling.logs import FailedLogs
from ingest.polling.progress import Progress, progress_of
from ingest.polling.source import Source
from ingest.providers import poll_modules

log = structlog.get_logger()
T = TypeVar("T")

PATIENCE = 30.0


class Polling:
    """Start it, then call `round` as often as wanted; thread-safe."""

    def __init__(self, settings: Settings, reader: Reader, writer: Writer) -> None:
        self._settings = settings
        self._reader = reader
        self._writer = writer
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="polling", daemon=True)
        self._books: dict[tuple[str, str], Book] = {}
        self._asking: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._background: dict[str, Background] = {}
        self._polled: dict[str, set[str]] = {}
        self._round_lock = asyncio.Lock()
        self._stopping = False
        self.sources: dict[str, Source] = {}

    def start(self) -> None:
        """Make the sources that are configured. Raises BadSetting."""
        self._thread.start()
        self.run(self._open())

    def stop(self) -> None:
        """Stop in the middle of whatever goes on: what is stored is consistent, and the rest is asked for again."""
        if self._stopping:
            return
        closing = self.submit(self._close())
        self._stopping = True
        with suppress(Exception):
            closing.result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)

    def rest(self) -> None:
        """Stop what goes on and forget what is known of the repositories: another process polls them meanwhile."""
        with suppress(CancelledError, StoreUnavailable, TimeoutError):
            self.run(self._rest(), timeout=10)

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

    def drain(self) -> None:
        """Return when there is nothing left to read in the background, or nothing that can be read now."""
        self.run(self._drain())

    def backfill(self, provider: str, repository: str, since: datetime) -> Progress:
        """Read the history of a repository back to `since`, further than it is stored. Returns at once, how far it is.

        Raises NotFound for a CI system that isn't set up.
        """
        return self.run(self._backfill(provider, repository, since))

    def progress(self, provider: str, repository: str) -> Progress:
        """How far the history of a repository is read. Raises NotFound for one that was never polled."""
        return self.run(self._progress(self.book(provider, repository)))

    def book(self, provider: str, repository: str) -> Book:
        """What is known of a repository. Raises NotFound for one that was never polled."""
        book = self._books.get((provider, repository))
        if book is None:
            raise NotFound(f"{repository} is not polled.", hint="Is it in GITHUB_REPOSITORIES?")
        return book

    def repositories(self, provider: str) -> list[str]:
        return sorted(repository for name, repository in self._books if name == provider)

    async def _open(self) -> None:
        logs = FailedLogs(self._writer, self._settings.log_max_bytes)
        for module in poll_modules():
            source = module.source(self._settings)
            if source is not None:
                name = source.provider
                self.sources[name] = source
                self._background[name] = Background(source, self._books_of(name), logs, self._settings)

    def _books_of(self, provider: str) -> Callable[[], list[Book]]:
        return lambda: [book for (name, _), book in self._books.items() if name == provider]

    async def _rest(self) -> None:
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._background.clear()
        self._books.clear()

    async def _close(self) -> None:
        await self._rest()
        for source in self.sources.values():
            await source.close()

    async def _round(self) -> None:
        async with self._round_lock:
            await asyncio.gather(*(self._ask(source) for source in self.sources.values()))

    async def _ask(self, source: Source) -> None:
        books = await self._targets(source)
        for book in books:
            key = (source.provider, book.repository)
            if key not in self._asking:
                task = self._asking[key] = asyncio.create_task(self._newest(source, book))
                task.add_done_callback(lambda _, key=key: self._asking.pop(key, None))  # type: ignore[misc]
        if tasks := [task for (provider, _), task in self._asking.items() if provider == source.provider]:
            await asyncio.wait(tasks, timeout=PATIENCE)
        await self._sample(source)
        self._background[source.provider].wake()

    async def _targets(self, source: Source) -> Sequence[Book]:
        try:
            targets = await source.targets()
        except DashboardError as error:
            log.warning("repositories can't be listed", provider=source.provider, reason=str(error))
            for book in self._books_of(source.provider)():
                book.note(last_poll_at=datetime.now(UTC), last_error=str(error))
                await book.save()
            return []
        for pattern, sentence in targets.problems.items():
            problem = await self._open_book(source.provider, pattern)
            problem.note(last_poll_at=datetime.now(UTC), last_error=sentence)
            await problem.save()
        books = [await self._open_book(source.provider, repository) for repository in targets.repositories]
        await self._say_which(source.provider, {*targets.repositories, *targets.problems})
        return books

    async def _say_which(self, provider: str, polled: set[str]) -> None:
        """Rows of repositories that are no longer polled must not look as if they lagged behind."""
        if self._polled.get(provider) != polled:
            await asyncio.wrap_future(self._writer.transact(lambda cursor: store.mark_polled(cursor, provider, polled)))
            self._polled[provider] = polled

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
        error = await tried(lambda: source.newest(book), book)
        await book.settle_gaps(now)
        if error is None:
            book.note(last_success_at=datetime.now(UTC))
        book.note(last_error=error)
        await book.save()

    async def _sample(self, source: Source) -> None:
        budget = source.budget
        if not budget.allowed:
            return
        sample = store.RateLimitSample(
            datetime.now(UTC), source.provider, budget.remaining, budget.allowed, budget.used, budget.reset_at
        )
        await asyncio.wrap_future(self._writer.transact(lambda cursor: store.save_sample(cursor, sample)))

    async def _backfill(self, provider: str, repository: str, since: datetime) -> Progress:
        source = self.sources.get(provider)
        if source is None:
            raise NotFound(f"No CI system called {provider} is set up for polling.", details={"known": [*self.sources]})
        book = await self._open_book(provider, repository)
        wanted = min(since, book.state.backfill_since or since)
        book.note(backfill_since=wanted, first_poll_at=book.state.first_poll_at or datetime.now(UTC))
        book.note(background_error=None)
        await book.save()
        self._background[provider].wake()
        return await self._progress(book)

    async def _progress(self, book: Book) -> Progress:
        background = self._background[book.state.provider]
        return await progress_of(book, self.sources[book.state.provider].budget, background.has_read(book))

    async def _drain(self) -> None:
        if self._asking:
            await asyncio.wait([*self._asking.values()])
        for background in self._background.values():
            background.wake()
        await asyncio.gather(*(background.drained() for background in self._background.values()))
