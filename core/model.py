"""What crosses a border: pipelines, workflow runs, jobs, steps and deliveries, as frozen dataclasses.

A row's `version` orders all that was ever said about the same thing: first how far its state has come, then the CI
system's own time, then the content. The largest version wins in the store, so neither the order nor the repetition
of deliveries can change the outcome.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Literal

Status = Literal["queued", "running", "success", "failed", "cancelled", "skipped", "blocked"]
DeliveryResult = Literal["processed", "ignored", "failed"]

STATUSES: tuple[Status, ...] = ("queued", "running", "success", "failed", "cancelled", "skipped", "blocked")
FINISHED: frozenset[Status] = frozenset({"success", "failed", "cancelled", "skipped"})


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A workflow of one repository. Identified by the CI system's ids, so that a rename keeps its history."""

    id: str
    provider: str
    repository_id: str
    repository: str
    repository_url: str | None
    workflow_id: str
    name: str
    path: str | None
    default_branch: str | None
    version: str


@dataclass(frozen=True, slots=True)
class WorkflowRun:
    """One attempt of a workflow run. Times are UTC; `run_key` is shared by all attempts of a run."""

    id: str
    run_key: str
    pipeline_id: str
    provider: str
    run_id: str
    run_attempt: int
    run_number: int | None
    status: Status
    conclusion: str | None
    event: str | None
    title: str | None
    branch: str | None
    base_branch: str | None
    head_sha: str | None
    head_repository: str | None
    is_fork: bool
    commit_message: str | None
    commit_author: str | None
    actor: str | None
    url: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    updated_at: datetime
    version: str


@dataclass(frozen=True, slots=True)
class Job:
    """One job of an attempt; `attempt_id` is the id of its WorkflowRun, which may arrive later."""

    id: str
    attempt_id: str
    provider: str
    job_id: str
    name: str
    status: Status
    conclusion: str | None
    runner_name: str | None
    labels: str | None
    url: str | None
    created_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    version: str


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a job, numbered as the CI system numbers it (gaps occur)."""

    job_id: str
    number: int
    name: str
    status: Status
    conclusion: str | None
    started_at: datetime | None
    finished_at: datetime | None
    version: str


@dataclass(frozen=True, slots=True)
class Changes:
    """What one delivery or one poll says, ready for the store."""

    pipelines: tuple[Pipeline, ...] = ()
    runs: tuple[WorkflowRun, ...] = ()
    jobs: tuple[Job, ...] = ()
    steps: tuple[Step, ...] = ()

    @classmethod
    def together(cls, parts: "Iterable[Changes]") -> "Changes":
        """Several changes as one."""
        known = list(parts)
        return cls(
            pipelines=tuple(row for part in known for row in part.pipelines),
            runs=tuple(row for part in known for row in part.runs),
            jobs=tuple(row for part in known for row in part.jobs),
            steps=tuple(row for part in known for row in part.steps),
        )


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook call as received: `payload` is the body's text, `result` what became of it, `reason` why."""

    provider: str
    delivery_id: str
    event: str
    action: str | None
    received_at: datetime
    result: DeliveryResult
    reason: str | None
    payload: str
    changes: Changes = field(default=Changes(), compare=False)


def version_of(status: Status | None, at: datetime, *content: object, progress: int = 0) -> str:
    """The sortable version of a row. `progress` refines the state, e.g. the number of finished steps.

    `content` breaks ties between different words of the same moment; it must hold everything that the row shows.
    """
    # A blocked run waits for a person and goes on as queued, so both stand on the first step.
    rank = 2 if status in FINISHED else int(status == "running")
    digest = blake2b(repr(content).encode(), digest_size=8).hexdigest()
    moment = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return f"{rank}|{progress:05d}|{moment:0>27}|{digest}"
