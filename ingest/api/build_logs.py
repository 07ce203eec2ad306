"""The log of a job, as plain text, unpacked piece by piece while it is sent."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse

from core.errors import NotFound
from core.logs.opened import text_of
from ingest.api.dependencies import Running
from ingest.api.frames import records
from ingest.api.models import ErrorBody
from ingest.joblogs import log_of

router = APIRouter(tags=["builds"])


@router.get(
    "/builds/{build_id}/logs",
    response_class=StreamingResponse,
    responses={code: {"model": ErrorBody} for code in (404, 410, 502)},
    summary="The log of a job",
)
async def build_log(
    service: Running,
    build_id: str,
    job: Annotated[str | None, Query(max_length=200)] = None,
    form: Annotated[
        Literal["text", "gzip"], Query(alias="format", description="gzip: the log as it is kept.")
    ] = "text",
) -> Response:
    """`job` is a job's id; without it the first failed job of the build, else its first job.

    Fetches the log from the CI system first where it isn't kept, which may take a while.
    """
    attempts = records(service.reader.frame("run_attempts", id=build_id))
    if not attempts:
        raise NotFound("There is no such build.", details={"id": build_id})
    shown = next((row for row in attempts if row["attempt_id"] == build_id), attempts[0])
    jobs = [
        row
        for attempt in ([shown] if job is None else attempts)
        for row in records(service.reader.frame("attempt_jobs", attempt_id=attempt["attempt_id"]))
    ]
    if job is not None:
        jobs = [row for row in jobs if job in (row["id"], row["job_id"])]
    if not jobs:
        raise NotFound("This build has no such job.", details={"job": job})
    wanted = next((row for row in jobs if row["status"] == "failed"), jobs[0])
    kept = await log_of(service, wanted["id"])
    headers = {
        "X-Log-Size": str(kept["size_bytes"]),
        "X-Log-Cut": str(bool(kept["is_cut"])).lower(),
        "X-Log-First-Error": str(int(kept["first_error_line"])) if kept["first_error_line"] else "",
        "X-Log-Job": wanted["id"],
        "X-Content-Type-Options": "nosniff",
    }
    if form == "gzip":
        return Response(bytes(kept["content"]), media_type="application/gzip", headers=headers)
    return StreamingResponse(text_of(bytes(kept["content"])), media_type="text/plain; charset=utf-8", headers=headers)
