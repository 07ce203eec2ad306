"""The parts of Bitbucket's webhook payloads that we read.

https://support.atlassian.com/bitbucket-cloud/docs/event-payloads/#Build-status-created
"""

from pydantic import AliasPath, Field

from ingest.providers.payload import Moment, Part


class Repository(Part):
    uuid: str
    full_name: str
    page: str | None = Field(None, validation_alias=AliasPath("links", "html", "href"))
    default_branch: str | None = Field(None, validation_alias=AliasPath("mainbranch", "name"))


class Actor(Part):
    nickname: str | None = None
    display_name: str | None = None


class Commit(Part):
    hash: str | None = None
    message: str | None = None
    author: str | None = Field(None, validation_alias=AliasPath("author", "user", "display_name"))


class CommitStatus(Part):
    key: str
    name: str | None = None
    state: str
    url: str | None = None
    refname: str | None = None
    description: str | None = None
    created_on: Moment
    updated_on: Moment
    commit: Commit | None = None
    commit_page: str | None = Field(None, validation_alias=AliasPath("links", "commit", "href"))


class StatusEvent(Part):
    repository: Repository
    actor: Actor | None = None
    commit_status: CommitStatus
