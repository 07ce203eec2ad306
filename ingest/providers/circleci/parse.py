"""CircleCI's webhook payloads into the model. Pure: no clock, no network, no database.

A workflow is a run. CircleCI tells only of what is over, and a re-run is a new workflow with an id of its own.
"""

from typing import Any

from core.model import FINISHED, Changes, Job, Pipeline, Status, WorkflowRun, version_of
from ingest.providers.circleci import PROVIDER
from ingest.providers.circleci.payloads import Event, GitParameters, JobPart, TriggerParameters, Vcs
from ingest.providers.payload import digest, git_address, latest, read

_STATUSES: dict[str, Status] = {
    "success": "success",
    "failed": "failed",
    "error": "failed",
    "infrastructure_fail": "failed",
    "timedout": "failed",
    "failing": "running",
    "running": "running",
    "canceled": "cancelled",
    "unauthorized": "blocked",
    "on_hold": "blocked",
    "not_run": "skipped",
}


def parse(_event: str, payload: dict[str, Any]) -> Changes | None:
    """What a delivery says, or None for an event that isn't used (`ping`). Raises BadPayload."""
    match payload.get("type"):
        case "workflow-completed":
            event = read(Event, payload)
            pipeline = _pipeline(event)
            return Changes((pipeline,), (_run(event, pipeline.id),))
        case "job-completed":
            event = read(Event, payload)
            return Changes(jobs=(_job(event, event.job),)) if event.job else None
    return None


def status_of(word: str | None) -> Status:
    """A word of the future counts in no rate."""
    return _STATUSES.get(word or "", "skipped")


def _git(event: Event) -> tuple[Vcs, GitParameters]:
    parameters = event.pipeline.trigger_parameters or TriggerParameters()
    found = parameters.github_app or parameters.gitlab or parameters.git or GitParameters()
    return event.pipeline.vcs or Vcs(), found


def _pipeline(event: Event) -> Pipeline:
    vcs, git = _git(event)
    path, page = git_address(vcs.target_repository_url or git.repo_url or git.web_url)
    slug = event.project.slug.partition("/")[2]
    own = f"{event.organization.name}/{event.project.name}" if event.organization.name else event.project.name
    # The slug of a project that isn't tied to one code host is made of ids.
    name = path or (own if event.project.slug.startswith("circleci/") or not slug else slug)
    return Pipeline(
        id=f"cc-{event.project.id}-{digest(event.workflow.name)}",
        provider=PROVIDER,
        repository_id=event.project.id,
        repository=name,
        repository_url=page,
        workflow_id=event.workflow.name,
        name=event.workflow.name,
        path=".circleci/config.yml",
        default_branch=git.default_branch,
        version=version_of(None, event.happened_at, name, page, git.default_branch),
    )


def _run(event: Event, pipeline_id: str) -> WorkflowRun:
    workflow, (vcs, git) = event.workflow, _git(event)
    status = status_of(workflow.status)
    commit = vcs.commit
    subject = commit.subject if commit else git.commit_title
    body = commit.body if commit else None
    run_key = f"cc-{workflow.id}"
    trigger = event.pipeline.trigger
    return WorkflowRun(
        id=f"{run_key}-1",
        run_key=run_key,
        pipeline_id=pipeline_id,
        provider=PROVIDER,
        run_id=workflow.id,
        run_attempt=1,
        run_number=event.pipeline.number,
        status=status,
        conclusion=workflow.status,
        event=trigger.type if trigger else None,
        title=subject,
        branch=vcs.branch or git.branch or vcs.tag,
        base_branch=None,
        head_sha=vcs.revision or git.checkout_sha or git.commit_sha,
        head_repository=git_address(vcs.origin_repository_url)[0],
        is_fork=bool(vcs.origin_repository_url) and vcs.origin_repository_url != vcs.target_repository_url,
        commit_message=f"{subject}\n\n{body}" if subject and body else subject,
        commit_author=commit.author.name if commit and commit.author else git.commit_author_name,
        actor=git.user_username,
        url=workflow.url,
        created_at=event.pipeline.created_at or workflow.created_at or event.happened_at,
        started_at=workflow.created_at,
        finished_at=(workflow.stopped_at or event.happened_at) if status in FINISHED else None,
        updated_at=event.happened_at,
        version=version_of(status, event.happened_at, event),
    )


def _job(event: Event, part: JobPart) -> Job:
    status = status_of(part.status)
    at = latest(part.started_at, part.stopped_at, event.happened_at)
    return Job(
        id=f"cc-j{part.id}",
        attempt_id=f"cc-{event.workflow.id}-1",
        provider=PROVIDER,
        job_id=part.id,
        name=part.name,
        status=status,
        conclusion=part.status,
        runner_name=None,
        labels=None,
        url=event.workflow.url,
        created_at=None,
        started_at=part.started_at,
        finished_at=part.stopped_at if status in FINISHED else None,
        version=version_of(status, at, event),
    )
