"""The parts of Jenkins' payloads that we read.

The Notification plugin writes `full_url`, the CloudEvents plugin `fullUrl`; both mean the same model
(https://github.com/jenkinsci/notification-plugin, BuildState.java). What only our pipeline step sends is marked so.
"""

from pydantic import AliasChoices, Field

from ingest.providers.payload import Moment, Number, OptionalMoment, Part


class Scm(Part):
    url: str | None = None
    branch: str | None = None
    commit: str | None = None


class Build(Part):
    """`timestamp` is when the phase was reached, `duration` the milliseconds that the build took so far."""

    full_url: str | None = Field(None, validation_alias=AliasChoices("full_url", "fullUrl"))
    url: str | None = None
    number: Number
    timestamp: Moment
    duration: Number = 0
    phase: str = "NONE"
    status: str | None = None
    display_name: str | None = Field(None, validation_alias=AliasChoices("display_name", "displayName"))
    scm: Scm | None = Field(None, validation_alias=AliasChoices("scm", "scmState"))
    # Only our step:
    started_at: OptionalMoment = None


class BuildEvent(Part):
    name: str
    url: str | None = None
    build: Build
    # Only our step: `branch` is set in multibranch projects alone (BRANCH_NAME), as is `primary_branch`.
    branch: str | None = None
    primary_branch: bool = False
    base_branch: str | None = None
    user: str | None = None
    # Only polling:
    cause: str | None = None
    is_polled: bool = False
    # Our step and polling:
    commit_message: str | None = None
    commit_author: str | None = None
