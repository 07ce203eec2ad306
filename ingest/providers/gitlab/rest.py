"""What GitLab's REST API says, as the hooks would have said it, so that both give the same rows. Pure.

https://docs.gitlab.com/api/pipelines/ and https://docs.gitlab.com/api/jobs/
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.model import Changes
from ingest.providers.gitlab.parse import job_of, pipeline_changes
from ingest.providers.gitlab.payloads import Build, PipelineEvent, Project
from ingest.providers.payload import read

# What the ref of a merge request's pipeline looks like; the hook names its branch there.
MERGE_REQUEST = re.compile(r"^refs/merge-requests/(\d+)/")

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Whole:
    """A pipeline and what belongs to it: its jobs (retried ones too), bridges, and merge request."""

    pipeline: Json
    jobs: Sequence[Json] = ()
    bridges: Sequence[Json] = ()
    request: Json | None = None
    commit: Json | None = None


def request_of(pipeline: Json) -> str | None:
    """The number of the merge request that a pipeline belongs to."""
    match = MERGE_REQUEST.match(pipeline.get("ref") or "")
    return match[1] if match else None


def commit_of(jobs: Sequence[Json]) -> Json | None:
    """Only jobs carry the message of the commit."""
    return next((job["commit"] for job in jobs if job.get("commit")), None)


def changes_of(project: Json, whole: Whole) -> Changes:
    """The rows of a pipeline. Raises BadPayload."""
    part, request = dict(whole.pipeline), whole.request
    if request and request.get("source_branch"):
        part["ref"] = request["source_branch"]
    commit = whole.commit or commit_of([*whole.jobs, *whole.bridges])
    payload = {
        "object_attributes": part,
        "merge_request": request,
        "user": part.get("user"),
        "project": project,
        "commit": commit and {"message": commit.get("message"), "author": {"name": commit.get("author_name")}},
        "builds": list(whole.jobs),
        "bridges": list(whole.bridges),
    }
    return pipeline_changes(read(PipelineEvent, payload))


def job_changes(project: Json, jobs: Sequence[Json]) -> Changes:
    """The rows of jobs listed without their pipelines. Raises BadPayload."""
    known = read(Project, project)
    return Changes(
        jobs=tuple(
            job_of(read(Build, job), known.id, f"gl-{known.id}-{job['pipeline']['id']}-1", known.web_url)
            for job in jobs
        )
    )
