"""What Jenkins' API says, as its plugins would have sent it, so that both give the same rows. Pure."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import unquote

from pydantic import Field

from core.model import FINISHED, Changes, Status, Step, version_of
from ingest.providers.jenkins.parse import changes_of
from ingest.providers.jenkins.payloads import BuildEvent
from ingest.providers.payload import EPOCH, Number, OptionalMoment, Part, read

Json = dict[str, Any]

PRIMARY = "jenkins.scm.api.metadata.PrimaryInstanceMetadataAction"
# What began a build, by the class of its cause.
_CAUSES = {
    "UserIdCause": "manual",
    "TimerTriggerCause": "schedule",
    "SCMTriggerCause": "push",
    "GitHubPushCause": "push",
    "BranchEventCause": "push",
    "BranchIndexingCause": "push",
    "UpstreamCause": "upstream",
    "BuildUpstreamCause": "upstream",
    "ReplayCause": "replay",
    "RemoteCause": "remote",
}
_STAGES: dict[str, Status] = {
    "SUCCESS": "success",
    "FAILED": "failed",
    "FAILURE": "failed",
    "UNSTABLE": "failed",
    "ABORTED": "cancelled",
    "NOT_EXECUTED": "skipped",
    "NOT_BUILT": "skipped",
    "IN_PROGRESS": "running",
    "PAUSED_PENDING_INPUT": "blocked",
}


@dataclass(frozen=True, slots=True)
class Branch:
    """A job as it is listed: `name` is None where it stands for itself, else a branch of a multibranch project."""

    name: str | None
    last_build: int
    is_primary: bool
    is_workflow: bool

    @property
    def branch(self) -> str | None:
        """The name of a branch is escaped in the name of its job."""
        return self.name and unquote(self.name)


class Timed(Part):
    status: str | None = None
    started_at: OptionalMoment = Field(None, validation_alias="startTimeMillis")
    milliseconds: int | None = Field(None, validation_alias="durationMillis")

    @property
    def until(self) -> datetime | None:
        """Its end, or how far it has come."""
        return self.started_at and self.started_at + timedelta(milliseconds=self.milliseconds or 0)


class StagePart(Timed):
    id: Number
    name: str = ""


class Stages(Timed):
    stages: list[StagePart] = Field(default_factory=list)


def branches_of(job: Json) -> list[Branch]:
    """The branches of a multibranch project; a job of any other kind is its own only one."""
    if not job.get("_class", "").endswith("MultiBranchProject"):
        return [_branch(job, None)]
    return [_branch(one, one["name"]) for one in job.get("jobs") or []]


def _branch(job: Json, name: str | None) -> Branch:
    last = (job.get("lastBuild") or {}).get("number") or 0
    is_primary = any(action.get("_class") == PRIMARY for action in job.get("actions") or [])
    return Branch(name, last, is_primary, job.get("_class", "").endswith(".WorkflowJob"))


def changes_of_build(build: Json, branch: Branch, stages: Json | None = None) -> Changes:
    """The rows of a build, with its stages where they are known. Raises BadPayload."""
    told = read(Stages, stages) if stages else None
    event = read(BuildEvent, _event(build, branch, told))
    changes = changes_of(event)
    configurations = [
        changes_of(read(BuildEvent, _event(one, branch, None))).jobs
        for one in build.get("runs") or []
        if one.get("number") == build["number"]
    ]
    jobs = (*changes.jobs, *(job for jobs in configurations for job in jobs))
    steps = steps_of(stages, changes.jobs[0].id) if stages and changes.jobs else ()
    return Changes(changes.pipelines, changes.runs, jobs, steps)


def steps_of(stages: Json, job_id: str) -> tuple[Step, ...]:
    """Stages as steps, numbered by the nodes of the pipeline's graph. Raises BadPayload."""
    return tuple(_step(stage, job_id) for stage in read(Stages, stages).stages)


def _step(stage: StagePart, job_id: str) -> Step:
    status = _STAGES.get(stage.status or "", "queued")
    rank: Status = "running" if status == "blocked" else status
    return Step(
        job_id=job_id,
        number=min(stage.id, 2**31 - 1),
        name=stage.name,
        status=status,
        conclusion=stage.status if status in FINISHED or status == "blocked" else None,
        started_at=stage.started_at,
        finished_at=stage.until if status in FINISHED else None,
        version=version_of(rank, stage.until or EPOCH, stage),
    )


def _event(build: Json, branch: Branch, stages: Stages | None) -> Json:
    actions = [action for action in build.get("actions") or [] if action]
    causes = [cause for action in actions for cause in action.get("causes") or []]
    item = _last_change(build)
    return {
        "name": branch.name or "",
        "branch": branch.branch,
        "primary_branch": branch.is_primary,
        "user": next((cause.get("userId") or cause.get("userName") for cause in causes), None),
        "cause": next(filter(None, map(_cause, causes)), None),
        "commit_message": item.get("msg"),
        "commit_author": (item.get("author") or {}).get("fullName"),
        "is_polled": True,
        "build": _build(build, branch, actions, stages),
    }


def _cause(cause: Json) -> str | None:
    """`hudson.model.Cause$UserIdCause` is `manual`."""
    return _CAUSES.get(re.split(r"[.$]", cause.get("_class", ""))[-1])


def _build(build: Json, branch: Branch, actions: list[Json], stages: Stages | None) -> Json:
    begun, duration = build["timestamp"], max(0, build.get("duration") or 0)
    is_over = not build.get("building")
    phase, at = ("FINALIZED", begun + duration) if is_over else ("STARTED", begun)
    if not is_over and stages:
        # The clock of a running build is the last thing that its stages tell of.
        at = max(at, int(stages.until.timestamp() * 1000) if stages.until else 0)
        phase = "PAUSED" if stages.status == "PAUSED_PENDING_INPUT" else phase
    return {
        "full_url": build.get("url"),
        "number": build["number"],
        "timestamp": at,
        "started_at": begun,
        "duration": duration,
        "phase": phase,
        "status": build.get("result") if is_over else None,
        "display_name": build.get("displayName"),
        "scm": _scm(actions, branch),
    }


def _scm(actions: list[Json], branch: Branch) -> Json | None:
    """Shared libraries are checked out too: what was built is the checkout of its own branch, else the first."""
    checkouts = [action for action in actions if action.get("lastBuiltRevision")]
    found = [(action, name) for action in checkouts for name in _branches(action) or [None]]
    if not found:
        return None
    own = [pair for pair in found if branch.branch and (pair[1] or "").endswith(branch.branch)]
    action, name = (own or found)[0]
    revision = action["lastBuiltRevision"].get("SHA1")
    return {"url": next(iter(action.get("remoteUrls") or []), None), "branch": name, "commit": revision}


def _branches(checkout: Json) -> list[str | None]:
    return [one.get("name") for one in checkout["lastBuiltRevision"].get("branch") or []]


def _last_change(build: Json) -> Json:
    """The newest commit of a build: of a pipeline in `changeSets`, of other jobs in `changeSet`."""
    sets = [*(build.get("changeSets") or []), build.get("changeSet") or {}]
    items: list[Json] = [item for one in sets for item in one.get("items") or []]
    return items[-1] if items else {}
