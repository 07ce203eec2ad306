"""Jenkins' payloads into the model. Pure: no clock, no network, no database.

Jenkins knows jobs in folders, not repositories: a job's folder stands for the repository, and a multibranch project is
one pipeline with many branches. A build is a run with one job, to which its console log belongs; each configuration
of a matrix build is one more. A build is never attempted again: a rebuild is a build with a number of its own.
"""

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import unquote

from core.model import FINISHED, Changes, Job, Pipeline, Status, WorkflowRun, version_of
from ingest.providers.jenkins import PROVIDER
from ingest.providers.jenkins.payloads import BuildEvent
from ingest.providers.payload import EPOCH, digest, first_line, read

_RESULTS: dict[str, Status] = {
    "SUCCESS": "success",
    "UNSTABLE": "failed",
    "FAILURE": "failed",
    "ABORTED": "cancelled",
    "NOT_BUILT": "skipped",
}
_PHASES: dict[str, Status] = {"QUEUED": "queued", "STARTED": "running", "PAUSED": "blocked"}
# `job/shop/jdk=21,os=linux/17/`: a build of one configuration of a matrix project.
_CONFIGURATION = re.compile(r"/job/[^/]+/([^/=]+=[^/]+)/\d+/?$")
_REMOTE = re.compile(r"^(refs/(heads|remotes/[^/]+)/|remotes/[^/]+/|origin/)")


# Between a matrix project and its configuration in the id of a job; no name holds a slash.
BESIDE = "//"


@dataclass(frozen=True, slots=True)
class JobPath:
    """Where a job is: the server's address and the names of its folders, itself last."""

    root: str
    names: tuple[str, ...]

    @property
    def id(self) -> str:
        return "jk-" + digest(self.root, *self.names)

    @property
    def folder(self) -> str:
        return "/".join(self.names[:-1] or self.names)


def parse(_event: str, payload: dict[str, Any]) -> Changes | None:
    """What a delivery says, or None if it is about no build (queue, node and job events). Raises BadPayload."""
    if "build" not in payload and payload:
        return None
    return changes_of(read(BuildEvent, payload))


def status_of(phase: str, result: str | None) -> Status:
    """A phase and a result in the one vocabulary; a result of the future counts in no rate."""
    if phase in _PHASES:
        return _PHASES[phase]
    return _RESULTS.get(result, "skipped") if result else "running"


def job_path(root: str, url: str) -> JobPath:
    """`job/team/job/app/job/main/17/` under a server's address; names are escaped once in an address."""
    return JobPath(root.rstrip("/"), tuple(unquote(name) for name in re.findall(r"(?:^|/)job/([^/]+)", url)))


def changes_of(event: BuildEvent) -> Changes:
    """A build's pipeline, its run and its job; the job alone for a configuration of a matrix build."""
    build = event.build
    address = build.url or build.full_url or event.url or ""
    root = (build.full_url or "").split("/job/", 1)[0].split("/view/", 1)[0]
    job = job_path(root, address)
    if not job.names:
        job = JobPath(job.root, (event.name,))
    pipeline = _pipeline(event, job)
    run = _run(event, job, pipeline.id)
    axes = _CONFIGURATION.search("/" + address)
    if axes:
        return Changes(jobs=(_configuration(run, unquote(axes[1])),))
    return Changes((pipeline,), (run,), (_job(run, pipeline.name),))


def _job(run: WorkflowRun, name: str) -> Job:
    return Job(
        id=f"{run.run_key}-j",
        attempt_id=run.id,
        provider=PROVIDER,
        job_id=run.run_id,
        name=name,
        status=run.status,
        conclusion=run.conclusion,
        runner_name=None,
        labels=None,
        url=run.url,
        created_at=run.created_at,
        started_at=run.started_at,
        finished_at=run.finished_at,
        version=run.version,
    )


def _configuration(run: WorkflowRun, axes: str) -> Job:
    """One configuration's part of a matrix build: it has the number of the whole."""
    name, _, number = run.run_id.rpartition("#")
    job = _job(run, axes)
    return replace(job, id=f"{run.run_key}-{digest(axes)}", job_id=f"{name}{BESIDE}{axes}#{number}")


def _pipeline(event: BuildEvent, job: JobPath) -> Pipeline:
    """A branch of a multibranch project belongs to the project's pipeline."""
    many = event.branch is not None and len(job.names) > 1
    of = JobPath(job.root, job.names[:-1]) if many else job
    default = event.branch if many and event.primary_branch else None
    # Only builds of the primary branch know its name, so their word stands against newer ones of other branches.
    at = event.build.timestamp if event.primary_branch else EPOCH
    folder = "/".join(of.names) if many else of.folder
    return Pipeline(
        id=of.id,
        provider=PROVIDER,
        repository_id=of.id,
        repository=folder,
        repository_url=None,
        workflow_id="/".join(of.names),
        name=of.names[-1],
        path=None,
        default_branch=default,
        version=version_of(None, at, default),
    )


def _run(event: BuildEvent, job: JobPath, pipeline_id: str) -> WorkflowRun:
    build = event.build
    status = status_of(build.phase, build.status)
    run_key = f"{job.id}-{build.number}"
    started_at = _started_at(event, status)
    scm = build.scm
    rank: Status = "running" if status == "blocked" else status
    return WorkflowRun(
        id=f"{run_key}-1",
        run_key=run_key,
        pipeline_id=pipeline_id,
        provider=PROVIDER,
        run_id=f"{'/'.join(job.names)}#{build.number}",
        run_attempt=1,
        run_number=build.number,
        status=status,
        conclusion=build.status if status in FINISHED else None,
        event=event.cause,
        title=first_line(event.commit_message) or build.display_name,
        branch=event.branch or (_REMOTE.sub("", scm.branch) if scm and scm.branch else None),
        base_branch=event.base_branch,
        head_sha=scm.commit if scm else None,
        head_repository=None,
        is_fork=False,
        commit_message=event.commit_message,
        commit_author=event.commit_author,
        actor=event.user,
        url=build.full_url,
        created_at=started_at or build.timestamp,
        started_at=started_at,
        finished_at=build.timestamp if status in FINISHED else None,
        updated_at=build.timestamp,
        # Of two words about the end, what Jenkins itself tells knows more than what it sent.
        version=version_of(rank, build.timestamp, event, progress=int(event.is_polled and status in FINISHED)),
    )


def _started_at(event: BuildEvent, status: Status) -> datetime | None:
    """STARTED's timestamp is the start; later ones lie a duration after it."""
    build = event.build
    if status == "queued":
        return None
    if build.started_at:
        return build.started_at
    return build.timestamp if status == "running" else build.timestamp - timedelta(milliseconds=build.duration)
