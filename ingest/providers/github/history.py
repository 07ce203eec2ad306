"""Listings of GitHub's runs by the time of their creation: history, gaps, and re-runs of old runs."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import structlog

from core.errors import BadPayload
from core.model import Changes
from ingest.polling.book import Book
from ingest.providers.github.api import PER_PAGE, GitHub, address, name_of, runs_of
from ingest.providers.github.parse import parse
from ingest.providers.github.windows import EPOCH, Window, created, halves, windows

log = structlog.get_logger()
Keep = Callable[[Changes], Awaitable[None]]

# https://docs.github.com/en/rest/actions/workflow-runs#list-workflow-runs-for-a-repository
MOST_RESULTS = 1000


class RunPage:
    """A page of runs as the model sees it. A run that can't be understood is left out, and the log says so."""

    def __init__(self, body: dict[str, Any], book: Book) -> None:
        runs = body["workflow_runs"]
        parsed = [found for run in runs if (found := _understood(run, book)) is not None]
        self.changes = merged(parsed)
        self.attempt_ids = [run.id for run in self.changes.runs]
        self.total = int(body.get("total_count", len(runs)))
        self.pages = -(-min(self.total, MOST_RESULTS) // int(PER_PAGE))
        # A page may come short although others follow: what GitHub hides is left out after the page is cut.
        self.is_whole = self.total <= len(runs) < int(PER_PAGE)
        moments = [run["created_at"] for run in runs if run.get("created_at")]
        self.newest: str | None = max(moments, default=None)
        self.oldest: str | None = min(moments, default=None)
        # A first page that holds all runs that there are speaks for all of the past.
        self.covers = EPOCH.isoformat() if self.is_whole else self.oldest

    def note(self, book: Book, path: str, query: dict[str, str], etag: str | None) -> None:
        """The page is stored: from now on only ask whether it changed."""
        book.note_etag(address(path, query), etag)


class History:
    def __init__(self, github: GitHub) -> None:
        self._github = github

    async def read_older(self, book: Book, now: datetime) -> None:
        """The newest window of history that isn't stored yet."""
        since, reached = book.state.backfill_since, book.state.backfill_reached
        assert since
        left = [window for window in _behind_first_page(book, since, now) if reached is None or window[0] < reached]
        if not left:
            await book.reached(since)
            return
        await self.read_window(book, left[0], book.keep_history)
        await book.reached(left[0][0])

    async def read(self, book: Book, since: datetime, now: datetime, keep: Keep) -> None:
        for window in _behind_first_page(book, since, now):
            await self.read_window(book, window, keep)
            await book.save()

    async def read_window(self, book: Book, window: Window, keep: Keep) -> None:
        """All runs created in `window`, both ends included; halved until GitHub tells all of each part."""
        path, query = runs_of(name_of(book)), _query(window)
        answer = await self._github.list_page(book, path, query)
        parts = halves(window)
        if answer.unchanged:
            # Its ETag was noted last of all: whatever belongs to it was read then, and its ETags tell what there is.
            if parts and _was_read(book, path, parts[0]):
                await self._read_parts(book, parts, keep)
            else:
                await self._read_pages(book, path, _following(book, path, query), None, keep)
            return
        page = RunPage(answer.body, book)
        await keep(page.changes)
        if page.total >= MOST_RESULTS and parts:
            await self._read_parts(book, parts, keep)
        else:
            if page.total >= MOST_RESULTS:
                log.warning(
                    "GitHub shows only a part of one second", repository=book.repository, window=query["created"]
                )
            following = {**query, **answer.next_query} if answer.next_query else None
            await self._read_pages(book, path, following, page.pages, keep)
        # Noted last: whoever is killed before this line reads the window again.
        page.note(book, path, query, answer.etag)
        await book.save()

    async def _read_parts(self, book: Book, parts: tuple[Window, Window], keep: Keep) -> None:
        for part in parts:
            await self.read_window(book, part, keep)

    async def _read_pages(
        self, book: Book, path: str, query: dict[str, str] | None, pages: int | None, keep: Keep
    ) -> None:
        """The pages after the first: `pages` in all, or, where the first is unchanged, those of the last look."""
        seen: set[str] = set()
        while query:
            answer = await self._github.list_page(book, path, query)
            if answer.unchanged:
                query = _following(book, path, query, pages)
                continue
            page = RunPage(answer.body, book)
            # A server that always names a next page must not keep us for ever.
            if set(page.attempt_ids) <= seen:
                return
            seen.update(page.attempt_ids)
            await keep(page.changes)
            page.note(book, path, query, answer.etag)
            query = {**query, **answer.next_query} if answer.next_query else None


def merged(parts: list[Changes]) -> Changes:
    """Several changes as one."""
    return Changes(
        pipelines=tuple(row for part in parts for row in part.pipelines),
        runs=tuple(row for part in parts for row in part.runs),
        jobs=tuple(row for part in parts for row in part.jobs),
        steps=tuple(row for part in parts for row in part.steps),
    )


def _behind_first_page(book: Book, since: datetime, now: datetime) -> list[Window]:
    """The windows that hold more than the first page of all runs, which is asked for in each round, tells anyway."""
    covers = book.remembered("covers")
    found = windows(since, now)
    return [window for window in found if covers is None or window[0] <= datetime.fromisoformat(covers)]


def _query(window: Window) -> dict[str, str]:
    return {"created": created(window), "per_page": PER_PAGE}


def _was_read(book: Book, path: str, window: Window) -> bool:
    return book.etag(address(path, _query(window))) is not None


def _following(book: Book, path: str, query: dict[str, str], pages: int | None = None) -> dict[str, str] | None:
    """The page after an unchanged one, which has no body to tell of it: by the number of pages, or by the last look."""
    number = int(query.get("page", "1")) + 1
    following = {**query, "page": str(number)}
    if pages is not None:
        return following if number <= pages else None
    return following if book.etag(address(path, following)) else None


def _understood(run: dict[str, Any], book: Book) -> Changes | None:
    try:
        return parse("workflow_run", {"workflow_run": run, "repository": book.remembered("repository")})
    except BadPayload as error:
        log.warning("a run can't be understood", repository=book.repository, reason=str(error))
        return None
