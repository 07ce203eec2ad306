"""Workflow runs: a filtered page of them, and one with all its attempts, jobs and steps."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BeforeValidator

from core.errors import NotFound
from core.model import Status
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

router = APIRouter(tags=["builds"])


def _with_plus(value: object) -> object:
    """`+02:00` reads as a space where the caller forgot to encode it."""
    return re.sub(r" (\d\d:?\d\d)$", r"+\1", value) if isinstance(value, str) else value


Moment = Annotated[datetime, BeforeValidator(_with_plus)]
Text = Annotated[str | None, Query(max_length=300)]


@router.get("/builds", response_model=BuildPage, responses={422: {"model": ErrorBody}}, summary="List workflow runs")
def builds(
    service: Running,
    limit: Annotated[int, Query(ge=1, le=100, description="Runs on a page.")] = 20,
    page: Annotated[int, Query(ge=1, le=10_000_000, description="From 1.")] = 1,
    provider: Annotated[str | None, Query(max_length=50, description="`github-actions` or `github_actions`.")] = None,
    status: Status | None = None,
    branch: Text = None,
    since: Annotated[Moment | None, Query(description="ISO 8601 with any offset; UTC without one.")] = None,
    pipeline_id: Text = None,
    repository: Text = None,
) -> BuildPage:
    """Latest attempts, newest first. `since` bounds a run's last activity: its end, or its start while it runs."""
    chosen: dict[str, Any] = {
        "provider": provider.replace("_", "-") if provider else None,
        "repository": repository,
        "branch": branch,
        "pipeline_id": pipeline_id,
        "statuses": (status,) if status else None,
        "since": since if since is None or since.tzinfo else since.replace(tzinfo=UTC),
        "until": None,
    }
    total = int(service.reader.frame("run_count", **chosen)["total"].iloc[0])
    rows = records(service.reader.frame("run_page", **chosen, limit=limit, offset=(page - 1) * limit))
    return BuildPage(
        builds=[Build(**row) for row in rows],
        pagination=Pagination(total=total, page=page, per_page=limit, has_next=page * limit < total),
    )


@router.get(
    "/builds/{build_id}", response_model=BuildDetail, responses={404: {"model": ErrorBody}}, summary="One workflow run"
)
def build(service: Running, build_id: str) -> BuildDetail:
    """`build_id` is a run's id (its latest attempt is shown) or the id of one attempt."""
    attempts = records(service.reader.frame("run_attempts", id=build_id))
    if not attempts:
        raise NotFound("There is no such build.", details={"id": build_id})
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
