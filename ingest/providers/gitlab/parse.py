"""GitLab's webhook payloads into the model. Pure: no clock, no network, no database.

GitLab has no attempts: a retried job is a new job of the same pipeline, so every run is its own first attempt.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from core.errors import BadPayload
from core.model import FINISHED, Changes, Job, Pipeline, Status, WorkflowRun, version_of
from ingest.providers.gitlab import PROVIDER
from ingest.providers.gitlab.payloads import Build, JobEvent, PipelineEvent, PipelinePart, Project
from ingest.providers.payload import earliest, first_line, latest, read

_STATUSES: dict[str, Status] = {
    "created": "queued",
    "waiting_for_resource": "queued",
    "waiting_for_callback": "queued",
    "preparing": "queued",
    "scheduled": "queued",
    "pending": "queued",
    "running": "running",
    "success": "success",
    "failed": "failed",
    "canceled": "cancelled",
    "canceling": "cancelled",
    "skipped": "skipped",
    "manual": "blocked",
}
# How far a job has come that no runner has taken yet: a manual job is pending only once somebody has started it.
_BEFORE_THE_RUNNER = {"waiting_for_resource": 1, "preparing": 1, "scheduled": 1, "manual": 1, "pending": 2}
# A pipeline that another one started in the same project. GitLab keeps it off its list of pipelines; here it is one of
# a workflow of its own, so that a child can't decide how its parent's branch stands.
CHILD = "parent_pipeline"


def parse(_event: str, payload: dict[str, Any]) -> Changes | None:
    """What a delivery says, or None for an event that isn't used. Raises BadPayload."""
    match payload.get("object_kind"):
        case "pipeline":
            return pipeline_changes(read(PipelineEvent, payload))
        case "build":
            return _job_changes(read(JobEvent, payload))
    return None


def status_of(word: str) -> Status:
    """GitLab's status in the one vocabulary; a word of the future waits."""
    return _STATUSES.get(word, "queued")


def pipeline_changes(event: PipelineEvent) -> Changes:
    """A pipeline, its run and its jobs, from a hook or from the REST API."""
    pipeline = pipeline_of(event.project, event.object_attributes.source, _updated_at(event))
    run = _run(event, pipeline.id)
    address = event.project.web_url
    builds = [*(event.builds or []), *(event.bridges or [])]
    return Changes((pipeline,), (run,), tuple(job_of(build, event.project.id, run.id, address) for build in builds))


def _job_changes(event: JobEvent) -> Changes:
    pipeline_id = event.pipeline_id or (event.commit.id if event.commit else None)
    if pipeline_id is None:
        raise BadPayload("The payload can't be understood: pipeline_id: Field required.")
    attempt_id = f"gl-{event.project_id}-{pipeline_id}-1"
    address = event.repository.homepage if event.repository else None
    return Changes(jobs=(job_of(event.build, event.project_id, attempt_id, address),))


def pipeline_of(project: Project, source: str | None, at: datetime) -> Pipeline:
    """A project has one workflow, its .gitlab-ci.yml, and one more for the child pipelines of that."""
    child = source == CHILD
    words = (project.path_with_namespace, project.web_url, project.default_branch)
    return Pipeline(
        id=f"gl-{project.id}-{'child' if child else 'ci'}",
        provider=PROVIDER,
        repository_id=str(project.id),
        repository=project.path_with_namespace,
        repository_url=project.web_url,
        workflow_id="child" if child else "ci",
        name="Child pipelines" if child else "Pipeline",
        path=None if child else ".gitlab-ci.yml",
        default_branch=project.default_branch,
        version=version_of(None, at, *words),
    )


def _updated_at(event: PipelineEvent) -> datetime:
    """The hook names no such moment: the latest that it knows of."""
    part = event.object_attributes
    ends = [moment for build in event.builds or [] for moment in (build.started_at, build.finished_at)]
    return latest(part.created_at, part.finished_at, part.updated_at, *ends)


def _run(event: PipelineEvent, pipeline_id: str) -> WorkflowRun:
    part, request, commit = event.object_attributes, event.merge_request, event.commit
    status = status_of(part.status)
    updated_at = _updated_at(event)
    run_key = f"gl-{event.project.id}-{part.id}"
    fork = request.source_project_id if request and request.source_project_id != request.target_project_id else None
    address = event.project.web_url
    message = commit.message if commit else None
    return WorkflowRun(
        id=f"{run_key}-1",
        run_key=run_key,
        pipeline_id=pipeline_id,
        provider=PROVIDER,
        run_id=str(part.id),
        run_attempt=1,
        run_number=part.iid,
        status=status,
        conclusion=part.status if status in FINISHED or status == "blocked" else None,
        event=part.source,
        title=part.name or (request.title if request else None) or first_line(message),
        branch=part.ref,
        base_branch=request.target_branch if request else None,
        head_sha=part.sha,
        head_repository=f"project {fork}" if fork else event.project.path_with_namespace,
        is_fork=fork is not None,
        commit_message=message,
        commit_author=commit.author.name if commit and commit.author else None,
        actor=event.user.username if event.user else None,
        url=part.url or (f"{address}/-/pipelines/{part.id}" if address else None),
        created_at=part.created_at,
        started_at=_started_at(part, status, event.builds or []),
        finished_at=part.finished_at if status in FINISHED else None,
        updated_at=updated_at,
        version=_run_version(status, updated_at, event),
    )


def _run_version(status: Status, at: datetime, event: PipelineEvent) -> str:
    """A pipeline stops for a manual job while it runs and goes on later: both stand on the same step.

    What tells them apart is how many jobs have been let go. Of a job that was retried the newest counts.
    """
    newest = {build.name: build for build in sorted(event.builds or [], key=lambda build: build.id)}
    let_go = sum(
        status_of(build.status) not in ("queued", "blocked") or build.status == "pending" for build in newest.values()
    )
    rank: Status = "running" if status == "blocked" else status
    return version_of(rank, at, event, progress=let_go if rank == "running" else 0)


def _started_at(part: PipelinePart, status: Status, builds: list[Build]) -> datetime | None:
    """The hook gives no start: it is the wait after the creation, where that is known, else the first job's start."""
    if status == "queued" or part.started_at:
        return part.started_at
    if part.queued_duration is not None:
        return part.created_at + timedelta(seconds=part.queued_duration)
    return earliest(build.started_at for build in builds) or part.created_at


def job_of(build: Build, project_id: int, attempt_id: str, address: str | None) -> Job:
    """One job of a pipeline; `address` is the project's page."""
    status = status_of(build.status)
    word = f"{build.status} (allowed to fail)" if status == "failed" and build.allow_failure else build.status
    tags = (build.runner.tags if build.runner else None) or build.tag_list
    downstream = build.downstream_pipeline.web_url if build.downstream_pipeline else None
    job = Job(
        id=f"gl-{project_id}-j{build.id}",
        attempt_id=attempt_id,
        provider=PROVIDER,
        job_id=str(build.id),
        name=build.name,
        status=status,
        conclusion=word if status in FINISHED or status == "blocked" else None,
        runner_name=build.runner.description if build.runner else None,
        labels=", ".join(tags) if tags else None,
        url=downstream or build.web_url or (f"{address}/-/jobs/{build.id}" if address else None),
        created_at=build.created_at,
        started_at=build.started_at,
        finished_at=build.finished_at if status in FINISHED else None,
        version="",
    )
    at = latest(build.created_at, build.started_at, build.finished_at)
    return replace(job, version=version_of(status, at, job, progress=_BEFORE_THE_RUNNER.get(build.status, 0)))
