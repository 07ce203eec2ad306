"""Drone's builds into the model. Pure: no clock, no network, no database.

A repository has one pipeline, its `.drone.yml`; each of its stages is a job. A restart is a build of its own.
"""

from typing import Any

from core.model import FINISHED, Changes, Job, Pipeline, Status, Step, WorkflowRun, version_of
from ingest.providers.drone import PROVIDER
from ingest.providers.drone.payloads import BuildEvent, Repo, StagePart, StepPart
from ingest.providers.payload import EPOCH, first_line, latest, read

_STATUSES: dict[str, Status] = {
    "waiting_on_dependencies": "queued",
    "pending": "queued",
    "blocked": "blocked",
    "running": "running",
    "success": "success",
    "failure": "failed",
    "error": "failed",
    "killed": "cancelled",
    "declined": "cancelled",
    "skipped": "skipped",
}


def parse(_event: str, payload: dict[str, Any]) -> Changes | None:
    """What a delivery says, or None where it is about a user or a repository. Raises BadPayload."""
    if "build" not in payload and payload.get("event", "build") != "build":
        return None
    event = read(BuildEvent, payload)
    run = _run(event)
    stages = event.build.stages or []
    jobs = tuple(_job(stage, event.repo, run) for stage in stages)
    steps = tuple(_step(step, job.id) for stage, job in zip(stages, jobs, strict=True) for step in stage.steps or [])
    return Changes((_pipeline(event),), (run,), jobs, steps)


def status_of(word: str) -> Status:
    """Drone's status in the one vocabulary; a word of the future waits."""
    return _STATUSES.get(word, "queued")


def _pipeline(event: BuildEvent) -> Pipeline:
    repo = event.repo
    words = (repo.slug, repo.link, repo.default_branch, repo.config_path)
    return Pipeline(
        id=f"dr-{repo.id}",
        provider=PROVIDER,
        repository_id=str(repo.id),
        repository=repo.slug,
        repository_url=repo.link,
        workflow_id="drone",
        name="Build",
        path=repo.config_path,
        default_branch=repo.default_branch,
        version=version_of(None, event.build.updated, *words),
    )


def _run(event: BuildEvent) -> WorkflowRun:
    build, repo = event.build, event.repo
    status = status_of(build.status)
    run_key = f"dr-{repo.id}-{build.number}"
    is_request = build.event == "pull_request"
    fork = build.source_repo if is_request and build.source_repo not in (None, "", repo.slug) else None
    return WorkflowRun(
        id=f"{run_key}-1",
        run_key=run_key,
        pipeline_id=f"dr-{repo.id}",
        provider=PROVIDER,
        run_id=str(build.number),
        run_attempt=1,
        run_number=build.number,
        status=status,
        conclusion=_word(build.status, status),
        event=build.event,
        title=build.title or first_line(build.message),
        branch=build.source or build.target,
        base_branch=build.target if is_request else None,
        head_sha=build.after,
        head_repository=fork or repo.slug,
        is_fork=fork is not None,
        commit_message=build.message,
        commit_author=build.author_name or build.author_login,
        actor=build.sender,
        url=build.link,
        created_at=build.created,
        started_at=build.started,
        finished_at=build.finished if status in FINISHED else None,
        updated_at=build.updated,
        version=version_of(status, build.updated, event),
    )


def _job(stage: StagePart, repo: Repo, run: WorkflowRun) -> Job:
    status = status_of(stage.status)
    word = _word(stage.status, status)
    return Job(
        id=f"dr-{repo.id}-s{stage.id}",
        attempt_id=run.id,
        provider=PROVIDER,
        job_id=str(stage.id),
        name=stage.name,
        status=status,
        conclusion=f"{word} (allowed to fail)" if status == "failed" and stage.errignore else word,
        runner_name=stage.machine or None,
        labels=None,
        url=run.url,
        created_at=stage.created,
        started_at=stage.started,
        finished_at=stage.stopped if status in FINISHED else None,
        version=version_of(status, latest(stage.created, stage.started, stage.stopped), stage),
    )


def _step(step: StepPart, job_id: str) -> Step:
    status = status_of(step.status)
    return Step(
        job_id=job_id,
        number=min(step.number, 2**31 - 1),
        name=step.name,
        status=status,
        conclusion=_word(step.status, status),
        started_at=step.started,
        finished_at=step.stopped if status in FINISHED else None,
        version=version_of(status, step.stopped or step.started or EPOCH, step),
    )


def _word(word: str, status: Status) -> str | None:
    return word if status in FINISHED or status == "blocked" else None
