"""GitLab's history, piece by piece: all jobs by keyset, then child pipelines, then pipelines, each newest first.

Jobs come a hundred at a time and carry their commit, so that most pipelines need no request for their jobs. How far
each of the three has come is noted after its rows are stored: a kill at any moment costs the last piece only.
"""

from datetime import datetime, timedelta

from core.model import FINISHED
from ingest.polling.book import Book
from ingest.providers.gitlab.api import GitLab, Page, Query
from ingest.providers.gitlab.parse import CHILD, status_of
from ingest.providers.gitlab.pipelines import Pipelines, place_of
from ingest.providers.gitlab.rest import Json, job_changes
from ingest.providers.refusals import Explained

# https://docs.gitlab.com/api/rest/#keyset-based-pagination: jobs of a project, by id, newest first only.
KEYSET: Query = {"pagination": "keyset", "order_by": "id", "sort": "desc"}
# Times are told in milliseconds, but compared in microseconds.
MILLISECOND = timedelta(milliseconds=1)


class History:
    def __init__(self, gitlab: GitLab, pipelines: Pipelines) -> None:
        self._gitlab = gitlab
        self._pipelines = pipelines
        self._commits: dict[str, dict[int, Json]] = {}

    async def read_older(self, book: Book, now: datetime) -> None:
        """One more piece. `book.reached` is told last, when jobs and child pipelines are there already."""
        since = book.state.backfill_since
        assert since
        if not _is_read(book, "jobs", since):
            await self._older_jobs(book, since)
        elif not _is_read(book, "children", since):
            reached = await self._older(book, CHILD, _noted(book, "children") or now, since)
            _note(book, "children", reached)
            await book.save()
        else:
            reached = await self._older(book, None, book.state.backfill_reached or now, since)
            if reached <= since:
                self._commits.pop(book.repository, None)
            await book.reached(reached)

    async def _older_jobs(self, book: Book, since: datetime) -> None:
        query: Query = book.remembered("jobs_next") or KEYSET
        try:
            page = await self._gitlab.page(f"{place_of(book)}/jobs", query, book.repository)
        except Explained as refused:
            # GitLab before 15.9 can't list jobs by keyset: 405. Then each pipeline's jobs are read with it.
            if refused.http_status != 405:
                raise
            page = Page([], None)
        if page.items:
            await book.keep_history(job_changes(book.remembered("project"), page.items))
            known = self._commits.setdefault(book.repository, {})
            known |= {job["pipeline"]["id"]: job["commit"] for job in page.items if job.get("commit")}
        over = page.following is None
        _note(book, "jobs", since if over else _moment(page.items[-1]["created_at"]))
        book.remember(jobs_next=None if over else dict(page.following or {}))
        await book.save()

    async def _older(self, book: Book, source: str | None, before: datetime, since: datetime) -> datetime:
        """One page of pipelines that were last touched before `before`; returns how far back they are read now."""
        page = await listed(self._gitlab, book, source, after=since, before=before + MILLISECOND)
        rows = list(page.items)
        oldest = _oldest(rows, since)
        while page.following and oldest >= before:
            # A whole page was touched in the same moment: only here the next page is asked for by its offset.
            page = await self._gitlab.page(f"{place_of(book)}/pipelines", page.following, book.repository)
            rows += page.items
            oldest = _oldest(rows, since)
        commits = self._commits.get(book.repository, {})
        # Jobs of a pipeline that began before the history weren't all listed; those of one that runs have moved on.
        complete = {
            row["id"]: commits[row["id"]]
            for row in rows
            if row["id"] in commits and status_of(row["status"]) in FINISHED and _moment(row["created_at"]) > since
        }
        news = [row["id"] for row in rows if self._pipelines.is_news(book, row)]
        await self._pipelines.read(book, self._gitlab, news, book.keep_history, complete)
        return oldest if page.following else since


async def listed(
    gitlab: GitLab, book: Book, source: str | None, *, after: datetime | None = None, before: datetime | None = None
) -> Page:
    """Pipelines, the last touched first. GitLab leaves child pipelines out, unless they are asked for by name."""
    query = {"order_by": "updated_at", "sort": "desc"}
    query |= {"source": source} if source else {}
    query |= {"updated_after": _text(after)} if after else {}
    query |= {"updated_before": _text(before)} if before else {}
    return await gitlab.page(f"{place_of(book)}/pipelines", query, book.repository)


def _oldest(rows: list[Json], fallback: datetime) -> datetime:
    return min((_moment(row["updated_at"]) for row in rows if row.get("updated_at")), default=fallback)


def _is_read(book: Book, what: str, since: datetime) -> bool:
    reached = _noted(book, what)
    return reached is not None and reached <= since


def _noted(book: Book, what: str) -> datetime | None:
    text = book.remembered(f"{what}_reached")
    return datetime.fromisoformat(text) if text else None


def _note(book: Book, what: str, reached: datetime) -> None:
    book.remember(**{f"{what}_reached": reached.isoformat()})


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def _text(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
