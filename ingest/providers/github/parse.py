"""GitHub's webhook payloads into the model. Pure: no clock, no network, no database."""

from datetime import UTC, datetime
from typing import Any, TypeVar

from pydantic import ValidationError

from core.errors import BadPayload
from core.model import FINISHED, Changes, Job, Pipeline, Status, Step, WorkflowRun, version_of
from ingest.providers.github import PROVIDER
from ingest.providers.github.payloads import JobEvent, Part, Repository, RunEvent, RunPart, StepPart, Workflow

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_UNFINISHED: dict[str, Status] = {"in_progress": "running"}
_CONCLUSIONS: dict[str, Status] = {
    "success": "success",
    "failure": "failed",
    "timed_out": "failed",
    "startup_failure": "failed",
    "cancelled": "cancelled",
    "action_required": "blocked",
}

Event = TypeVar("Event", bound=Part)


def parse(event: str, payload: dict[str, Any]) -> Changes | None:
    """What a delivery says, or None for an event that isn't used.

    Raises BadPayload naming each field that is missing or of the wrong type.
    """
    match event:
        case "workflow_run":
            return _run_changes(_read(RunEvent, payload))
        case "workflow_job":
            return _job_changes(_read(JobEvent, payload))
    return None


def status_of(status: str, conclusion: str | None) -> Status:
    """GitHub's status and conclusion in the one vocabulary; a conclusion of the future counts in no rate."""
    if status != "completed":
        return _UNFINISHED.get(status, "queued")
    return _CONCLUSIONS.get(conclusion or "", "skipped")


def _read(model: type[Event], payload: dict[str, Any]) -> Event:
    try:
        return model.model_validate(payload)
    except ValidationError as error:
        fields = {".".join(map(str, e["loc"])): e["msg"] for e in error.errors()}
        sentence = "; ".join(f"{name}: {reason}" for name, reason in list(fields.items())[:5])
        raise BadPayload(f"The payload can't be understood: {sentence}.", details={"fields": fields}) from None


def _run_changes(event: RunEvent) -> Changes:
    run, repository = event.workflow_run, event.repository
    pipeline = _pipeline(run, event.workflow or Workflow(), repository)
    return Changes(pipelines=(pipeline,), runs=(_run(run, repository, pipeline.id),))


def _pipeline(run: RunPart, workflow: Workflow, repository: Repository) -> Pipeline:
    path = workflow.path or run.path
    name = workflow.name or run.name or path or f"Workflow {run.workflow_id}"
    words = (repository.full_name, repository.html_url, repository.default_branch, name, path)
    return Pipeline(
        id=f"gh-{repository.id}-{run.workflow_id}",
        provider=PROVIDER,
        repository_id=str(repository.id),
        repository=repository.full_name,
        repository_url=repository.html_url,
        workflow_id=str(run.workflow_id),
        name=name,
        path=path,
        default_branch=repository.default_branch,
        version=version_of(None, run.updated_at, *words),
    )


def _run(run: RunPart, repository: Repository, pipeline_id: str) -> WorkflowRun:
    status = status_of(run.status, run.conclusion)
    commit = run.head_commit
    actor = run.triggering_actor or run.actor
    base = next((pull.base.ref for pull in run.pull_requests or [] if pull.base), None)
    run_key = f"gh-{repository.id}-{run.id}"
    created_at = run.created_at or run.run_started_at or run.updated_at
    return WorkflowRun(
        id=f"{run_key}-{run.run_attempt}",
        run_key=run_key,
        pipeline_id=pipeline_id,
        provider=PROVIDER,
        run_id=str(run.id),
        run_attempt=run.run_attempt,
        run_number=run.run_number,
        status=status,
        conclusion=run.conclusion,
        event=run.event,
        title=run.display_title,
        branch=run.head_branch,
        base_branch=base,
        head_sha=run.head_sha,
        head_repository=run.head_repository.full_name if run.head_repository else None,
        # Without a head repository the fork was deleted: its branch is not ours, whatever its name.
        is_fork=run.head_repository is None or run.head_repository.id != repository.id,
        commit_message=commit.message if commit else None,
        commit_author=commit.author.name if commit and commit.author else None,
        actor=actor.login if actor else None,
        url=run.html_url,
        created_at=created_at,
        started_at=run.run_started_at or created_at,
        # GitHub gives no finish; updated_at of the completing event is what its own page shows.
        finished_at=run.updated_at if status in FINISHED else None,
        updated_at=run.updated_at,
        version=version_of(status, run.updated_at, run, pipeline_id),
    )


def _job_changes(event: JobEvent) -> Changes:
    part, repository = event.workflow_job, event.repository
    status = status_of(part.status, part.conclusion)
    steps = part.steps or []
    at = part.completed_at or part.started_at or part.created_at or EPOCH
    version = version_of(status, at, part, progress=sum(step.status == "completed" for step in steps))
    job_id = f"gh-{repository.id}-j{part.id}"
    job = Job(
        id=job_id,
        attempt_id=f"gh-{repository.id}-{part.run_id}-{part.run_attempt}",
        provider=PROVIDER,
        job_id=str(part.id),
        name=part.name,
        status=status,
        conclusion=part.conclusion,
        runner_name=part.runner_name,
        labels=", ".join(part.labels) if part.labels else None,
        url=part.html_url,
        created_at=part.created_at,
        started_at=part.started_at,
        finished_at=part.completed_at if status in FINISHED else None,
        version=version,
    )
    return Changes(jobs=(job,), steps=tuple(_step(job_id, step, version) for step in steps))


def _step(job_id: str, step: StepPart, version: str) -> Step:
    status = status_of(step.status, step.conclusion)
    return Step(
        job_id=job_id,
        number=step.number,
        name=step.name,
        status=status,
        conclusion=step.conclusion,
        started_at=step.started_at,
        finished_at=step.completed_at if status in FINISHED else None,
        version=version,
    )
