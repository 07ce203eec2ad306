"""The parts of CDEvents that we read. https://github.com/cdevents/spec/blob/main/core.md"""

from pydantic import AliasChoices, Field

from ingest.providers.payload import Moment, Part


class Context(Part):
    type: str
    source: str
    timestamp: Moment


class Reference(Part):
    id: str
    source: str | None = None


class Content(Part):
    pipeline_name: str | None = Field(None, validation_alias="pipelineName")
    task_name: str | None = Field(None, validation_alias="taskName")
    pipeline_run: Reference | None = Field(None, validation_alias="pipelineRun")
    url: str | None = Field(None, validation_alias=AliasChoices("uri", "url"))
    outcome: str | None = None
    errors: str | None = None


class Subject(Part):
    id: str
    source: str | None = None
    content: Content


class Event(Part):
    context: Context
    subject: Subject
