"""A job's log for whoever reads on a screen: its outline, some of its lines, a search in it."""

import asyncio
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from core.errors import NotFound
from core.logs.clean import plain
from core.logs.marks import marked
from core.logs.opened import StepStart
from core.logs.patterns import TELLING, pattern_of
from ingest.api.dependencies import Running
from ingest.api.frames import records
from ingest.api.models import ErrorBody
from ingest.open_logs import Opened, OpenLogs

router = APIRouter(tags=["builds"])
ERRORS: Any = {code: {"model": ErrorBody} for code in (404, 410, 502)}
JobId = Annotated[str | None, Query(max_length=200, description="A job's id; without it the first failed job.")]
LONGEST_LINE = 4_000
LOOKED_AT = 2_000


class LogGroup(BaseModel):
    """Lines that fold away: the heading `start` stays, what follows up to `end` doesn't."""

    start: int
    end: int
    title: str
    is_folded: bool


class LogStep(BaseModel):
    """`line`: where the step begins in the log; null where its times don't tell."""

    name: str
    status: str
    duration_seconds: int | None
    line: int | None


class LogOutline(BaseModel):
    """`size_bytes` is what the CI system sent; `is_cut` says that the middle isn't kept. Lines count from 1."""

    job_id: str
    job_name: str
    status: str
    total_lines: int
    size_bytes: int
    is_cut: bool
    first_error_line: int | None
    error_lines: list[int]
    groups: list[LogGroup]
    steps: list[LogStep]


class LogLine(BaseModel):
    """`text` with its ANSI colours. `kind`: group, end (of one), error, warning, notice, debug, command, quiet or none.

    `more`: how many characters of a very long line are left out.
    """

    stamp: str
    kind: str
    text: str
    more: int


class LogLines(BaseModel):
    start: int
    total_lines: int
    lines: list[LogLine]


class LogHits(BaseModel):
    """`total` lines have the words; `lines` are the numbers of the first 10,000 of them."""

    total: int
    lines: list[int] = Field(max_length=10_000)


@router.get("/builds/{build_id}/logs/outline", response_model=LogOutline, responses=ERRORS, summary="What a log holds")
async def outline(service: Running, request: Request, build_id: str, job: JobId = None) -> LogOutline:
    """Fetches the log from the CI system first where it isn't kept, which may take a while."""
    wanted = await asyncio.to_thread(_job_of, service, build_id, job)
    opened = await _opened(service, request, wanted)
    steps = await asyncio.to_thread(_steps, service, wanted, opened)
    return LogOutline(
        job_id=wanted["id"],
        job_name=wanted["name"],
        status=wanted["status"],
        total_lines=opened.log.total,
        size_bytes=opened.size_bytes,
        is_cut=opened.is_cut,
        first_error_line=opened.first_error_line or next(iter(opened.log.errors), None),
        error_lines=opened.log.errors,
        groups=[
            LogGroup(start=group.start, end=group.end, title=group.title, is_folded=group.is_folded)
            for group in opened.log.groups
        ],
        steps=steps,
    )


@router.get("/builds/{build_id}/logs/lines", response_model=LogLines, responses=ERRORS, summary="Some lines of a log")
async def lines(
    service: Running,
    request: Request,
    build_id: str,
    job: JobId = None,
    start: Annotated[int, Query(ge=1)] = 1,
    count: Annotated[int, Query(ge=1, le=2000)] = 400,
    longest: Annotated[int, Query(ge=1, le=1_000_000, description="Characters shown of a line.")] = LONGEST_LINE,
) -> LogLines:
    """At most about a million characters at once: `longest` is less where many lines are asked for."""
    wanted = await asyncio.to_thread(_job_of, service, build_id, job)
    opened = await _opened(service, request, wanted)
    longest = min(longest, max(LONGEST_LINE, 1_000_000 // count))
    found = await asyncio.to_thread(opened.log.lines, start, count)
    return LogLines(start=start, total_lines=opened.log.total, lines=[_line(line, longest) for line in found])


@router.get("/builds/{build_id}/logs/search", response_model=LogHits, responses=ERRORS, summary="Search a log")
async def search(
    service: Running,
    request: Request,
    build_id: str,
    q: Annotated[str, Query(min_length=1, max_length=200, description="Words, small or large.")],
    job: JobId = None,
) -> LogHits:
    wanted = await asyncio.to_thread(_job_of, service, build_id, job)
    opened = await _opened(service, request, wanted)
    hits = await asyncio.to_thread(opened.log.search, q)
    return LogHits(total=hits.total, lines=list(hits.lines))


def _line(raw: str, longest: int) -> LogLine:
    line = marked(raw)
    kind = line.kind
    if not kind:
        pattern = pattern_of(plain(line.text[:LOOKED_AT]))
        kind = "error" if pattern and pattern.worth >= TELLING else ""
    return LogLine(stamp=line.stamp, kind=kind, text=line.text[:longest], more=max(0, len(line.text) - longest))


def _job_of(service: Running, build_id: str, job: str | None) -> dict[str, Any]:
    """The job, with the id of its attempt. Raises NotFound."""
    attempts = records(service.reader.frame("run_attempts", id=build_id))
    if not attempts:
        raise NotFound("There is no such build.", details={"id": build_id})
    shown = next((row for row in attempts if row["attempt_id"] == build_id), attempts[0])
    for attempt in [shown] if job is None else attempts:
        jobs = records(service.reader.frame("attempt_jobs", attempt_id=attempt["attempt_id"]))
        found = [row for row in jobs if job is None or job in (row["id"], row["job_id"])]
        if found:
            wanted = next((row for row in found if row["status"] == "failed"), found[0])
            return {**wanted, "attempt_id": attempt["attempt_id"]}
    raise NotFound("This build has no such job.", details={"job": job})


async def _opened(service: Running, request: Request, job: dict[str, Any]) -> Opened:
    logs: OpenLogs = request.app.state.open_logs
    return await logs.get(service, str(job["id"]))


def _steps(service: Running, job: dict[str, Any], opened: Opened) -> list[LogStep]:
    rows = records(service.reader.frame("attempt_steps", attempt_id=job["attempt_id"]))
    rows = [row for row in rows if row["job_id"] == job["id"]]
    starts = [StepStart(row["name"], _moment(row["started_at"])) for row in rows]
    return [
        LogStep(name=row["name"], status=row["status"], duration_seconds=_whole(row["duration_seconds"]), line=line)
        for row, line in zip(rows, opened.log.step_lines(starts), strict=True)
    ]


def _moment(value: Any) -> datetime | None:
    moment: datetime | None = value.to_pydatetime() if value is not None else None
    return moment


def _whole(value: Any) -> int | None:
    return None if value is None else int(value)
