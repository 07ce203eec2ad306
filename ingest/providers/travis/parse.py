"""Travis' webhook payload into the model. Pure: no clock, no network, no database.

A restarted build keeps its id and number, so it stays one run whose newest state counts.
"""

from typing import Any

from core.errors import BadPayload
from core.model import FINISHED, Changes, Job, Pipeline, Status, WorkflowRun, version_of
from ingest.providers.payload import EPOCH, first_line, latest, read
from ingest.providers.travis import PROVIDER
from ingest.providers.travis.payloads import Build, JobPart

_STATES: dict[str, Status] = {
    "started": "running",
    "passed": "success",
    "failed": "failed",
    "errored": "failed",
    "canceled": "cancelled",
}


def parse(_event: str, payload: dict[str, Any]) -> Changes:
    """What a delivery says. Raises BadPayload."""
    build = read(Build, payload)
    at = latest(build.started_at, build.finished_at)
    at = build.committed_at if at == EPOCH and build.committed_at else at
    if at == EPOCH:
        raise BadPayload("The payload can't be understood: started_at: Field required.")
    repository = build.repository
    name = f"{repository.owner_name}/{repository.name}"
    page = f"https://github.com/{name}"
    pipeline = Pipeline(
        id=f"tv-{repository.id}",
        provider=PROVIDER,
        repository_id=str(repository.id),
        repository=name,
        repository_url=page,
        workflow_id=str(repository.id),
        name="Build",
        path=".travis.yml",
        default_branch=None,
        version=version_of(None, at, name),
    )
    status = _STATES.get(build.state, "queued")
    run_key = f"tv-{build.id}"
    run = WorkflowRun(
        id=f"{run_key}-1",
        run_key=run_key,
        pipeline_id=pipeline.id,
        provider=PROVIDER,
        run_id=str(build.id),
        run_attempt=1,
        run_number=build.number,
        status=status,
        conclusion=build.state if status in FINISHED else None,
        event=build.type,
        title=build.pull_request_title or first_line(build.message),
        # For a pull request, `branch` is where it shall be merged to.
        branch=None if build.pull_request else build.branch,
        base_branch=build.branch if build.pull_request else None,
        head_sha=build.commit,
        head_repository="a pull request" if build.pull_request else None,
        is_fork=build.pull_request,
        commit_message=build.message,
        commit_author=build.author_name,
        actor=None,
        url=build.build_url,
        created_at=build.started_at or at,
        started_at=build.started_at,
        finished_at=build.finished_at if status in FINISHED else None,
        updated_at=at,
        version=version_of(status, at, build),
    )
    return Changes((pipeline,), (run,), tuple(_job(job, run) for job in build.matrix or []))


def _job(part: JobPart, run: WorkflowRun) -> Job:
    status = _STATES.get(part.state, "queued")
    word = f"{part.state} (allowed to fail)" if status == "failed" and part.allow_failure else part.state
    at = latest(part.started_at, part.finished_at)
    return Job(
        id=f"tv-j{part.id}",
        attempt_id=run.id,
        provider=PROVIDER,
        job_id=str(part.id),
        name=f"Job {part.number}",
        status=status,
        conclusion=word if status in FINISHED else None,
        runner_name=None,
        labels=None,
        url=None,
        created_at=None,
        started_at=part.started_at,
        finished_at=part.finished_at if status in FINISHED else None,
        version=version_of(status, at, part),
    )
