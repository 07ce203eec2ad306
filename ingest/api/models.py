"""Responses of the REST API. Times are UTC in ISO 8601, durations whole seconds, rates fractions of 1."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel

from core.model import Status


class AlertCounts(BaseModel):
    critical: int
    warning: int
    info: int


class Summary(BaseModel):
    total_pipelines: int
    active_pipelines: int
    failed_pipelines: int
    success_rate: float | None
    avg_build_time: float | None
    p50_build_time: float | None
    p95_build_time: float | None
    last_24h_runs: int
    alerts: AlertCounts


class Build(BaseModel):
    id: str
    attempt_id: str
    pipeline_id: str
    provider: str
    repository: str
    pipeline: str
    run_id: str
    run_attempt: int
    run_number: int | None
    status: Status
    conclusion: str | None
    event: str | None
    title: str | None
    branch: str | None
    head_sha: str | None
    commit_message: str | None
    commit_author: str | None
    url: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    updated_at: datetime
    duration_seconds: int | None


class Pagination(BaseModel):
    total: int
    page: int
    per_page: int
    has_next: bool


class BuildPage(BaseModel):
    builds: list[Build]
    pagination: Pagination


class StepDetail(BaseModel):
    number: int
    name: str
    status: Status
    conclusion: str | None
    started_at: datetime | None
    finished_at: datetime | None
    duration: int | None


class JobDetail(BaseModel):
    id: str
    name: str
    status: Status
    conclusion: str | None
    runner_name: str | None
    labels: str | None
    url: str | None
    created_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    duration: int | None
    queue_seconds: int | None
    excerpt: str | None
    steps: list[StepDetail]


class PipelineDetail(BaseModel):
    id: str
    provider: str
    repository: str
    repository_url: str | None
    name: str
    default_branch: str | None


class RunMetadata(BaseModel):
    actor: str | None
    head_branch: str | None
    base_branch: str | None


class BuildDetail(Build):
    """`pipeline` is the pipeline's name in lists and its details here."""

    pipeline: PipelineDetail  # type: ignore[assignment]
    metadata: RunMetadata
    jobs: list[JobDetail]
    attempts: list[Build]


class DeliverySummary(BaseModel):
    provider: str
    delivery_id: str
    event: str
    action: str | None
    received_at: datetime
    result: Literal["processed", "ignored", "failed"]
    reason: str | None


class DeliveryList(BaseModel):
    deliveries: list[DeliverySummary]


class WebhookAnswer(BaseModel):
    status: Literal["processed", "ignored", "duplicate"]


class ErrorDetail(BaseModel):
    code: str
    message: str
    details: dict[str, object]


class ErrorBody(BaseModel):
    error: ErrorDetail
    timestamp: datetime
    request_id: str
