"""What to fix first, as JSON: the same queries as the insight pages."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from core.insights import cost as costs
from core.insights import dora as keys
from core.insights import failures as reasons
from core.insights import stored
from ingest.api.dependencies import Running
from ingest.api.frames import records
from ingest.api.insight_settings import stored_values
from ingest.api.parameters import Text

router = APIRouter(prefix="/insights", tags=["insights"])


def insight_window(
    days: Annotated[int, Query(ge=1, le=365, description="How many days back, from now.")] = 30,
    provider: Annotated[str | None, Query(max_length=50, description="`github-actions` or `github_actions`.")] = None,
    repository: Text = None,
    branch: Text = None,
) -> dict[str, Any]:
    """The parameters that all insight queries share."""
    now = datetime.now(UTC)
    return {
        "provider": provider.replace("_", "-") if provider else None,
        "repository": repository,
        "branch": branch,
        "since": now - timedelta(days=days),
        "until": now,
    }


Window = Annotated[dict[str, Any], Depends(insight_window)]
Limit = Annotated[int, Query(ge=1, le=500, description="Most rows.")]


class FlakyJob(BaseModel):
    """A job that both failed and succeeded on the same commit, in different attempts or runs."""

    provider: str
    repository: str
    pipeline_id: str
    pipeline: str
    job: str
    flaky_commits: int = Field(description="Commits on which it was flaky …")
    commits: int = Field(description="… of all commits on which it ended.")
    failures: int = Field(description="Failed tries on the commits on which it also passed.")
    wasted_seconds: int = Field(description="All tries on such commits but the one success that each run needed.")
    waited_seconds: int = Field(description="From a run's first failed try to the success of its re-run, added up.")
    last_at: datetime | None


class FlakyJobs(BaseModel):
    since: datetime
    until: datetime
    jobs: list[FlakyJob]


@router.get("/flaky", response_model=FlakyJobs, summary="Flaky jobs, the most wasted time first")
def flaky(service: Running, window: Window, limit: Limit = 100) -> FlakyJobs:
    rows = records(service.reader.frame("flaky_jobs", **window, limit=limit))
    return FlakyJobs(since=window["since"], until=window["until"], jobs=[FlakyJob(**row) for row in rows])


class JobCost(BaseModel):
    """Machine time of one job on runners with the same labels."""

    provider: str
    repository: str
    pipeline_id: str
    pipeline: str
    job: str
    labels: str
    os: str
    jobs: int = Field(description="How often it ended.")
    seconds: int
    minutes: int = Field(description="Started minutes, each job rounded up by itself, as GitHub bills them.")
    failed_seconds: int
    rerun_seconds: int = Field(description="In attempts after the first.")
    per_minute: float | None = Field(description="Price of a minute; null where no rule fits.")
    cost: float


class Costs(BaseModel):
    since: datetime
    until: datetime
    currency: str
    cost: float
    seconds: int
    minutes: int
    jobs: list[JobCost]


@router.get("/cost", response_model=Costs, summary="Machine time and its cost by job and runner, the most time first")
def cost(service: Running, window: Window, limit: Limit = 100) -> Costs:
    """The totals are of all jobs, whatever the limit."""
    prices = stored.prices_of(stored_values(service))
    rows = costs.priced(service.reader.frame("cost_jobs", **window, limit=costs.MOST_ROWS), prices)
    return Costs(
        since=window["since"],
        until=window["until"],
        currency=prices.currency,
        cost=float(rows["cost"].sum()),
        seconds=int(rows["seconds"].sum()),
        minutes=int(rows["minutes"].sum()),
        jobs=[JobCost(**row) for row in records(rows.head(limit))],
    )


class DoraKeys(BaseModel):
    """The four keys of some deployments. Levels are those of the DORA report of 2024; null where it gives none."""

    repository: str | None = Field(description="null: of all")
    deployments: int
    failed: int
    successful_per_day: float
    frequency_level: keys.Level | None
    changes: int = Field(description="Commits whose first successful deployment ended in the window.")
    lead_time_p50_seconds: float | None
    lead_time_level: keys.Level | None
    change_failure_rate: float | None
    recovery_p50_seconds: float | None
    recovery_level: keys.Level | None
    recovered: int
    unrecovered: int


class Dora(BaseModel):
    since: datetime
    until: datetime
    marks: keys.Marks
    total: DoraKeys
    repositories: list[DoraKeys]


@router.get("/dora", response_model=Dora, summary="DORA's four key metrics")
def dora(service: Running, window: Window) -> Dora:
    """Of the runs that are marked as deployments (`PUT /insights/deployments`)."""
    marks = stored.marks_of(stored_values(service))
    rows = service.reader.frame("deployments", **window, **marks.parameters(), limit=keys.MOST_ROWS)
    scope = {name: window[name] for name in ("provider", "repository", "since", "until")}
    history = window["since"] - keys.HISTORY
    leads = service.reader.frame("lead_times", **scope, **marks.parameters(), history=history, zone="UTC")
    report = keys.report(rows, leads, (window["until"] - window["since"]).total_seconds() / keys.DAY)
    total, *repositories = [DoraKeys(**asdict(row)) for row in report]
    return Dora(since=window["since"], until=window["until"], marks=marks, total=total, repositories=repositories)


class FailureCluster(BaseModel):
    """Failed jobs whose logs say the same."""

    id: str
    template: str = Field(description="The telling line; <*> and the like stand for what differs.")
    line: str = Field(description="One example of it.")
    jobs: int
    runs: int
    pipelines: int
    first_at: datetime = Field(description="Of all time, within the filters.")
    first_sha: str | None
    first_attempt: str | None
    last_at: datetime
    last_attempt: str | None
    new: bool = Field(description="Never seen before the window.")


class FailureClusters(BaseModel):
    since: datetime
    until: datetime
    clusters: list[FailureCluster]


@router.get("/failures", response_model=FailureClusters, summary="Failures by what their logs say, most runs first")
def failures(service: Running, window: Window, limit: Limit = 100) -> FailureClusters:
    """Counts are of the window. Only jobs whose log was kept take part."""
    scope = {name: window[name] for name in ("provider", "repository", "branch", "until")}
    occurrences = service.reader.frame("failure_occurrences", **scope, limit=reasons.MOST_OCCURRENCES)
    masks = service.reader.frame("failure_masks", limit=reasons.MOST_MASKS)
    found = reasons.clusters(occurrences, masks, window["since"])[:limit]
    job_ids = tuple({job for cluster in found for job in (cluster.first_job, cluster.last_job)})
    jobs = {row["job_id"]: row for row in records(service.reader.frame("failure_examples", job_ids=job_ids))}
    return FailureClusters(
        since=window["since"],
        until=window["until"],
        clusters=[
            FailureCluster(
                **{name: getattr(cluster, name) for name in _CLUSTER},
                first_sha=jobs[cluster.first_job]["head_sha"],
                first_attempt=jobs[cluster.first_job]["attempt_id"],
                last_attempt=jobs[cluster.last_job]["attempt_id"],
            )
            for cluster in found
        ],
    )


_CLUSTER = ("id", "template", "line", "jobs", "runs", "pipelines", "first_at", "last_at", "new")


class DurationChange(BaseModel):
    """A pipeline (job "") or job whose durations changed; `attempt_id` and `head_sha` of the first run after it."""

    provider: str
    repository: str
    pipeline_id: str
    pipeline: str
    job: str
    attempt_id: str
    head_sha: str | None
    changed_at: datetime
    before_attempt_id: str
    before_sha: str | None
    before_seconds: float = Field(description="Median before.")
    after_seconds: float = Field(description="Median after.")
    ratio: float = Field(description="After ÷ before, by the Hodges-Lehmann shift.")
    ratio_low: float = Field(description="Lower end of its 95 % interval.")
    ratio_high: float
    p_value: float = Field(description="Chance of so large a difference without a change.")
    runs_before: int
    runs_after: int
    is_newest: bool = Field(description="The last change of its series, so still in force.")
    week_seconds: float = Field(description="(After - before) x successful runs of the last 7 days.")
    found_at: datetime


class DurationChanges(BaseModel):
    since: datetime
    until: datetime
    changes: list[DurationChange]


@router.get("/regressions", response_model=DurationChanges, summary="What is slower, since which commit")
def regressions(
    service: Running,
    window: Window,
    limit: Limit = 100,
    slower: Annotated[bool | None, Query(description="true: slower, false: faster; any by default.")] = None,
) -> DurationChanges:
    """As last found; ingest looks once an hour. The branch doesn't matter here."""
    parameters = {name: window[name] for name in ("provider", "repository", "since")}
    week_ago = window["until"] - timedelta(days=7)
    rows = records(
        service.reader.frame("duration_changes", **parameters, slower=slower, week_ago=week_ago, limit=limit)
    )
    return DurationChanges(
        since=window["since"], until=window["until"], changes=[DurationChange(**row) for row in rows]
    )
