"""The plain format. It is ours, so an unknown field is an error: it is a misspelt one more often than not."""

from typing import Annotated, Self

from pydantic import ConfigDict, Field, model_validator

from core.model import FINISHED, Status
from ingest.providers.payload import Moment, Number, OptionalMoment, Part, latest

Name = Annotated[str, Field(min_length=1, max_length=300)]
Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]{1,100}$")]


class Strict(Part):
    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)


class Timed(Strict):
    status: Status
    conclusion: str | None = None
    started_at: OptionalMoment = None
    finished_at: OptionalMoment = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.started_at and self.finished_at and self.finished_at < self.started_at:
            raise ValueError("finished_at lies before started_at")
        return self


class StepPart(Timed):
    name: Name


class JobPart(Timed):
    name: Name
    id: Id | None = None
    runner: str | None = None
    labels: list[str] | None = None
    url: str | None = None
    created_at: OptionalMoment = None
    steps: tuple[StepPart, ...] = ()


class RunPart(Timed):
    repository: Name
    repository_url: str | None = None
    default_branch: str | None = None
    pipeline: Name
    run_id: Id
    attempt: Annotated[int, Field(ge=1, le=10_000)] = 1
    number: Number | None = None
    event: str | None = None
    title: str | None = None
    branch: str | None = None
    base_branch: str | None = None
    commit: str | None = None
    commit_message: str | None = None
    author: str | None = None
    actor: str | None = None
    url: str | None = None
    created_at: Moment
    updated_at: OptionalMoment = None
    jobs: tuple[JobPart, ...] = ()

    @model_validator(mode="after")
    def _finished_has_an_end(self) -> Self:
        if self.status in FINISHED and not self.finished_at:
            raise ValueError(f"finished_at is required when status is {self.status}")
        return self

    @property
    def at(self) -> "Moment":
        """When this was so: said outright, or the latest moment named."""
        return self.updated_at or latest(self.created_at, self.started_at, self.finished_at)
