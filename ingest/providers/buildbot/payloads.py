"""The parts of a Buildbot build that we read: the reporter's payload and the REST API name them alike.

https://docs.buildbot.net/current/developer/rtype-build.html
"""

from typing import Any

from ingest.providers.payload import Moment, Number, OptionalMoment, Part


class Sourcestamp(Part):
    branch: str | None = None
    revision: str | None = None
    project: str | None = None
    repository: str | None = None


class Buildset(Part):
    reason: str | None = None
    submitted_at: OptionalMoment = None
    sourcestamps: list[Sourcestamp] | None = None


class Builder(Part):
    builderid: Number
    name: str


class StepPart(Part):
    number: Number
    name: str
    started_at: OptionalMoment = None
    complete_at: OptionalMoment = None
    complete: bool = False
    results: int | None = None


class BuildPart(Part):
    buildid: Number
    number: Number
    started_at: Moment
    complete_at: OptionalMoment = None
    complete: bool
    results: int | None = None
    state_string: str | None = None
    properties: dict[str, list[Any]] | None = None
    buildset: Buildset | None = None
    builder: Builder
    url: str
    steps: list[StepPart] | None = None

    def named(self, name: str) -> str | None:
        """A property's value, if it is a text that is not empty."""
        values = (self.properties or {}).get(name) or [None]
        return values[0] if isinstance(values[0], str) and values[0] else None
