"""Workflow runs: a filtered page of them, and one with all its attempts, jobs and steps."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from core.errors import NotFound
from ingest.api.dependencies import Running
from ingest.api.frames import records
from ingest.api.models import (
    Build,
    BuildDetail,
    BuildPage,
    ErrorBody,
    JobDetail,
    Pagination,
    PipelineDetail,
    RunMetadata,
    StepDetail,
)
from ingest.api.parameters import RunFilter
from ingest.api.validators import last_modified

router = APIRouter(tags=["builds"])


@router.get("/builds", response_model=BuildPage, summary="List workflow runs")
def builds(
    service: Running,
    limit: Annotated[int, Query(ge=1, le=100, description="Runs on a page.")] = 20,
    page: Annotated[int, Query(ge=1, le=10_000_000, description="From 1.")] = 1,
    *,
    chosen: RunFilter,
    response: Response,
) -> BuildPage:
    """Latest attempts, newest first. `since` bounds a run's last activity: its end, or its start while it runs."""
    total = int(service.reader.frame("run_count", **chosen)["total"].iloc[0])
    rows = records(service.reader.frame("run_page", **chosen, limit=limit, offset=(page - 1) * limit))
    last_modified(response, (row["updated_at"] for row in rows))
    return BuildPage(
        builds=[Build(**row) for row in rows],
        pagination=Pagination(total=total, page=page, per_page=limit, has_next=page * limit < total),
    )


@router.get(
    "/builds/{build_id}", response_model=BuildDetail, responses={404: {"model": ErrorBody}}, summary="One workflow run"
)
def build(service: Running, response: Response, build_id: str) -> BuildDetail:
    """`build_id` is a run's id (its latest attempt is shown) or the id of one attempt."""
    attempts = records(service.reader.frame("run_attempts", id=build_id))
    if not attempts:
        raise NotFound("There is no such build.", details={"id": build_id})
    last_modified(response, (row["updated_at"] for row in attempts))
    shown = next((row for row in attempts if row["attempt_id"] == build_id), attempts[0])
    steps = [
        (row["job_id"], StepDetail(**row, duration=row["duration_seconds"]))
        for row in records(service.reader.frame("attempt_steps", attempt_id=shown["attempt_id"]))
    ]
    jobs = [
        JobDetail(
            **{**row, "id": row["job_id"]},
            duration=row["duration_seconds"],
            steps=[step for job_id, step in steps if job_id == row["id"]],
        )
        for row in records(service.reader.frame("attempt_jobs", attempt_id=shown["attempt_id"]))
    ]
    pipeline = PipelineDetail(
        id=shown["pipeline_id"],
        name=shown["pipeline"],
        **{key: shown[key] for key in ("provider", "repository", "repository_url", "default_branch")},
    )
    return BuildDetail(
        **{**shown, "pipeline": pipeline},
        metadata=RunMetadata(actor=shown["actor"], head_branch=shown["branch"], base_branch=shown["base_branch"]),
        jobs=jobs,
        attempts=[Build(**row) for row in attempts],
    )
