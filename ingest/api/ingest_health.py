"""How ingest itself is: what polling knows of each repository, the rate limit, deliveries, the database, timed jobs."""

from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from core.store.database import OwnedFile
from ingest.api.dependencies import Running
from ingest.api.frames import records

router = APIRouter(tags=["health"])


class IngestHealth(BaseModel):
    repositories: list[dict[str, Any]]
    rate_limit: list[dict[str, Any]]
    waits_until: dict[str, datetime | None] = Field(
        description="By CI system: until when no request goes, because its limit is used up or it asked for a pause."
    )
    deliveries: dict[str, int]
    database: dict[str, int]
    version: str
    sql_endpoint: str | None = Field(description="Where DuckDB's own clients read; none on PostgreSQL.")
    leads: bool = Field(description="Whether this process polls, evaluates alerts and sends messages. One does.")
    jobs: list[dict[str, Any]]


@router.get("/health/ingest", response_model=IngestHealth, summary="How polling, deliveries and timed jobs are")
def ingest_health(service: Running, request: Request) -> IngestHealth:
    """The rate limit of the last 24 hours; deliveries by result, as far back as they are kept."""
    now = datetime.now(UTC)
    deliveries = {"processed": 0, "ignored": 0, "failed": 0}
    deliveries |= {row["result"]: row["number"] for row in records(service.reader.frame("delivery_counts"))}
    kept_since = now - timedelta(days=service.settings.delivery_retention_days)
    repeated = records(service.reader.frame("duplicate_counts", since=kept_since))
    deliveries["duplicate"] = sum(int(row["number"]) for row in repeated)
    return IngestHealth(
        repositories=records(service.reader.frame("poll_states", now=now)),
        rate_limit=records(service.reader.frame("rate_limit_history", provider=None, since=now - timedelta(days=1))),
        waits_until={name: source.budget.waits_until for name, source in service.polling.sources.items()},
        deliveries=deliveries,
        database={"size_bytes": service.database.size_bytes()},
        version=request.app.version,
        sql_endpoint=(f"127.0.0.1:{service.settings.quack_port}" if isinstance(service.database, OwnedFile) else None),
        leads=service.leads,
        jobs=[
            {
                "id": job.id,
                "last_run_at": job.last_run_at,
                "next_run_at": job.next_run_at,
                "last_error": job.last_error,
            }
            for job in service.timer.jobs()
        ],
    )
