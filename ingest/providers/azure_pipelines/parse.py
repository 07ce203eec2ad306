"""Azure DevOps' service hooks into the model. Pure: no clock, no network, no database.

A build and the pipeline run of the same id are one thing, told by two kinds of hook.
"""

import re
from typing import Any

from core.errors import BadPayload
from core.model import FINISHED, Changes, Pipeline, Status, WorkflowRun, version_of
from ingest.providers.azure_pipelines import PROVIDER
from ingest.providers.azure_pipelines.payloads import Build, BuildCompleted, Run, RunStateChanged
from ingest.providers.payload import EPOCH, latest, read

# A partial success is one whose failing tasks the pipeline itself allows to fail (continueOnError).
_RESULTS: dict[str, Status] = {
    "succeeded": "success",
    "partiallySucceeded": "success",
    "failed": "failed",
    "canceled": "cancelled",
    "stopped": "cancelled",
}
_STATES: dict[str, Status] = {"inProgress": "running", "canceling": "running", "cancelling": "running"}


def parse(_event: str, payload: dict[str, Any]) -> Changes | None:
    """What a delivery says, or None for an event that isn't used. Raises BadPayload."""
    match payload.get("eventType"):
        case "build.complete":
            return _build_changes(read(BuildCompleted, payload))
        case "ms.vss-pipelines.run-state-changed-event":
            event = read(RunStateChanged, payload)
            return _run_changes(event, event.resource.run)
    return None


def status_of(state: str, result: str | None) -> Status:
    """A result of the future counts in no rate."""
    if result:
        return _RESULTS.get(result, "skipped")
    return _STATES.get(state) or _RESULTS.get(state) or ("skipped" if state == "completed" else "queued")


def _build_changes(event: BuildCompleted) -> Changes:
    build = event.resource
    project = build.project or build.definition.project
    project_id = event.project_id or (project.id if project else None)
    if project_id is None:
        raise BadPayload("The payload can't be understood: resourceContainers.project.id: Field required.")
    at = latest(build.queued_at, build.started_at, build.finished_at)
    if at == EPOCH:
        raise BadPayload("The payload can't be understood: resource.startTime: Field required.")
    repository = build.repository
    known = (repository.name if repository else None) or (project.name if project else None)
    pipeline = Pipeline(
        id=f"az-{project_id}-{build.definition.id}",
        provider=PROVIDER,
        repository_id=project_id,
        repository=known or _organization(build.url) or project_id,
        repository_url=repository.url if repository else None,
        workflow_id=str(build.definition.id),
        name=build.definition.name,
        path=None,
        default_branch=_branch(repository.defaultBranch) if repository else None,
        version=version_of(None, at if known else EPOCH, build.definition.name, repository, known),
    )
    return Changes((pipeline,), (_build_run(build, project_id, pipeline.id),))


def _build_run(build: Build, project_id: str, pipeline_id: str) -> WorkflowRun:
    status = status_of(build.status, build.result)
    at = latest(build.queued_at, build.started_at, build.finished_at)
    run_key = f"az-{project_id}-{build.id}"
    return WorkflowRun(
        id=f"{run_key}-1",
        run_key=run_key,
        pipeline_id=pipeline_id,
        provider=PROVIDER,
        run_id=str(build.id),
        run_attempt=1,
        run_number=build.id,
        status=status,
        conclusion=(build.result or build.status) if status in FINISHED else None,
        event=build.reason,
        title=build.build_number,
        branch=_branch(build.branch),
        base_branch=None,
        head_sha=build.sha,
        head_repository=None,
        is_fork=False,
        commit_message=None,
        commit_author=None,
        actor=build.requested_for.displayName if build.requested_for else None,
        url=build.page or build.url,
        created_at=build.queued_at or build.started_at or at,
        started_at=build.started_at,
        finished_at=build.finished_at if status in FINISHED else None,
        updated_at=at,
        # It knows more than the word of a run, which may have been sent a moment later.
        version=version_of(status, at, build, progress=1 if status in FINISHED else 0),
    )


def _run_changes(event: RunStateChanged, run: Run) -> Changes:
    """A run says nothing of its repository, so its word on that never stands against a build's."""
    status = status_of(run.state, run.result)
    at = latest(run.created_at, run.finished_at)
    pipeline = Pipeline(
        id=f"az-{event.project_id}-{run.pipeline.id}",
        provider=PROVIDER,
        repository_id=event.project_id,
        repository=_organization(run.page) or event.project_id,
        repository_url=None,
        workflow_id=str(run.pipeline.id),
        name=run.pipeline.name,
        path=None,
        default_branch=None,
        version=version_of(None, EPOCH, run.pipeline.name),
    )
    run_key = f"az-{event.project_id}-{run.id}"
    row = WorkflowRun(
        id=f"{run_key}-1",
        run_key=run_key,
        pipeline_id=pipeline.id,
        provider=PROVIDER,
        run_id=str(run.id),
        run_attempt=1,
        run_number=run.id,
        status=status,
        conclusion=(run.result or run.state) if status in FINISHED else None,
        event=None,
        title=run.name,
        branch=None,
        base_branch=None,
        head_sha=None,
        head_repository=None,
        is_fork=False,
        commit_message=None,
        commit_author=None,
        actor=None,
        url=run.page,
        created_at=run.created_at,
        started_at=run.created_at if status != "queued" else None,
        finished_at=run.finished_at if status in FINISHED else None,
        updated_at=at,
        version=version_of(status, at, run),
    )
    return Changes((pipeline,), (row,))


def _branch(ref: str | None) -> str | None:
    return ref.removeprefix("refs/heads/") if ref else None


def _organization(url: str | None) -> str | None:
    match = re.match(r"https://dev\.azure\.com/([^/]+)/", url or "")
    return match[1] if match else None
