"""The health of everything in one answer."""

from datetime import UTC, datetime, timedelta

from fastapi import APIRouter

from ingest.api.dependencies import Running
from ingest.api.frames import records
from ingest.api.models import AlertCounts, Summary

router = APIRouter(tags=["metrics"])

WINDOW = timedelta(days=7)


@router.get("/metrics/summary", response_model=Summary, summary="Key figures of the last 7 days")
def summary(service: Running) -> Summary:
    now = datetime.now(UTC)
    everything = {"provider": None, "repository": None, "branch": None}
    figures = records(
        service.reader.frame(
            "summary",
            **everything,
            window_start=now - WINDOW,
            window_end=now,
            previous_start=now - 2 * WINDOW,
            day_ago=now - timedelta(days=1),
        )
    )[0]
    counts = records(service.reader.frame("alert_counts", **everything))[0]
    return Summary(**figures, alerts=AlertCounts(**counts))
