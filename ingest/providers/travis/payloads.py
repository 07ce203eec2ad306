"""The parts of Travis' webhook payload that we read.

https://docs.travis-ci.com/user/notifications/#webhooks-delivery-format
"""

from ingest.providers.payload import Number, OptionalMoment, Part


class Repository(Part):
    id: Number
    name: str
    owner_name: str
    url: str | None = None


class JobPart(Part):
    id: Number
    number: str
    state: str
    allow_failure: bool | None = None
    started_at: OptionalMoment = None
    finished_at: OptionalMoment = None


class Build(Part):
    id: Number
    number: Number | None = None
    type: str | None = None
    state: str
    started_at: OptionalMoment = None
    finished_at: OptionalMoment = None
    committed_at: OptionalMoment = None
    build_url: str | None = None
    commit: str | None = None
    branch: str | None = None
    message: str | None = None
    author_name: str | None = None
    pull_request: bool = False
    pull_request_title: str | None = None
    repository: Repository
    matrix: list[JobPart] | None = None
