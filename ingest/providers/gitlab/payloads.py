"""The parts of GitLab's webhook payloads that we read.

https://docs.gitlab.com/user/project/integrations/webhook_events/#pipeline-events
https://docs.gitlab.com/user/project/integrations/webhook_events/#job-events
"""

from pydantic import AliasChoices, Field

from ingest.providers.payload import Moment, Number, OptionalMoment, Part


class Project(Part):
    id: Number
    path_with_namespace: str
    web_url: str | None = None
    default_branch: str | None = None


class Person(Part):
    name: str | None = None
    username: str | None = None


class Commit(Part):
    message: str | None = None
    author: Person | None = None


class MergeRequest(Part):
    title: str | None = None
    target_branch: str | None = None
    source_project_id: Number | None = None
    target_project_id: Number | None = None


class Runner(Part):
    description: str | None = None
    tags: list[str] | None = None


class Downstream(Part):
    """The pipeline that a bridge started."""

    web_url: str | None = None


class Build(Part):
    """A job, whichever hook or endpoint it comes from. Only the REST API knows the last three."""

    id: Number
    name: str
    status: str
    allow_failure: bool = False
    runner: Runner | None = None
    created_at: OptionalMoment = None
    started_at: OptionalMoment = None
    finished_at: OptionalMoment = None
    tag_list: list[str] | None = None
    web_url: str | None = None
    downstream_pipeline: Downstream | None = None


class PipelinePart(Part):
    """The hook doesn't know `started_at` and `updated_at`, and has `url` for what the REST API calls `web_url`."""

    id: Number
    iid: Number | None = None
    name: str | None = None
    ref: str | None = None
    sha: str | None = None
    source: str | None = None
    status: str
    created_at: Moment
    started_at: OptionalMoment = None
    finished_at: OptionalMoment = None
    updated_at: OptionalMoment = None
    queued_duration: float | None = Field(None, ge=0, le=10**9)
    url: str | None = Field(None, validation_alias=AliasChoices("url", "web_url"))


class PipelineEvent(Part):
    object_attributes: PipelinePart
    merge_request: MergeRequest | None = None
    user: Person | None = None
    project: Project
    commit: Commit | None = None
    builds: list[Build] | None = None
    bridges: list[Build] | None = None


class PipelineOfJob(Part):
    """What the job hook calls `commit`; its id is the pipeline's."""

    id: Number


class JobRepository(Part):
    homepage: str | None = None


class JobEvent(Part):
    build_id: Number
    build_name: str
    build_status: str
    build_allow_failure: bool = False
    build_created_at: OptionalMoment = None
    build_started_at: OptionalMoment = None
    build_finished_at: OptionalMoment = None
    pipeline_id: Number | None = None
    project_id: Number
    runner: Runner | None = None
    commit: PipelineOfJob | None = None
    repository: JobRepository | None = None

    @property
    def build(self) -> Build:
        return Build(
            id=self.build_id,
            name=self.build_name,
            status=self.build_status,
            allow_failure=self.build_allow_failure,
            runner=self.runner,
            created_at=self.build_created_at,
            started_at=self.build_started_at,
            finished_at=self.build_finished_at,
        )
