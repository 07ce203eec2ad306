"""The parts of CircleCI's webhook payloads that we read. https://circleci.com/docs/reference/outbound-webhooks-reference/"""

from pydantic import Field

from ingest.providers.payload import Moment, Number, OptionalMoment, Part


class Project(Part):
    id: str
    name: str
    slug: str = ""


class Organization(Part):
    name: str | None = None


class Workflow(Part):
    id: str
    name: str
    status: str | None = None
    created_at: OptionalMoment = None
    stopped_at: OptionalMoment = None
    url: str | None = None


class Author(Part):
    name: str | None = None


class Commit(Part):
    subject: str | None = None
    body: str | None = None
    author: Author | None = None


class Vcs(Part):
    target_repository_url: str | None = None
    origin_repository_url: str | None = None
    revision: str | None = None
    branch: str | None = None
    tag: str | None = None
    commit: Commit | None = None


class GitParameters(Part):
    """Projects of GitLab and of the GitHub App have these in the place of `vcs`."""

    branch: str | None = None
    checkout_sha: str | None = None
    commit_sha: str | None = None
    commit_title: str | None = None
    commit_author_name: str | None = None
    repo_url: str | None = None
    web_url: str | None = None
    user_username: str | None = None
    default_branch: str | None = None


class TriggerParameters(Part):
    git: GitParameters | None = None
    gitlab: GitParameters | None = None
    github_app: GitParameters | None = None


class Trigger(Part):
    type: str | None = None


class Pipeline(Part):
    number: Number | None = None
    created_at: OptionalMoment = None
    trigger: Trigger | None = None
    vcs: Vcs | None = None
    trigger_parameters: TriggerParameters | None = None


class JobPart(Part):
    id: str
    name: str
    number: Number | None = None
    status: str
    started_at: OptionalMoment = None
    stopped_at: OptionalMoment = None


class Event(Part):
    type: str
    happened_at: Moment
    project: Project
    organization: Organization = Field(default_factory=Organization)
    workflow: Workflow
    pipeline: Pipeline = Field(default_factory=Pipeline)
    job: JobPart | None = None
