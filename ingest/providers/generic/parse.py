"""The plain format into the model. Pure: no clock, no network, no database."""

from dataclasses import replace
from typing import Any

from core.model import FINISHED, Changes, Job, Pipeline, Step, WorkflowRun, version_of
from ingest.providers.generic import PROVIDER
from ingest.providers.generic.payloads import JobPart, RunPart, StepPart
from ingest.providers.payload import digest, first_line, latest, read


def parse(_event: str, payload: dict[str, Any]) -> Changes:
    """What a call says. Raises BadPayload naming each field that is missing, unknown or wrong."""
    part = read(RunPart, payload)
    pipeline, run = _pipeline(part), _run(part)
    jobs, steps = [], []
    for job in part.jobs:
        row = _job(job, run)
        jobs.append(row)
        steps += [_step(step, number, row) for number, step in enumerate(job.steps, 1)]
    return Changes((pipeline,), (run,), tuple(jobs), tuple(steps))


def _pipeline(part: RunPart) -> Pipeline:
    words = (part.repository_url, part.default_branch)
    return Pipeline(
        id="gx-" + digest(part.repository, part.pipeline),
        provider=PROVIDER,
        repository_id=digest(part.repository),
        repository=part.repository,
        repository_url=part.repository_url,
        workflow_id=part.pipeline,
        name=part.pipeline,
        path=None,
        default_branch=part.default_branch,
        version=version_of(None, part.at, *words),
    )


def _run(part: RunPart) -> WorkflowRun:
    run_key = f"gx-{digest(part.repository, part.pipeline)}-{part.run_id}"
    return WorkflowRun(
        id=f"{run_key}-{part.attempt}",
        run_key=run_key,
        pipeline_id="gx-" + digest(part.repository, part.pipeline),
        provider=PROVIDER,
        run_id=part.run_id,
        run_attempt=part.attempt,
        run_number=part.number,
        status=part.status,
        conclusion=part.conclusion or (part.status if part.status in FINISHED else None),
        event=part.event,
        title=part.title or first_line(part.commit_message),
        branch=part.branch,
        base_branch=part.base_branch,
        head_sha=part.commit,
        head_repository=None,
        is_fork=False,
        commit_message=part.commit_message,
        commit_author=part.author,
        actor=part.actor,
        url=part.url,
        created_at=part.created_at,
        started_at=part.started_at,
        finished_at=part.finished_at if part.status in FINISHED else None,
        updated_at=part.at,
        version=version_of("running" if part.status == "blocked" else part.status, part.at, part),
    )


def _job(part: JobPart, run: WorkflowRun) -> Job:
    """A job without an id of its own is known by its name within the attempt."""
    status = part.status
    job = Job(
        id=f"{run.id}-j{part.id or digest(part.name)}",
        attempt_id=run.id,
        provider=PROVIDER,
        job_id=part.id or part.name,
        name=part.name,
        status=status,
        conclusion=part.conclusion or (status if status in FINISHED else None),
        runner_name=part.runner,
        labels=", ".join(part.labels) if part.labels else None,
        url=part.url,
        created_at=part.created_at,
        started_at=part.started_at,
        finished_at=part.finished_at if status in FINISHED else None,
        version="",
    )
    done = sum(step.status in FINISHED for step in part.steps)
    at = latest(part.created_at, part.started_at, part.finished_at)
    rank = "running" if status == "blocked" else status
    return replace(job, version=version_of(rank, at, part, progress=min(done, 99_999)))


def _step(part: StepPart, number: int, job: Job) -> Step:
    return Step(
        job_id=job.id,
        number=number,
        name=part.name,
        status=part.status,
        conclusion=part.conclusion or (part.status if part.status in FINISHED else None),
        started_at=part.started_at,
        finished_at=part.finished_at if part.status in FINISHED else None,
        version=job.version,
    )
