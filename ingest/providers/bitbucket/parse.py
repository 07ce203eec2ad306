"""Bitbucket's build statuses into the model. Pure: no clock, no network, no database.

Bitbucket has no webhook for a pipeline itself: Pipelines reports each one as a build status of its commit. Other build
tools may do so too; each of their keys is a pipeline of its own.
"""

import re
from typing import Any

from core.model import FINISHED, Changes, Pipeline, Status, WorkflowRun, version_of
from ingest.providers.bitbucket import PROVIDER
from ingest.providers.bitbucket.payloads import CommitStatus, StatusEvent
from ingest.providers.payload import digest, first_line, read

_STATES: dict[str, Status] = {
    "INPROGRESS": "running",
    "SUCCESSFUL": "success",
    "FAILED": "failed",
    "STOPPED": "cancelled",
}
# …/addon/pipelines/home#!/results/186 and …/pipelines/results/186
_RESULT = re.compile(r"/pipelines/(?:home#!/)?results/(\d{1,15})(?:\D|$)")


def parse(_event: str, payload: dict[str, Any]) -> Changes | None:
    """What a delivery says, or None for an event that isn't used. Raises BadPayload."""
    if "commit_status" not in payload:
        return None
    event = read(StatusEvent, payload)
    repository, status = event.repository, event.commit_status
    number = _number(status)
    workflow = "pipelines" if number else status.key
    place = repository.uuid.strip("{}")
    name = "Pipelines" if number else status.name or status.key
    words = (repository.full_name, repository.page, repository.default_branch, name)
    pipeline = Pipeline(
        id=f"bp-{place}-{digest(workflow)}",
        provider=PROVIDER,
        repository_id=place,
        repository=repository.full_name,
        repository_url=repository.page,
        workflow_id=workflow,
        name=name,
        path="bitbucket-pipelines.yml" if number else None,
        default_branch=repository.default_branch,
        version=version_of(None, status.updated_on, *words),
    )
    return Changes((pipeline,), (_run(event, pipeline.id, place, number),))


def _number(status: CommitStatus) -> int | None:
    match = _RESULT.search(status.url or "")
    return int(match[1]) if match else None


def _run(event: StatusEvent, pipeline_id: str, place: str, number: int | None) -> WorkflowRun:
    part, commit = event.commit_status, event.commit_status.commit
    status = _STATES.get(part.state, "skipped")
    sha = (commit.hash if commit else None) or (part.commit_page or "").rpartition("/")[2] or None
    run_id = str(number) if number else digest(sha or "", part.key, part.url or "")
    run_key = f"bp-{place}-{run_id}"
    actor = event.actor
    return WorkflowRun(
        id=f"{run_key}-1",
        run_key=run_key,
        pipeline_id=pipeline_id,
        provider=PROVIDER,
        run_id=run_id,
        run_attempt=1,
        run_number=number,
        status=status,
        conclusion=part.state if status in FINISHED else None,
        event=None,
        title=first_line(commit.message if commit else None) or part.name,
        branch=part.refname,
        base_branch=None,
        head_sha=sha,
        head_repository=None,
        is_fork=False,
        commit_message=commit.message if commit else None,
        commit_author=commit.author if commit else None,
        actor=(actor.nickname or actor.display_name) if actor else None,
        url=part.url,
        created_at=part.created_on,
        started_at=part.created_on,
        finished_at=part.updated_on if status in FINISHED else None,
        updated_at=part.updated_on,
        version=version_of(status, part.updated_on, event),
    )
