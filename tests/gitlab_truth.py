"""A GitLab of our own: what it knows, in the words of its REST API. `tests/gitlab_server.py` has its rules."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

Json = dict[str, Any]
OVER = ("success", "failed", "canceled", "skipped")
HOST = "https://gitlab.example"


def text_of(moment: datetime | None) -> str | None:
    return moment and moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass
class Job:
    id: int
    name: str
    status: str
    created: datetime
    allow_failure: bool = False
    retried: bool = False
    downstream: Json | None = None

    @property
    def is_bridge(self) -> bool:
        return self.downstream is not None


@dataclass
class Pipeline:
    id: int
    iid: int
    status: str
    created: datetime
    updated: datetime
    source: str = "push"
    ref: str = "main"
    jobs: list[Job] = field(default_factory=list)

    @property
    def is_over(self) -> bool:
        return self.status in OVER


@dataclass
class Project:
    path: str
    id: int
    pipelines: dict[int, Pipeline] = field(default_factory=dict)
    requests: dict[int, Json] = field(default_factory=dict)
    traces: dict[int, bytes] = field(default_factory=dict)
    builds_access_level: str = "enabled"

    def add(
        self, number: int, created: datetime, *, status: str = "success", jobs: tuple[str, ...] = ("unit",), **more: Any
    ) -> Pipeline:
        updated = created + timedelta(seconds=90 if status in OVER else 3)
        pipeline = Pipeline(number, len(self.pipelines) + 1, status, created, updated, **more)
        self.pipelines[number] = pipeline
        for place, name in enumerate(jobs):
            pipeline.jobs.append(Job(number * 100 + place, name, status, created))
        return pipeline

    def retry(self, number: int, name: str, at: datetime, status: str = "success") -> None:
        """GitLab makes a new job of the same name, and the pipeline moves with it."""
        pipeline = self.pipelines[number]
        for job in pipeline.jobs:
            job.retried = job.retried or job.name == name
        pipeline.jobs.append(Job(number * 100 + len(pipeline.jobs), name, status, at))
        pipeline.status, pipeline.updated = status, at + timedelta(seconds=30)

    def body(self) -> Json:
        return {
            "id": self.id,
            "path_with_namespace": self.path,
            "web_url": f"{HOST}/{self.path}",
            "default_branch": "main",
            "builds_access_level": self.builds_access_level,
        }

    def listed(self, pipeline: Pipeline) -> Json:
        return {
            "id": pipeline.id,
            "iid": pipeline.iid,
            "project_id": self.id,
            "sha": "a" * 40,
            "ref": pipeline.ref,
            "status": pipeline.status,
            "source": pipeline.source,
            "created_at": text_of(pipeline.created),
            "updated_at": text_of(pipeline.updated),
            "web_url": f"{HOST}/{self.path}/-/pipelines/{pipeline.id}",
        }

    def detail(self, pipeline: Pipeline) -> Json:
        begun = pipeline.status not in ("created", "pending", "manual")
        return self.listed(pipeline) | {
            "before_sha": "0" * 40,
            "tag": False,
            "yaml_errors": None,
            "user": {"id": 7, "username": "ana", "name": "Ana Example", "state": "active"},
            "started_at": text_of(pipeline.created + timedelta(seconds=2)) if begun else None,
            "finished_at": text_of(pipeline.updated) if pipeline.is_over else None,
            "committed_at": None,
            "duration": 88 if pipeline.is_over else None,
            "queued_duration": 2 if begun else None,
            "coverage": None,
            "detailed_status": {"text": pipeline.status},
            "name": None,
        }

    def job(self, pipeline: Pipeline, job: Job) -> Json:
        body = {
            "id": job.id,
            "status": job.status,
            "stage": "test",
            "name": job.name,
            "ref": pipeline.ref,
            "tag": False,
            "coverage": None,
            "allow_failure": job.allow_failure,
            "created_at": text_of(job.created),
            "started_at": text_of(job.created + timedelta(seconds=5)),
            "finished_at": text_of(job.created + timedelta(seconds=30)) if job.status in OVER else None,
            "duration": 25,
            "user": {"id": 7, "username": "ana"},
            "commit": {
                "id": "a" * 40,
                "title": "A change",
                "message": "A change\n\nWhy.",
                "author_name": "Ana Example",
            },
            "pipeline": {"id": pipeline.id, "ref": pipeline.ref, "sha": "a" * 40, "status": pipeline.status},
            "web_url": f"{HOST}/{self.path}/-/jobs/{job.id}",
        }
        if job.is_bridge:
            return body | {"downstream_pipeline": job.downstream}
        return body | {"artifacts": [], "runner": None, "artifacts_expire_at": None, "tag_list": ["linux"]}

    def hook(self, pipeline: Pipeline) -> Json:
        """The pipeline event that GitLab sends of this pipeline."""

        def moment(text: str | None) -> str | None:
            return text and text[:19].replace("T", " ") + " UTC"

        detail = self.detail(pipeline)
        builds = [self.job(pipeline, job) for job in pipeline.jobs if not job.retried and not job.is_bridge]
        return {
            "object_kind": "pipeline",
            "object_attributes": {
                **{name: detail[name] for name in ("id", "iid", "name", "ref", "sha", "source", "status")},
                "created_at": moment(detail["created_at"]),
                "finished_at": moment(detail["finished_at"]),
                "queued_duration": detail["queued_duration"],
                "url": detail["web_url"],
            },
            "user": {"name": "Ana Example", "username": "ana"},
            "project": self.body(),
            "commit": {"message": "A change\n\nWhy.", "author": {"name": "Ana Example"}},
            "builds": [
                {name: build[name] for name in ("id", "stage", "name", "status", "allow_failure")}
                | {name: moment(build[name]) for name in ("created_at", "started_at", "finished_at")}
                for build in builds
            ],
        }

    def truth(self) -> set[tuple[str, str | None]]:
        """(pipeline, GitLab's word once it is over or waits for a person) of all there is."""
        return {
            (str(one.id), one.status if one.is_over or one.status == "manual" else None)
            for one in self.pipelines.values()
        }

    def true_jobs(self) -> set[tuple[str, str, str]]:
        """(job, pipeline, name), retried jobs and bridges included."""
        return {(str(job.id), str(one.id), job.name) for one in self.pipelines.values() for job in one.jobs}


def busy_project(path: str, project_id: int, number: int, now: datetime) -> Project:
    """Pipelines of the last 25 days: failures, retries, allowed failures, children, some touched in one moment."""
    project = Project(path, project_id)
    words = ("success", "success", "failed", "canceled", "skipped", "success", "manual")
    for place in range(number):
        created = now - timedelta(days=25) * (1 - place / number)
        pipeline = project.add(project_id * 100_000 + place, created, status=words[place % 7], jobs=("unit", "lint"))
        if place % 9 == 2:
            project.retry(pipeline.id, "unit", created + timedelta(minutes=4))
        if place % 10 == 3:
            pipeline.jobs[1].status, pipeline.jobs[1].allow_failure = "failed", True
        if place % 11 == 4:
            child = project.add(project_id * 100_000 + 50_000 + place, created, source="parent_pipeline")
            address = project.listed(child)["web_url"]
            pipeline.jobs.append(
                Job(
                    pipeline.id * 100 + 50,
                    "deploy",
                    "success",
                    created,
                    downstream={"id": child.id, "web_url": address},
                )
            )
    for one in list(project.pipelines.values())[:130]:
        one.updated = now - timedelta(days=24)
    return project
