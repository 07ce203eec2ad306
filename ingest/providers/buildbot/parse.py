"""Buildbot's builds into the model. Pure: no clock, no network, no database.

A builder is a pipeline, a build is a run with one job, and the job's steps are the build's. Buildbot never attempts a
build again: a rebuild is a build of its own.
"""

from typing import Any

from core.model import FINISHED, Changes, Job, Pipeline, Status, Step, WorkflowRun, version_of
from ingest.providers.buildbot import PROVIDER
from ingest.providers.buildbot.payloads import BuildPart, Sourcestamp, StepPart
from ingest.providers.payload import EPOCH, digest, git_address, read

# https://docs.buildbot.net/current/developer/results.html
_RESULTS: dict[int, tuple[Status, str]] = {
    0: ("success", "success"),
    1: ("success", "warnings"),
    2: ("failed", "failure"),
    3: ("skipped", "skipped"),
    4: ("failed", "exception"),
    5: ("cancelled", "retry"),
    6: ("cancelled", "cancelled"),
}


def parse(_event: str, payload: dict[str, Any]) -> Changes:
    """What a build says. Raises BadPayload."""
    return changes_of(read(BuildPart, payload))


def changes_of(build: BuildPart) -> Changes:
    master = master_of(build.url)
    stamp = next(iter(build.buildset.sourcestamps or []), Sourcestamp()) if build.buildset else Sourcestamp()
    pipeline, run = _pipeline(build, stamp, master), _run(build, stamp, master)
    job = _job(build, run)
    return Changes((pipeline,), (run,), (job,), tuple(_step(step, job.id) for step in build.steps or []))


def master_of(url: str) -> str:
    """The master, by the address of any of its pages."""
    return digest(url.split("#", 1)[0])


def outcome_of(complete: bool, results: int | None) -> tuple[Status, str | None]:
    """Status and Buildbot's own word; a result of the future counts in no rate."""
    if not complete:
        return "running", None
    return _RESULTS.get(-1 if results is None else results, ("skipped", None))


def _pipeline(build: BuildPart, stamp: Sourcestamp, master: str) -> Pipeline:
    """A build without a source says nothing of the repository, so it never stands against one that does."""
    path, page = git_address(stamp.repository)
    known = stamp.project or path
    name = build.builder.name
    return Pipeline(
        id=f"bb-{master}-{build.builder.builderid}",
        provider=PROVIDER,
        repository_id=f"{master}-{build.builder.builderid}",
        repository=known or name,
        repository_url=page,
        workflow_id=str(build.builder.builderid),
        name=name,
        path=None,
        default_branch=None,
        version=version_of(None, build.started_at if known else EPOCH, known, page, name),
    )


def _run(build: BuildPart, stamp: Sourcestamp, master: str) -> WorkflowRun:
    status, word = outcome_of(build.complete, build.results)
    updated_at = build.complete_at or build.started_at
    run_key = f"bb-{master}-{build.buildid}"
    return WorkflowRun(
        id=f"{run_key}-1",
        run_key=run_key,
        pipeline_id=f"bb-{master}-{build.builder.builderid}",
        provider=PROVIDER,
        run_id=str(build.buildid),
        run_attempt=1,
        run_number=build.number,
        status=status,
        conclusion=word,
        event=build.named("scheduler"),
        title=build.buildset.reason if build.buildset else None,
        branch=stamp.branch or None,
        base_branch=None,
        head_sha=build.named("got_revision") or stamp.revision or None,
        head_repository=None,
        is_fork=False,
        commit_message=None,
        commit_author=None,
        actor=build.named("owner"),
        url=build.url,
        created_at=(build.buildset.submitted_at if build.buildset else None) or build.started_at,
        started_at=build.started_at,
        finished_at=build.complete_at if status in FINISHED else None,
        updated_at=updated_at,
        version=version_of(status, updated_at, build),
    )


def _job(build: BuildPart, run: WorkflowRun) -> Job:
    return Job(
        id=f"{run.run_key}-j",
        attempt_id=run.id,
        provider=PROVIDER,
        job_id=run.run_id,
        name=build.builder.name,
        status=run.status,
        conclusion=run.conclusion,
        runner_name=build.named("workername"),
        labels=None,
        url=run.url,
        created_at=run.created_at,
        started_at=run.started_at,
        finished_at=run.finished_at,
        version=run.version,
    )


def _step(step: StepPart, job_id: str) -> Step:
    """A step has a life of its own, because only some payloads tell of the steps."""
    status, word = outcome_of(step.complete, step.results) if step.started_at else ("queued", None)
    at = step.complete_at or step.started_at or EPOCH
    return Step(
        job_id=job_id,
        number=min(step.number + 1, 2**31 - 1),
        name=step.name,
        status=status,
        conclusion=word,
        started_at=step.started_at,
        finished_at=step.complete_at if status in FINISHED else None,
        version=version_of(status, at, step),
    )
