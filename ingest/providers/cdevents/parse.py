"""CDEvents into the model. Pure: no clock, no network, no database.

An event knows one moment only; the store puts the beginning and the end of a run together.
"""

import re
from typing import Any

from core.errors import BadPayload
from core.model import FINISHED, Changes, Job, Pipeline, Status, WorkflowRun, version_of
from ingest.providers.cdevents import PROVIDER
from ingest.providers.cdevents.payloads import Event
from ingest.providers.payload import digest, first_line, read

_TYPE = re.compile(r"^dev\.cdevents\.(pipelinerun|taskrun)\.(queued|started|finished)\.")
_OUTCOMES: dict[str, Status] = {
    "success": "success",
    "failure": "failed",
    "error": "failed",
    "cancel": "cancelled",
    "canceled": "cancelled",
    "skipped": "skipped",
}


def parse(_event: str, payload: dict[str, Any]) -> Changes | None:
    """What a delivery says, or None for events about other things than runs. Raises BadPayload."""
    body = payload["data"] if "specversion" in payload and isinstance(payload.get("data"), dict) else payload
    context = body.get("context")
    match = _TYPE.match(str(context.get("type", ""))) if isinstance(context, dict) else None
    if isinstance(context, dict) and not match:
        return None
    event = read(Event, body)
    subject, predicate = match.groups() if match else ("", "")
    return _run_changes(event, predicate) if subject == "pipelinerun" else _task_changes(event, predicate)


def _status(event: Event, predicate: str) -> Status:
    """An outcome of the future counts in no rate."""
    if predicate != "finished":
        return "queued" if predicate == "queued" else "running"
    return _OUTCOMES.get(event.subject.content.outcome or "", "skipped")


def _run_changes(event: Event, predicate: str) -> Changes:
    context, subject = event.context, event.subject
    name = subject.content.pipeline_name
    if not name:
        raise BadPayload("The payload can't be understood: subject.content.pipelineName: Field required.")
    source = subject.source or context.source
    status, at = _status(event, predicate), context.timestamp
    pipeline = Pipeline(
        id=f"ce-{digest(source, name)}",
        provider=PROVIDER,
        repository_id=digest(source),
        repository=source,
        repository_url=None,
        workflow_id=name,
        name=name,
        path=None,
        default_branch=None,
        version=version_of(None, at, name),
    )
    run_key = f"ce-{digest(source, subject.id)}"
    run = WorkflowRun(
        id=f"{run_key}-1",
        run_key=run_key,
        pipeline_id=pipeline.id,
        provider=PROVIDER,
        run_id=subject.id,
        run_attempt=1,
        run_number=None,
        status=status,
        conclusion=subject.content.outcome if status in FINISHED else None,
        event=None,
        title=first_line(subject.content.errors),
        branch=None,
        base_branch=None,
        head_sha=None,
        head_repository=None,
        is_fork=False,
        commit_message=None,
        commit_author=None,
        actor=None,
        url=subject.content.url,
        created_at=at,
        started_at=at if status == "running" else None,
        finished_at=at if status in FINISHED else None,
        updated_at=at,
        version=version_of(status, at, event),
    )
    return Changes((pipeline,), (run,))


def _task_changes(event: Event, predicate: str) -> Changes | None:
    """A task run on its own belongs to no run that could be shown."""
    subject = event.subject
    parent = subject.content.pipeline_run
    if parent is None:
        return None
    source = subject.source or event.context.source
    status, at = _status(event, predicate), event.context.timestamp
    job = Job(
        id=f"ce-j{digest(source, subject.id)}",
        attempt_id=f"ce-{digest(parent.source or source, parent.id)}-1",
        provider=PROVIDER,
        job_id=subject.id,
        name=subject.content.task_name or subject.id,
        status=status,
        conclusion=subject.content.outcome if status in FINISHED else None,
        runner_name=None,
        labels=None,
        url=subject.content.url,
        created_at=at,
        started_at=at if status == "running" else None,
        finished_at=at if status in FINISHED else None,
        version=version_of(status, at, event),
    )
    return Changes(jobs=(job,))
