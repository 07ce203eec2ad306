"""A simulated attempt as the webhooks that GitHub would send of it, and as model objects for other CI systems."""

from datetime import datetime
from typing import Any

from core.model import FINISHED, Changes, Job, Pipeline, Step, WorkflowRun, version_of
from ingest.providers.github.parse import parse, status_of
from ingest.simulation.history import STEPS, SimulatedJob, SimulatedRun

HOSTS = {
    "github-actions": "https://github.com",
    "gitlab": "https://gitlab.example",
    "jenkins": "https://jenkins.example",
}
PREFIXES = {"gitlab": "gl", "jenkins": "jk"}


def changes_of(run: SimulatedRun) -> Changes:
    """What the attempt puts into the store: for GitHub through the parser of its webhooks."""
    if run.repository.provider != "github-actions":
        return _other_system(run)
    parsed = [
        parse("workflow_run", workflow_run(run)),
        *(parse("workflow_job", workflow_job(run, job)) for job in run.jobs),
    ]
    found = [changes for changes in parsed if changes]
    return Changes(
        pipelines=tuple(row for changes in found for row in changes.pipelines),
        runs=tuple(row for changes in found for row in changes.runs),
        jobs=tuple(row for changes in found for row in changes.jobs),
        steps=tuple(row for changes in found for row in changes.steps),
    )


def workflow_run(run: SimulatedRun) -> dict[str, Any]:
    """The payload of the newest workflow_run event of the attempt."""
    name = run.repository.name
    status = "completed" if run.conclusion else "in_progress" if run.jobs or run.number % 3 else "queued"
    path = f".github/workflows/{run.workflow.name.lower()}.yml"
    return {
        "action": "requested" if status == "queued" else status,
        "workflow_run": {
            "id": run.run_id,
            "name": run.workflow.name,
            "path": path,
            "display_title": run.message.split("\n", 1)[0],
            "workflow_id": run.workflow_id,
            "run_number": run.number,
            "run_attempt": run.attempt,
            "event": run.event,
            "status": status,
            "conclusion": run.conclusion,
            "head_branch": run.branch,
            "head_sha": run.sha,
            "head_commit": {"id": run.sha, "message": run.message, "author": {"name": run.author[0]}},
            "head_repository": {"id": 99_042 if run.fork else run.repository.id, "full_name": run.fork or name},
            "pull_requests": [{"base": {"ref": run.repository.default_branch}}] if run.event == "pull_request" else [],
            "actor": {"login": run.author[1]},
            "html_url": f"{HOSTS['github-actions']}/{name}/actions/runs/{run.run_id}",
            "created_at": _iso(run.created_at),
            "run_started_at": _iso(run.started_at),
            "updated_at": _iso(run.finished_at if run.conclusion else run.started_at),
        },
        "workflow": {"id": run.workflow_id, "name": run.workflow.name, "path": path},
        "repository": _repository(run),
    }


def workflow_job(run: SimulatedRun, job: SimulatedJob) -> dict[str, Any]:
    """The payload of the completing workflow_job event of a job."""
    return {
        "action": "completed",
        "workflow_job": {
            "id": job.id,
            "run_id": run.run_id,
            "run_attempt": run.attempt,
            "name": job.name,
            "status": "completed",
            "conclusion": "failure" if job.conclusion == "timed_out" else job.conclusion,
            "runner_name": f"runner-{job.id % 17 + 1}",
            "labels": ["macos-15" if job.name == "ios" else "ubuntu-24.04"],
            "html_url": f"{HOSTS['github-actions']}/{run.repository.name}/actions/runs/{run.run_id}/job/{job.id}",
            "created_at": _iso(job.created_at),
            "started_at": _iso(job.started_at),
            "completed_at": _iso(job.finished_at),
            "steps": [
                {
                    "number": step.number,
                    "name": step.name,
                    "status": "completed",
                    "conclusion": step.conclusion,
                    "started_at": _iso(step.started_at),
                    "completed_at": _iso(step.finished_at),
                }
                for step in _steps(job, "")
            ],
        },
        "repository": _repository(run),
    }


def _steps(job: SimulatedJob, job_id: str, version: str = "") -> list[Step]:
    """Four short steps around the one that does the work, and that fails if the job does."""
    if job.conclusion == "skipped":
        return []
    whole = (job.finished_at - job.started_at) / 10
    cuts = [0, 0.2, 0.8, 1.1, 2.4, 9.9, 10]
    steps = []
    for index, name in enumerate(STEPS):
        works = name == "{job}"
        conclusion = "success" if job.conclusion == "success" or not works else "failure"
        if job.conclusion == "cancelled" and works:
            conclusion = "cancelled"
        begin, end = job.started_at + whole * cuts[index], job.started_at + whole * cuts[index + 1]
        label = f"Run {job.name}" if works else name
        steps.append(
            Step(job_id, index + 1, label, status_of("completed", conclusion), conclusion, begin, end, version)
        )
    return steps


def _other_system(run: SimulatedRun) -> Changes:
    """Systems whose webhooks aren't understood yet enter as the rows that they will become."""
    prefix = PREFIXES[run.repository.provider]
    status = status_of("completed" if run.conclusion else "in_progress", run.conclusion)
    updated = run.finished_at if run.conclusion else run.started_at
    version = version_of(status, updated, run.run_id, run.attempt, run.conclusion)
    pipeline_id = f"{prefix}-{run.repository.id}-{run.workflow_id}"
    run_key = f"{prefix}-{run.repository.id}-{run.run_id}"
    address = f"{HOSTS[run.repository.provider]}/{run.repository.name}"
    pipeline = Pipeline(
        pipeline_id,
        run.repository.provider,
        str(run.repository.id),
        run.repository.name,
        address,
        str(run.workflow_id),
        run.workflow.name,
        None,
        run.repository.default_branch,
        version_of(None, updated, run.workflow.name),
    )
    row = WorkflowRun(
        id=f"{run_key}-{run.attempt}",
        run_key=run_key,
        pipeline_id=pipeline_id,
        provider=run.repository.provider,
        run_id=str(run.run_id),
        run_attempt=run.attempt,
        run_number=run.number,
        status=status,
        conclusion=run.conclusion,
        event=run.event,
        title=run.message.split("\n", 1)[0],
        branch=run.branch,
        base_branch=run.repository.default_branch if run.event == "pull_request" else None,
        head_sha=run.sha,
        head_repository=run.fork or run.repository.name,
        is_fork=run.fork is not None,
        commit_message=run.message,
        commit_author=run.author[0],
        actor=run.author[1],
        url=f"{address}/pipelines/{run.run_id}",
        created_at=run.created_at,
        started_at=run.started_at,
        finished_at=run.finished_at if status in FINISHED else None,
        updated_at=updated,
        version=version,
    )
    jobs = []
    steps: list[Step] = []
    for job in run.jobs:
        job_status = status_of("completed", job.conclusion)
        job_version = version_of(job_status, job.finished_at, job.id)
        job_id = f"{prefix}-{run.repository.id}-j{job.id}"
        jobs.append(
            Job(
                job_id,
                row.id,
                run.repository.provider,
                str(job.id),
                job.name,
                job_status,
                job.conclusion,
                "shared-runner",
                "linux",
                f"{address}/jobs/{job.id}",
                job.created_at,
                job.started_at,
                job.finished_at,
                job_version,
            )
        )
        steps += _steps(job, job_id, job_version)
    return Changes((pipeline,), (row,), tuple(jobs), tuple(steps))


def _repository(run: SimulatedRun) -> dict[str, Any]:
    name = run.repository.name
    return {
        "id": run.repository.id,
        "full_name": name,
        "html_url": f"{HOSTS['github-actions']}/{name}",
        "default_branch": run.repository.default_branch,
    }


def _iso(moment: datetime | None) -> str | None:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None
