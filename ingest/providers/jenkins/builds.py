"""Builds read from Jenkins with their stages, where the plugin that tells of stages is there."""

import asyncio
from typing import Any

import structlog

from core.errors import BadPayload, DashboardError
from core.model import Changes
from ingest.polling.book import Book
from ingest.providers.jenkins import PROVIDER
from ingest.providers.jenkins.api import BUILD, Jenkins, Json, place_of
from ingest.providers.jenkins.rest import Branch, changes_of_build, steps_of
from ingest.providers.refusals import is_missing

log = structlog.get_logger()
# Builds in one answer: each one is read from Jenkins' disk.
PAGE = 100
PIECE = 40


class Builds:
    def __init__(self) -> None:
        self._has_stages = True

    def understood(
        self, book: Book, builds: list[Json], branch: Branch, stages: list[Json | None] | None = None
    ) -> Changes:
        """The rows of builds; one that can't be understood is left out, and the log says so."""
        found: list[Changes] = []
        for build, told in zip(builds, stages or [None] * len(builds), strict=True):
            try:
                found.append(changes_of_build(build, branch, told))
            except (BadPayload, KeyError, TypeError) as error:
                log.warning("a build can't be understood", repository=book.repository, reason=str(error))
        return Changes.together(found)

    async def whole(self, book: Book, jenkins: Jenkins, place: str, builds: list[Json], branch: Branch) -> Changes:
        """Builds of one job with their stages."""
        stages = await asyncio.gather(
            *(self._stages(book, jenkins, f"{place}{build['number']}/") for build in builds if branch.is_workflow)
        )
        return self.understood(book, builds, branch, list(stages) if branch.is_workflow else None)

    async def one(self, book: Book, jenkins: Jenkins, place: str, number: str, branch: Branch) -> Changes:
        """One build, by its number."""
        build = await jenkins.document(f"{place}{number}/", BUILD, f"{book.repository} #{number}")
        return await self.whole(book, jenkins, place, [build], branch)

    async def read_stages(self, book: Book, jenkins: Jenkins) -> bool:
        """The stages of some builds that were stored without. False where nothing is left."""
        rows = book.rows(
            "poll_unread_attempts", provider=PROVIDER, repository_id=book.state.repository_id, since=None, limit=PIECE
        )
        if not rows or not self._has_stages:
            return False
        told = await asyncio.gather(*(self._stages(book, jenkins, _place(row)) for row in rows))
        steps = [
            step
            for row, stages in zip(rows, told, strict=True)
            for step in (steps_of(stages, row["id"].removesuffix("-1") + "-j") if stages else ())
        ]
        await book.keep_history(Changes(steps=tuple(steps)))
        await book.mark([row["id"] for row in rows], "read")
        return True

    async def _stages(self, book: Book, jenkins: Jenkins, place: str) -> Json | None:
        """None where the build is gone, its stages make no sense, or the plugin is missing: then none are asked for."""
        if not self._has_stages:
            return None
        try:
            return _readable(await jenkins.stages(place, book.repository), book)
        except DashboardError as error:
            if not is_missing(error):
                raise
        try:
            await jenkins.document(place, "number", book.repository)
        except DashboardError as error:
            if not is_missing(error):
                raise
        else:
            self._has_stages = False
        return None


def _readable(stages: Json, book: Book) -> Json | None:
    try:
        steps_of(stages, "")
    except BadPayload as error:
        log.warning("the stages of a build can't be understood", repository=book.repository, reason=str(error))
        return None
    return stages


def _place(row: dict[str, Any]) -> str:
    name, _, number = row["run_id"].rpartition("#")
    return f"{place_of(name.split('/'))}{number}/"
