"""Polling GitLab: what changed since the last look, what still runs, and the history.

A listing of pipelines tells little (no start, no finish, nobody who started it), so each pipeline that changed is read
whole: the pipeline, its jobs with the retried ones, its bridges.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

import httpx

from core.errors import DashboardError
from core.settings import Settings, split_list
from ingest.polling.book import Book
from ingest.polling.budget import Budget
from ingest.polling.expansion import Expansion
from ingest.polling.http import TIMEOUT, Api, Lane
from ingest.polling.source import LogAddress, LogResult, Source, Targets
from ingest.providers.gitlab import PROVIDER
from ingest.providers.gitlab.api import GitLab, project_at
from ingest.providers.gitlab.history import History, listed
from ingest.providers.gitlab.parse import CHILD
from ingest.providers.gitlab.pipelines import Pipelines, place_of
from ingest.providers.gitlab.rest import Json
from ingest.providers.gitlab.targets import projects_of
from ingest.providers.gitlab.trace import Trace
from ingest.providers.refusals import is_missing

# A change may be committed this long after the moment that it names: look back further than the newest seen.
OVERLAP = timedelta(seconds=60)
# The longest that a pipeline may take; one that waits for a person may wait for ever.
LONGEST_RUN = timedelta(days=60)


def source(settings: Settings) -> "GitLabSource | None":
    """None where no project is named."""
    return GitLabSource(settings) if split_list(settings.gitlab_projects) else None


class GitLabSource(Source):
    provider = PROVIDER

    def __init__(self, settings: Settings) -> None:
        self.budget = Budget()
        self._client = httpx.AsyncClient(timeout=TIMEOUT, limits=httpx.Limits(max_connections=20))
        token = settings.gitlab_token.get_secret_value() if settings.gitlab_token else None
        self._headers = {"User-Agent": "cicd-health-dashboard"} | (
            {"Authorization": f"Bearer {token}"} if token else {}
        )
        self._base = f"{settings.gitlab_url}/api/v4"
        self.front = GitLab(self._api(Lane(asyncio.Semaphore(6))))
        back = GitLab(self._api(Lane(asyncio.Semaphore(6), reserve=0.1)))
        self._expansion = Expansion(
            settings.gitlab_projects, settings.poll_interval_seconds, partial(projects_of, self.front)
        )
        self._pipelines = Pipelines()
        self._history = History(back, self._pipelines)

    def _api(self, lane: Lane) -> Api:
        async def headers() -> dict[str, str]:
            return self._headers

        return Api("GitLab", self._client, self._base, headers, self.budget, lane)

    async def targets(self) -> Targets:
        return await self._expansion.targets()

    async def newest(self, book: Book) -> None:
        """Two requests where nothing happened: pipelines, and child pipelines, that changed since the last look."""
        await self._know_project(book)
        seen = book.remembered("seen")
        since = datetime.fromisoformat(seen) - OVERLAP if seen else None
        rows = [row for kind in (None, CHILD) for row in await self._changed(book, kind, since)]
        news = [row["id"] for row in rows if self._pipelines.is_news(book, row)]
        await self._pipelines.read(book, self.front, news, book.keep)
        if rows:
            newest = max(row.get("updated_at") or row["created_at"] for row in rows).replace("Z", "+00:00")
            book.remember(seen=max(filter(None, [seen, newest])))
        await self._follow(book, set(news), ("queued", "running"))

    async def recheck(self, book: Book) -> None:
        """The project's name and default branch, and what waits for a person: it may have been deleted."""
        await self._know_project(book, again=True)
        await self._follow(book, set(), ("blocked",))

    async def backfill(self, book: Book) -> None:
        await self._know_project(book)
        await self._history.read_older(book, datetime.now(UTC))

    async def read_log(self, job: LogAddress, feed: Callable[[bytes], None]) -> LogResult:
        """A trace may lie in an object store, which must not see the token. One that was erased is empty."""
        trace, size = Trace(), 0
        try:
            path = f"{project_at(job.repository)}/jobs/{job.job_id}/trace"
            async with self.front.download(path, job.repository) as pieces:
                async for piece in pieces:
                    size += len(piece)
                    feed(trace.feed(piece))
        except DashboardError as error:
            if not is_missing(error):
                raise
        feed(trace.end())
        return "kept" if size else "missing"

    async def close(self) -> None:
        await self._client.aclose()

    async def _know_project(self, book: Book, *, again: bool = False) -> None:
        """Its id, name and default branch, which a pipeline doesn't carry."""
        if book.remembered("project") and not again:
            return
        found = await self.front.document(project_at(book.repository), book.repository)
        kept = {name: found.get(name) for name in ("id", "path_with_namespace", "web_url", "default_branch")}
        book.remember(project=kept)
        book.note(repository_id=str(kept["id"]))
        await book.save()

    async def _changed(self, book: Book, kind: str | None, since: datetime | None) -> list[Json]:
        """All that changed since; at the first look the last page, since the history brings the rest.

        What changes while pages are turned moves to the front, behind us, and is newer than all that we saw.
        """
        page = await listed(self.front, book, kind, after=since)
        rows = list(page.items)
        while since and page.following:
            page = await self.front.page(f"{place_of(book)}/pipelines", page.following, book.repository)
            rows += page.items
        return rows

    async def _follow(self, book: Book, read: set[int], statuses: tuple[str, ...]) -> None:
        """Look at each pipeline that hadn't finished: its jobs move on without a change of the pipeline itself."""
        rows = book.unfinished(LONGEST_RUN)
        left = [int(row["run_id"]) for row in rows if row["status"] in statuses and int(row["run_id"]) not in read]
        await self._pipelines.read(book, self.front, left, book.keep)
