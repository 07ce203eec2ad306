"""The parts of Buildkite's webhook payloads that we read: its REST API's objects.

https://buildkite.com/docs/apis/webhooks/pipelines/build-events
https://buildkite.com/docs/apis/webhooks/pipelines/job-events
"""

from pydantic import AliasPath, Field

from ingest.providers.payload import Moment, Number, OptionalMoment, Part


class Pipeline(Part):
    id: str
    slug: str
    name: str | None = None
    web_url: str | None = None
    repository: str | None = None
    default_branch: str | None = None


class Build(Part):
    id: str
    number: Number | None = None
    state: str
    blocked: bool = False
    message: str | None = None
    commit: str | None = None
    branch: str | None = None
    source: str | None = None
    web_url: str | None = None
    author: str | None = Field(None, validation_alias=AliasPath("author", "name"))
    creator: str | None = Field(None, validation_alias=AliasPath("creator", "name"))
    base_branch: str | None = Field(None, validation_alias=AliasPath("pull_request", "base"))
    created_at: Moment
    started_at: OptionalMoment = None
    finished_at: OptionalMoment = None


class JobPart(Part):
    id: str
    type: str = "script"
    name: str | None = None
    command: str | None = None
    state: str | None = None
    exit_status: int | None = None
    soft_failed: bool = False
    web_url: str | None = None
    agent: str | None = Field(None, validation_alias=AliasPath("agent", "name"))
    agent_query_rules: list[str] | None = None
    created_at: OptionalMoment = None
    started_at: OptionalMoment = None
    finished_at: OptionalMoment = None


class Event(Part):
    event: str
    build: Build
    pipeline: Pipeline
    job: JobPart | None = None
