"""Buildkite's webhook payloads into the model. Pure: no clock, no network, no database.

A rebuild is a build with a number of its own; a retried job is a new job of the same build.
"""

from typing import Any

from core.model import FINISHED, Changes, Job, Pipeline, Status, WorkflowRun, version_of
from ingest.providers.buildkite import PROVIDER
from ingest.providers.buildkite.payloads import Build, Event, JobPart
from ingest.providers.payload import first_line, git_address, latest, read

_BUILD_STATES: dict[str, Status] = {
    "running": "running",
    "failing": "running",
    "canceling": "running",
    "passed": "success",
    "failed": "failed",
    "blocked": "blocked",
    "canceled": "cancelled",
    "skipped": "skipped",
    "not_run": "skipped",
}
_JOB_STATES: dict[str, Status] = {
    "running": "running",
    "canceling": "running",
    "timing_out": "running",
    "passed": "success",
    "failed": "failed",
    "timed_out": "failed",
    "blocked": "blocked",
    "canceled": "cancelled",
    "skipped": "skipped",
    "broken": "skipped",
    "expired": "cancelled",
}


def parse(_event: str, payload: dict[str, Any]) -> Changes | None:
    """What a delivery says, or None for an event that isn't used (ping, agents). Raises BadPayload."""
    if not str(payload.get("event", "")).startswith(("build.", "job.")):
        return None
    event = read(Event, payload)
    pipeline = _pipeline(event)
    run = _run(event.build, pipeline.id)
    # Waits and blocks are jobs to Buildkite; nothing runs in them.
    jobs = (_job(event.job, run.id),) if event.job and event.job.type == "script" else ()
    return Changes((pipeline,), (run,), jobs)


def _pipeline(event: Event) -> Pipeline:
    part = event.pipeline
    path, page = git_address(part.repository)
    name = part.name or part.slug
    return Pipeline(
        id=f"bk-{part.id}",
        provider=PROVIDER,
        repository_id=part.id,
        repository=path or part.slug,
        repository_url=page,
        workflow_id=part.id,
        name=name,
        path=None,
        default_branch=part.default_branch,
        version=version_of(None, _updated_at(event.build), path, page, name, part.default_branch),
    )


def _updated_at(build: Build) -> Any:
    return latest(build.created_at, build.started_at, build.finished_at)


def _run(build: Build, pipeline_id: str) -> WorkflowRun:
    # A build that passed up to a block step is told of as passed, with `blocked` beside it.
    word = "blocked" if build.blocked and build.state == "passed" else build.state
    status = _BUILD_STATES.get(word, "queued")
    run_key = f"bk-{build.id}"
    rank: Status = "running" if status == "blocked" else status
    return WorkflowRun(
        id=f"{run_key}-1",
        run_key=run_key,
        pipeline_id=pipeline_id,
        provider=PROVIDER,
        run_id=build.id,
        run_attempt=1,
        run_number=build.number,
        status=status,
        conclusion=word if status in FINISHED or status == "blocked" else None,
        event=build.source,
        title=first_line(build.message),
        branch=build.branch,
        base_branch=build.base_branch,
        head_sha=build.commit,
        head_repository=None,
        is_fork=False,
        commit_message=build.message,
        commit_author=build.author,
        actor=build.creator,
        url=build.web_url,
        created_at=build.created_at,
        started_at=build.started_at,
        finished_at=build.finished_at if status in FINISHED else None,
        updated_at=_updated_at(build),
        version=version_of(rank, _updated_at(build), build),
    )


def _job(part: JobPart, attempt_id: str) -> Job:
    word = part.state or ""
    if word == "finished":
        word = "passed" if part.exit_status == 0 else "failed"
    status = _JOB_STATES.get(word, "queued")
    shown = f"{word} (allowed to fail)" if status == "failed" and part.soft_failed else word
    at = latest(part.created_at, part.started_at, part.finished_at)
    return Job(
        id=f"bk-j{part.id}",
        attempt_id=attempt_id,
        provider=PROVIDER,
        job_id=part.id,
        name=part.name or first_line(part.command) or "Job",
        status=status,
        conclusion=shown if status in FINISHED else None,
        runner_name=part.agent,
        labels=", ".join(part.agent_query_rules) if part.agent_query_rules else None,
        url=part.web_url,
        created_at=part.created_at,
        started_at=part.started_at,
        finished_at=part.finished_at if status in FINISHED else None,
        version=version_of(status, at, part),
    )
