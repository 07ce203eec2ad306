"""The parts of Azure DevOps' service hooks that we read. https://learn.microsoft.com/azure/devops/service-hooks/events"""

from pydantic import AliasPath, Field

from ingest.providers.payload import Moment, Number, OptionalMoment, Part


class Named(Part):
    id: str | None = None
    name: str | None = None


class Person(Part):
    displayName: str | None = None  # noqa: N815 -- Azure's spelling


class Definition(Part):
    id: Number
    name: str
    project: Named | None = None


class BuildRepository(Part):
    name: str | None = None
    url: str | None = None
    defaultBranch: str | None = None  # noqa: N815 -- Azure's spelling


class Build(Part):
    """Of version 2.0; in 1.0 (XAML builds) `status` is the result and there is no queue time."""

    id: Number
    build_number: str | None = Field(None, validation_alias="buildNumber")
    status: str
    result: str | None = None
    queued_at: OptionalMoment = Field(None, validation_alias="queueTime")
    started_at: OptionalMoment = Field(None, validation_alias="startTime")
    finished_at: OptionalMoment = Field(None, validation_alias="finishTime")
    reason: str | None = None
    branch: str | None = Field(None, validation_alias="sourceBranch")
    sha: str | None = Field(None, validation_alias="sourceVersion")
    url: str | None = None
    page: str | None = Field(None, validation_alias=AliasPath("_links", "web", "href"))
    definition: Definition
    project: Named | None = None
    repository: BuildRepository | None = None
    requested_for: Person | None = Field(None, validation_alias="requestedFor")


class Run(Part):
    id: Number
    name: str | None = None
    state: str
    result: str | None = None
    created_at: Moment = Field(validation_alias="createdDate")
    finished_at: OptionalMoment = Field(None, validation_alias="finishedDate")
    page: str | None = Field(None, validation_alias=AliasPath("_links", "web", "href"))
    pipeline: Definition


class BuildCompleted(Part):
    resource: Build
    project_id: str | None = Field(None, validation_alias=AliasPath("resourceContainers", "project", "id"))
    sent_at: OptionalMoment = Field(None, validation_alias="createdDate")


class RunResource(Part):
    run: Run


class RunStateChanged(Part):
    resource: RunResource
    project_id: str = Field(validation_alias=AliasPath("resourceContainers", "project", "id"))
    sent_at: OptionalMoment = Field(None, validation_alias="createdDate")
