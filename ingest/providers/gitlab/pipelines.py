"""Pipelines read whole: the pipeline itself, its jobs, its bridges, and the merge request that it belongs to."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

import structlog

from core.errors import BadPayload
from core.model import Changes
from ingest.polling.book import Book
from ingest.providers.gitlab.api import GitLab
from ingest.providers.gitlab.rest import Json, Whole, changes_of, commit_of, request_of
from ingest.providers.refusals import is_missing

log = structlog.get_logger()
Keep = Callable[[Changes], Awaitable[None]]

MOST_REMEMBERED = 20_000
PIECE = 20


def place_of(book: Book) -> str:
    return f"projects/{book.state.repository_id}"


class Pipelines:
    """`read` stores pipelines; what it read last of each is remembered, so that an unchanged one isn't read again."""

    def __init__(self) -> None:
        self._read_at: dict[tuple[str, int], str | None] = {}
        self._requests: dict[tuple[str, str], Json | None] = {}

    def is_news(self, book: Book, row: Json) -> bool:
        """Has this row of a listing changed since it was read?"""
        return self._read_at.get((book.repository, row["id"]), "") != row.get("updated_at")

    async def read(
        self, book: Book, gitlab: GitLab, ids: Iterable[int], keep: Keep, commits: dict[int, Json] | None = None
    ) -> None:
        """Read and store pipelines side by side; one that fails takes no other with it. Then raises its error.

        For those of `commits` the jobs are stored already; it holds the commit of each.
        """
        known = commits or {}
        unique = list(dict.fromkeys(ids))
        # A round may be cut off: what is stored by then isn't read again.
        for start in range(0, len(unique), PIECE):
            await self._read_piece(book, gitlab, unique[start : start + PIECE], keep, known)

    async def _read_piece(
        self, book: Book, gitlab: GitLab, wanted: list[int], keep: Keep, known: dict[int, Json]
    ) -> None:
        results = await asyncio.gather(
            *(self._whole(book, gitlab, number, known.get(number)) for number in wanted), return_exceptions=True
        )
        found: list[Changes] = []
        for number, result in zip(wanted, results, strict=True):
            if isinstance(result, Whole):
                found += self._understood(book, result)
            elif is_missing(result):
                await book.end_deleted(f"gl-{book.state.repository_id}-{number}-1")
        if found:
            await keep(Changes.together(found))
        for number, result in zip(wanted, results, strict=True):
            if isinstance(result, Whole):
                self._remember(book, number, result.pipeline.get("updated_at"))
            elif not is_missing(result):
                raise result

    async def _whole(self, book: Book, gitlab: GitLab, number: int, commit: Json | None) -> Whole:
        place, whose = f"{place_of(book)}/pipelines/{number}", book.repository
        # The pipeline first: what changes while its jobs are read moves its updated_at, and is seen by the next look.
        pipeline = await gitlab.document(place, whose)
        jobs = [] if commit else await gitlab.items(f"{place}/jobs", {"include_retried": "true"}, whose)
        bridges = await gitlab.items(f"{place}/bridges", {}, whose)
        return Whole(pipeline, jobs, bridges, await self._request(book, gitlab, pipeline), commit or commit_of(jobs))

    async def _request(self, book: Book, gitlab: GitLab, pipeline: Json) -> Json | None:
        """A merge request's branches don't change, so it is asked for once."""
        number = request_of(pipeline)
        if number is None:
            return None
        key = (book.repository, number)
        if key not in self._requests:
            try:
                found = await gitlab.document(f"{place_of(book)}/merge_requests/{number}", book.repository)
            except Exception as error:
                if not is_missing(error):
                    raise
                found = {}
            _forget_first(self._requests)
            self._requests[key] = found
        return self._requests[key]

    def _understood(self, book: Book, whole: Whole) -> list[Changes]:
        try:
            return [changes_of(book.remembered("project"), whole)]
        except BadPayload as error:
            log.warning("a pipeline can't be understood", repository=book.repository, reason=str(error))
            return []

    def _remember(self, book: Book, number: int, updated_at: str | None) -> None:
        _forget_first(self._read_at)
        self._read_at[book.repository, number] = updated_at


def _forget_first(memory: dict[tuple[str, int], str | None] | dict[tuple[str, str], Json | None]) -> None:
    if len(memory) >= MOST_REMEMBERED:
        memory.pop(next(iter(memory)))  # type: ignore[arg-type]
