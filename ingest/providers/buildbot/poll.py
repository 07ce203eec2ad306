"""Polling Buildbot: new builds of each builder, those that still run, the history, and logs.

What the REST API tells of a build is put together as the reporter would have sent it, so that both give the same rows.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import httpx
import structlog

from core.errors import BadPayload, DashboardError, NotFound
from core.model import Changes
from core.settings import Settings, split_list
from ingest.polling.book import Book
from ingest.polling.budget import Budget
from ingest.polling.http import TIMEOUT, Api, Lane
from ingest.polling.source import LogAddress, LogResult, Source, Targets
from ingest.providers.buildbot import PROVIDER
from ingest.providers.buildbot.api import PAGE, Buildbot, Json
from ingest.providers.buildbot.parse import master_of, parse
from ingest.providers.refusals import is_missing

log = structlog.get_logger()
Keep = Callable[[Changes], Awaitable[None]]

LONGEST_RUN = timedelta(days=30)
# Kinds of logs that are text: of a command's streams, and plain. Pages and deleted logs are neither.
TEXTS = ("s", "t")


def source(settings: Settings) -> "BuildbotSource | None":
    """None where no master is named."""
    return BuildbotSource(settings, settings.buildbot_url) if settings.buildbot_url else None


class BuildbotSource(Source):
    provider = PROVIDER

    def __init__(self, settings: Settings, url: str) -> None:
        self.budget = Budget()
        self._client = httpx.AsyncClient(timeout=TIMEOUT, limits=httpx.Limits(max_connections=12))
        self._url = url
        self._wanted = split_list(settings.buildbot_builders)
        self.front = Buildbot(self._api(Lane(asyncio.Semaphore(4))))
        self.back = Buildbot(self._api(Lane(asyncio.Semaphore(2))))
        self._address = ""
        self._builders: dict[str, int] = {}

    def _api(self, lane: Lane) -> Api:
        async def headers() -> dict[str, str]:
            return {"User-Agent": "cicd-health-dashboard"}

        return Api("Buildbot", self._client, self._url, headers, self.budget, lane)

    async def targets(self) -> Targets:
        self._address = self._address or await self.front.address()
        self._builders = {builder["name"]: builder["builderid"] for builder in await self.front.builders()}
        named = [name for name in self._wanted if name != "*"]
        return Targets(tuple(sorted(self._builders if "*" in self._wanted else named)))

    async def newest(self, book: Book) -> None:
        """One request where nothing happened: builds with a higher number than the last one seen."""
        self._know(book)
        seen: int | None = book.remembered("seen")
        read: set[str] = set()
        while True:
            # At the first look the newest page will do, since the history brings the rest.
            first = seen is None
            condition = f"number__gt={seen or 0}&order={'-' if first else ''}number"
            builds = await self.front.builds(self._id(book), condition, book.repository)
            if builds:
                read |= await self._keep(book, self.front, builds, book.keep)
            # A builder without any build is remembered, too: a history that is read to its end brings nothing later.
            seen = max((build["number"] for build in builds), default=seen or 0)
            book.remember(seen=seen)
            if first or len(builds) < PAGE:
                break
        await self._follow(book, read)

    async def backfill(self, book: Book) -> None:
        """One page, from the oldest build that is stored on."""
        self._know(book)
        since = book.state.backfill_since
        assert since
        before: int | None = book.remembered("oldest")
        condition = "order=-number" + (f"&number__lt={before}" if before else "")
        builds = await self.back.builds(self._id(book), condition, book.repository)
        await self._keep(book, self.back, builds, book.keep_history)
        if len(builds) < PAGE:
            await book.reached(since)
            return
        book.remember(oldest=min(build["number"] for build in builds))
        await book.reached(datetime.fromtimestamp(min(build["started_at"] for build in builds), UTC))

    async def read_log(self, job: LogAddress, feed: Callable[[bytes], None]) -> LogResult:
        """A build's log is that of its steps, each in a group of its own."""
        size = 0
        try:
            for step in await self.front.steps(int(job.job_id), job.repository):
                for one in await self.front.logs(step["stepid"], job.repository):
                    if one["type"] in TEXTS:
                        feed(f"##[group]{step['name']} · {one['name']}\n".encode())
                        size += await self._read(one, job.repository, feed)
                        feed(b"\n##[endgroup]\n")
        except DashboardError as error:
            if not is_missing(error):
                raise
        return "kept" if size else "missing"

    async def close(self) -> None:
        await self._client.aclose()

    async def _read(self, one: Json, whose: str, feed: Callable[[bytes], None]) -> int:
        size = 0
        async with self.front.text(one["logid"], whose) as pieces:
            async for piece in pieces:
                size += len(piece)
                feed(piece)
        return size

    def _id(self, book: Book) -> int:
        if book.repository not in self._builders:
            raise NotFound(f"Buildbot has no builder {book.repository}.", hint="Check BUILDBOT_BUILDERS.")
        return self._builders[book.repository]

    def _know(self, book: Book) -> None:
        book.note(repository_id=f"{master_of(self._address)}-{self._id(book)}")

    async def _follow(self, book: Book, read: set[str]) -> None:
        """Look at each build that hadn't finished."""
        rows = book.unfinished(LONGEST_RUN)
        for row in rows:
            if row["id"] in read:
                continue
            try:
                build = await self.front.build(row["run_id"], book.repository)
            except DashboardError as error:
                if not is_missing(error):
                    raise
                await book.end_deleted(row["id"])
            else:
                await self._keep(book, self.front, [build], book.keep)

    async def _keep(self, book: Book, buildbot: Buildbot, builds: list[Json], keep: Keep) -> set[str]:
        """Store builds with their steps; returns the ids of their attempts."""
        whose = book.repository
        sets = await buildbot.buildsets((build["buildrequestid"] for build in builds), whose)
        steps = await asyncio.gather(*(buildbot.steps(build["buildid"], whose) for build in builds))
        found = [
            self._understood(book, {**build, "buildset": sets.get(build["buildrequestid"]), "steps": own})
            for build, own in zip(builds, steps, strict=True)
        ]
        changes = Changes.together(found)
        await keep(changes)
        return {run.id for run in changes.runs}

    def _understood(self, book: Book, build: Json) -> Changes:
        builder = {"builderid": build["builderid"], "name": book.repository}
        url = f"{self._address}#/builders/{build['builderid']}/builds/{build['number']}"
        try:
            return parse("build", {**build, "builder": builder, "url": url})
        except BadPayload as error:
            log.warning("a build can't be understood", repository=book.repository, reason=str(error))
            return Changes()
