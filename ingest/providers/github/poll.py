"""Polling GitHub: the newest runs, re-runs of old ones, history, attempts and jobs, all for as few requests as can be.

Lists are asked for with the ETag of the last look: where nothing changed GitHub answers 304, which costs nothing.
https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from core.settings import Settings, split_list
from ingest.polling.book import Book
from ingest.polling.budget import Budget
from ingest.polling.expansion import Expansion
from ingest.polling.http import TIMEOUT, Api, Lane
from ingest.polling.source import LogAddress, LogResult, Source, Targets
from ingest.providers.github import PROVIDER
from ingest.providers.github.access import Access, access_of
from ingest.providers.github.api import PER_PAGE, GitHub, name_of, runs_of
from ingest.providers.github.attempts import Attempts
from ingest.providers.github.history import History, RunPage
from ingest.providers.github.logs import Logs
from ingest.providers.github.targets import Repositories
from ingest.providers.refusals import is_missing

# GitHub lets a run be run again for 30 days: https://docs.github.com/en/actions/managing-workflow-runs
RERUN_DAYS = 30
# The longest that a run may take, waiting for approval included.
LONGEST_RUN = timedelta(days=65)


def source(settings: Settings) -> "GitHubSource | None":
    """None where no repository is named. Raises BadSetting for a GitHub App that is set up by half."""
    return GitHubSource(settings) if split_list(settings.github_repositories) else None


class GitHubSource(Source):
    provider = PROVIDER

    def __init__(self, settings: Settings) -> None:
        self.budget = Budget()
        self._client = httpx.AsyncClient(timeout=TIMEOUT, limits=httpx.Limits(max_connections=20))
        self.access: Access = access_of(settings, self._client)
        self._base = settings.github_api_url
        # The rounds have connections of their own, and the last tenth of the limit, so that no backfill starves them.
        self.front = GitHub(self._api(Lane(asyncio.Semaphore(6))))
        self.back = GitHub(self._api(Lane(asyncio.Semaphore(6), reserve=0.1)))
        self._expansion = Expansion(
            settings.github_repositories, settings.poll_interval_seconds, Repositories(self.front, settings).held_by
        )
        self._history = History(self.back)
        self._attempts = Attempts(self.front, self.back)
        self._logs = Logs(self.front)
        self._on_first_page: dict[str, set[str]] = {}

    def _api(self, lane: Lane) -> Api:
        return Api("GitHub", self._client, self._base, self.access.headers, self.budget, lane, self.access.renew)

    async def targets(self) -> Targets:
        return await self._expansion.targets()

    async def newest(self, book: Book) -> None:
        """The 100 newest runs; where more came since the last look, the time between; and what was still running.

        The jobs of what has just finished are read with them, except on the first look: then the history is first.
        """
        await self._know_repository(book, self.front)
        path, query = runs_of(name_of(book)), {"per_page": PER_PAGE}
        last = book.remembered("newest")
        answer = await self.front.list_page(book, path, query)
        if not answer.unchanged:
            if _is_renamed(answer.body, book):
                await self._know_repository(book, self.front, again=True)
                path = runs_of(name_of(book))
            page = RunPage(answer.body, book)
            await self._read_between(book, page)
            # What the first look finds may be older than any webhook.
            await (book.keep if last else book.keep_history)(page.changes)
            page.note(book, path, query, answer.etag)
            book.remember(newest=max([*filter(None, [last, page.newest])], default=None), covers=page.covers)
            self._on_first_page[book.repository] = set(page.attempt_ids)
        await self._follow(book)
        if last is not None:
            await self._attempts.read_fresh(book)

    async def recheck(self, book: Book) -> None:
        """Runs of the last 30 days, window by window: only a re-run changes what a window of the past answers."""
        await self._know_repository(book, self.back, again=True)
        now = datetime.now(UTC)
        await self._history.read(book, now - timedelta(days=RERUN_DAYS), now, book.keep)

    async def backfill(self, book: Book) -> None:
        await self._know_repository(book, self.back)
        await self._history.read_older(book, datetime.now(UTC))

    async def details(self, book: Book) -> bool:
        if book.state.repository_id is None:
            return False
        return await self._attempts.read_some(book)

    async def read_log(self, job: LogAddress, feed: Callable[[bytes], None]) -> LogResult:
        return await self._logs.read(job, feed)

    async def close(self) -> None:
        await self._client.aclose()

    async def _know_repository(self, book: Book, lane: GitHub, *, again: bool = False) -> None:
        """Its id, name and default branch, which a run doesn't carry."""
        if book.remembered("repository") and not again:
            return
        path = f"repos/{book.repository}"
        answer = await lane.document(book, path)
        if answer.unchanged:
            return
        kept = {name: answer.body.get(name) for name in ("id", "full_name", "html_url", "default_branch")}
        book.remember(repository=kept)
        book.note(repository_id=str(kept["id"]))
        book.note_etag(path, answer.etag)
        await book.save()

    async def _read_between(self, book: Book, page: RunPage) -> None:
        """More than a page of runs since the last look: read those between it and the page."""
        last = book.remembered("newest")
        if last is None or page.oldest is None or page.oldest <= last or page.is_whole:
            return
        await self._history.read_window(book, (_moment(last), _moment(page.oldest)), book.keep)

    async def _follow(self, book: Book) -> None:
        """Look at each run that hadn't finished and isn't on the first page, whose ETag watches over the rest."""
        rows = book.unfinished(LONGEST_RUN)
        shown = self._on_first_page.get(book.repository, set())
        await asyncio.gather(*(self._look_at(book, row) for row in rows if row["id"] not in shown))

    async def _look_at(self, book: Book, row: dict[str, Any]) -> None:
        path = f"{runs_of(name_of(book))}/{row['run_id']}"
        if not row["is_latest"]:
            path += f"/attempts/{row['run_attempt']}"
        try:
            answer = await self.front.document(book, path)
        except Exception as error:
            if not is_missing(error):
                raise
            await book.end_deleted(row["id"])
            return
        if not answer.unchanged:
            await book.keep(RunPage({"workflow_runs": [answer.body]}, book).changes)
            book.note_etag(path, answer.etag)


def _is_renamed(body: dict[str, Any], book: Book) -> bool:
    """Do the runs speak of another repository than we know by this name?"""
    named = next((run["repository"] for run in body["workflow_runs"] if run.get("repository")), None)
    return named is not None and named.get("full_name") != name_of(book)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
