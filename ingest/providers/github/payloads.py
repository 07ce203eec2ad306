"""The parts of GitHub's webhook payloads that we read, as lenient pydantic models: old servers leave fields out.

https://docs.github.com/en/webhooks/webhook-events-and-payloads#workflow_run
https://docs.github.com/en/webhooks/webhook-events-and-payloads#workflow_job
"""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

Number = Annotated[int, Field(ge=0, le=2**63 - 1)]
Moment = Annotated[datetime, AfterValidator(lambda at: (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC))]
# GitHub writes "0001-01-01T00:00:00Z" for a moment that has not come.
OptionalMoment = Annotated[
    Moment | None, BeforeValidator(lambda at: None if isinstance(at, str) and at.startswith("0001-") else at)
]


class Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, coerce_numbers_to_str=True)


class Repository(Part):
    id: Number
    full_name: str
    html_url: str | None = None
    default_branch: str | None = None


class HeadRepository(Part):
    id: Number
    full_name: str | None = None


class Person(Part):
    login: str | None = None
    name: str | None = None


class Commit(Part):
    message: str | None = None
    author: Person | None = None


class Branch(Part):
    ref: str | None = None


class PullRequest(Part):
    base: Branch | None = None


class Workflow(Part):
    name: str | None = None
    path: str | None = None


class RunPart(Part):
    id: Number
    workflow_id: Number
    name: str | None = None
    path: str | None = None
    display_title: str | None = None
    run_number: Number | None = None
    run_attempt: Annotated[int, Field(ge=1, le=2**31 - 1)] = 1
    event: str | None = None
    status: str
    conclusion: str | None = None
    head_branch: str | None = None
    head_sha: str | None = None
    head_commit: Commit | None = None
    head_repository: HeadRepository | None = None
    pull_requests: list[PullRequest] | None = None
    actor: Person | None = None
    triggering_actor: Person | None = None
    html_url: str | None = None
    created_at: OptionalMoment = None
    run_started_at: OptionalMoment = None
    updated_at: Moment


class StepPart(Part):
    number: Annotated[int, Field(ge=0, le=2**31 - 1)]
    name: str = ""
    status: str
    conclusion: str | None = None
    started_at: OptionalMoment = None
    completed_at: OptionalMoment = None


class JobPart(Part):
    id: Number
    run_id: Number
    run_attempt: Annotated[int, Field(ge=1, le=2**31 - 1)] = 1
    name: str
    status: str
    conclusion: str | None = None
    runner_name: str | None = None
    labels: list[str] | None = None
    html_url: str | None = None
    created_at: OptionalMoment = None
    started_at: OptionalMoment = None
    completed_at: OptionalMoment = None
    steps: list[StepPart] | None = None


class RunEvent(Part):
    workflow_run: RunPart
    workflow: Workflow | None = None
    repository: Repository


class JobEvent(Part):
    workflow_job: JobPart
    repository: Repository
