"""A history that real CI systems made, where RECORDED_PAYLOADS names a folder with one (tests/ingest/test_recorded.py).

Used: `bulk/bitcoin_gha_jobs.jsonl.gz`, a line a job of a public project, and `github_rest/devlake_runs.jsonl`, runs as
GitHub's REST API gives them.
"""

import gzip
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from core.model import Changes, Job, Pipeline, Status, WorkflowRun, version_of
from ingest.providers.github.parse import parse

FOLDER = Path(os.environ.get("RECORDED_PAYLOADS") or "no folder")
JOBS = FOLDER / "bulk" / "bitcoin_gha_jobs.jsonl.gz"
RUNS = FOLDER / "github_rest" / "devlake_runs.jsonl"
STATUSES: dict[str, Status] = {"COMPLETED": "success", "FAILED": "failed", "ABORTED": "cancelled"}

PIPELINE = Pipeline(
    id="recorded-1", provider="github-actions", repository_id="1", repository="recorded/one", repository_url=None,
    workflow_id="1", name="CI", path=None, default_branch="master", version="0|00000|2026",
)  # fmt: skip


def changes() -> Iterator[Changes]:
    """What the recorded files say, a run at a time; nothing without them."""
    if JOBS.exists():
        yield from _of_jobs()
    if RUNS.exists():
        yield from _of_runs()


def _of_jobs() -> Iterator[Changes]:
    builds: dict[int, list[dict[str, Any]]] = {}
    with gzip.open(JOBS) as lines:
        for line in lines:
            job = orjson.loads(line)
            builds.setdefault(job["build"]["id"], []).append(job)
    for number, jobs in enumerate(builds.values(), 1):
        run = _run(number, jobs)
        yield Changes(pipelines=(PIPELINE,), runs=(run,), jobs=tuple(_job(run.id, job) for job in jobs))


def _run(number: int, jobs: list[dict[str, Any]]) -> WorkflowRun:
    """The run of some jobs. The lines of a build differ in its status, so the jobs decide."""
    build, words = jobs[0]["build"], {job["status"] for job in jobs}
    status: Status = "failed" if "FAILED" in words else "cancelled" if "ABORTED" in words else "success"
    finished = _moment(max(job["finalStatusTimestamp"] for job in jobs))
    return WorkflowRun(
        id=f"recorded-{build['id']}-1", run_key=f"recorded-{build['id']}", pipeline_id=PIPELINE.id,
        provider=PIPELINE.provider, run_id=str(build["id"]), run_attempt=1, run_number=number, status=status,
        conclusion=None, event="push", title=build["changeMessageTitle"], branch=build["branch"], base_branch=None,
        head_sha=build["changeIdInRepo"], head_repository=None, is_fork=False,
        commit_message=build["changeMessageTitle"], commit_author=None, actor=None, url=None,
        created_at=_moment(build["buildCreatedTimestamp"]),
        started_at=_moment(min(job["executingTimestamp"] for job in jobs)), finished_at=finished, updated_at=finished,
        version=version_of(status, finished),
    )  # fmt: skip


def _job(attempt_id: str, job: dict[str, Any]) -> Job:
    finished = _moment(job["finalStatusTimestamp"])
    status = STATUSES[job["status"]]
    return Job(
        id=f"recorded-{job['id']}", attempt_id=attempt_id, provider=PIPELINE.provider, job_id=str(job["id"]),
        name=job["name"], status=status, conclusion=None, runner_name=None, labels=None, url=None,
        created_at=_moment(job["creationTimestamp"]), started_at=_moment(job["executingTimestamp"]),
        finished_at=finished, version=version_of(status, finished),
    )  # fmt: skip


def _of_runs() -> Iterator[Changes]:
    for line in RUNS.read_bytes().splitlines():
        run = orjson.loads(line)["data"]
        part = {"id": run["workflow_id"], "name": run["name"], "path": run["path"]}
        if run["status"] == run["status"].lower() and run.get("conclusion"):  # not among those edited by hand
            payload = {"action": run["status"], "workflow_run": run, "workflow": part, "repository": run["repository"]}
            if (found := parse("workflow_run", payload)) is not None:
                yield found


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
