"""Polling Jenkins: new builds of each job, those that still run, the history, and the stages of pipelines.

A round costs one small request for each job, or for each multibranch project with all its branches.
"""

import asyncio
import base64
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import httpx

from core.errors import BadSetting, DashboardError
from core.model import Changes
from core.settings import Settings, split_list
from ingest.polling.book import Book
from ingest.polling.budget import Budget
from ingest.polling.expansion import Expansion
from ingest.polling.http import TIMEOUT, Api, Lane
from ingest.polling.source import LogAddress, LogResult, Source, Targets
from ingest.providers.jenkins import PROVIDER
from ingest.providers.jenkins.api import Jenkins, place_of
from ingest.providers.jenkins.builds import PAGE, Builds
from ingest.providers.jenkins.logs import read_console
from ingest.providers.jenkins.parse import job_path
from ingest.providers.jenkins.rest import Branch, branches_of
from ingest.providers.jenkins.targets import jobs_beneath
from ingest.providers.refusals import is_missing

JOB = "_class,url,lastBuild[number],jobs[_class,name,lastBuild[number],actions[_class]]"
LONGEST_RUN = timedelta(days=60)
# A page of history begins before the end of the last one, since builds may be deleted in between.
OVERLAP = 10


def source(settings: Settings) -> "JenkinsSource | None":
    """None where no job is named. Raises BadSetting where jobs are, but no address."""
    if not split_list(settings.jenkins_jobs):
        return None
    if not settings.jenkins_url:
        raise BadSetting("JENKINS_JOBS names jobs, but JENKINS_URL doesn't say where.")
    return JenkinsSource(settings, settings.jenkins_url)


class JenkinsSource(Source):
    provider = PROVIDER

    def __init__(self, settings: Settings, url: str) -> None:
        self.budget = Budget()
        self._client = httpx.AsyncClient(timeout=TIMEOUT, limits=httpx.Limits(max_connections=12))
        self._headers = {"User-Agent": "cicd-health-dashboard"} | _credentials(settings)
        self._url = url
        self.front = Jenkins(self._api(Lane(asyncio.Semaphore(4))))
        self.back = Jenkins(self._api(Lane(asyncio.Semaphore(2))))
        # Jenkins tells upper from lower case.
        self._expansion = Expansion(
            settings.jenkins_jobs, settings.poll_interval_seconds, partial(jobs_beneath, self.front), alike=str
        )
        self._builds = Builds()

    def _api(self, lane: Lane) -> Api:
        async def headers() -> dict[str, str]:
            return self._headers

        return Api("Jenkins", self._client, self._url, headers, self.budget, lane)

    async def targets(self) -> Targets:
        return await self._expansion.targets()

    async def newest(self, book: Book) -> None:
        """One request where nothing happened: the number of the last build of each branch."""
        read: set[str] = set()
        for branch in await self._branches(book, self.front):
            known: dict[str, int] = book.remembered("seen") or {}
            seen = known.get(branch.name or "", 0)
            if branch.last_build != seen:
                # A job that was made anew counts from 1 again.
                read |= await self._newer(book, branch, seen if branch.last_build > seen else 0)
                book.remember(seen={**known, branch.name or "": branch.last_build})
        await self._follow(book, read)

    async def backfill(self, book: Book) -> None:
        """One page of one branch; `read` is how many builds of a branch are stored, and how far back they go."""
        since = book.state.backfill_since
        assert since
        for branch in await self._branches(book, self.back):
            read: dict[str, Any] = book.remembered("read") or {}
            place, oldest = read.get(branch.name or "", (0, None))
            if place is None or (oldest and datetime.fromisoformat(oldest) <= since):
                continue
            first = max(0, place - OVERLAP)
            builds = await self.back.builds(self._place(book, branch), first, PAGE, book.repository)
            changes = self._builds.understood(book, builds, branch)
            await book.keep_history(changes)
            oldest = min((run.created_at for run in changes.runs), default=None)
            reached = [first + PAGE if len(builds) == PAGE else None, oldest and oldest.isoformat()]
            book.remember(read={**read, branch.name or "": reached})
            await book.save()
            return
        await book.reached(since)

    async def details(self, book: Book) -> bool:
        """The stages of builds whose end is stored. Only pipelines have any."""
        if not book.remembered("workflow"):
            return False
        return await self._builds.read_stages(book, self.back)

    async def read_log(self, job: LogAddress, feed: Callable[[bytes], None]) -> LogResult:
        try:
            return await read_console(self.front, job.repository, job.job_id, feed)
        except DashboardError as error:
            if not is_missing(error):
                raise
            return "missing"

    async def close(self) -> None:
        await self._client.aclose()

    async def _branches(self, book: Book, jenkins: Jenkins) -> list[Branch]:
        place = place_of(book.repository.split("/"))
        job = await jenkins.document(place, JOB, book.repository)
        branches = branches_of(job)
        if "jobs" in job and branches[0:1] and branches[0].name is None:
            raise BadSetting(f"{book.repository} is a folder.", hint=f"Write {book.repository}/* into JENKINS_JOBS.")
        path = job_path(job["url"].split("/job/", 1)[0].split("/view/", 1)[0], job["url"])
        workflow = any(branch.is_workflow for branch in branches)
        if book.state.repository_id != path.id or book.remembered("workflow") != workflow:
            book.remember(workflow=workflow)
            book.note(repository_id=path.id)
            await book.save()
        return branches

    def _place(self, book: Book, branch: Branch) -> str:
        names = book.repository.split("/")
        return place_of([*names, branch.name] if branch.name else names)

    async def _newer(self, book: Book, branch: Branch, seen: int) -> set[str]:
        """All builds after number `seen`, or the newest ones where that is 0; returns the ids of those read."""
        read: set[str] = set()
        first = 0
        while True:
            place = self._place(book, branch)
            builds = await self.front.builds(place, first, PAGE, book.repository)
            fresh = [build for build in builds if build["number"] > seen]
            if seen:
                changes = await self._builds.whole(book, self.front, place, fresh, branch)
                await self._keep(book, changes)
            else:
                # The stages of so many builds are read behind the rounds.
                changes = self._builds.understood(book, fresh, branch)
                await book.keep(changes)
            read |= {run.id for run in changes.runs}
            if not seen or len(fresh) < PAGE:
                return read
            first += PAGE

    async def _follow(self, book: Book, read: set[str]) -> None:
        """Look at each build that hadn't finished."""
        rows = book.unfinished(LONGEST_RUN)
        for row in rows:
            if row["id"] not in read:
                await self._look_at(book, row)

    async def _look_at(self, book: Book, row: dict[str, Any]) -> None:
        name, _, number = row["run_id"].rpartition("#")
        inside = name.removeprefix(book.repository).strip("/")
        branch = Branch(inside or None, 0, is_primary=False, is_workflow=bool(book.remembered("workflow")))
        try:
            changes = await self._builds.one(book, self.front, self._place(book, branch), number, branch)
        except DashboardError as error:
            if not is_missing(error):
                raise
            await book.end_deleted(row["id"])
            return
        await self._keep(book, changes)

    async def _keep(self, book: Book, changes: Changes) -> None:
        await book.keep(changes)
        finished = [run.id for run in changes.runs if run.finished_at]
        if book.remembered("workflow"):
            await book.mark(finished, "read")


def _credentials(settings: Settings) -> dict[str, str]:
    if not (settings.jenkins_user and settings.jenkins_token):
        return {}
    pair = f"{settings.jenkins_user}:{settings.jenkins_token.get_secret_value()}"
    return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
