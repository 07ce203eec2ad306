"""The parts of Drone's webhook payloads that we read.

https://docs.drone.io/webhooks/overview/; the names are those of `core/build.go` and `core/stage.go` of Drone.
"""

from pydantic import Field

from ingest.providers.payload import Moment, Number, OptionalMoment, Part


class StepPart(Part):
    number: Number
    name: str
    status: str
    started: OptionalMoment = None
    stopped: OptionalMoment = None


class StagePart(Part):
    id: Number
    name: str
    status: str
    errignore: bool = False
    machine: str | None = None
    created: OptionalMoment = None
    started: OptionalMoment = None
    stopped: OptionalMoment = None
    steps: list[StepPart] | None = None


class BuildPart(Part):
    """`created` and the like are seconds since 1970, or 0 for "not yet"."""

    id: Number
    number: Number
    status: str
    event: str | None = None
    link: str | None = None
    title: str | None = None
    message: str | None = None
    after: str | None = None
    source_repo: str | None = None
    source: str | None = None
    target: str | None = None
    author_name: str | None = None
    author_login: str | None = None
    sender: str | None = None
    created: Moment
    started: OptionalMoment = None
    finished: OptionalMoment = None
    updated: Moment
    stages: list[StagePart] | None = None


class Repo(Part):
    id: Number
    slug: str = Field(min_length=1)
    link: str | None = None
    default_branch: str | None = None
    config_path: str | None = None


class BuildEvent(Part):
    repo: Repo
    build: BuildPart
