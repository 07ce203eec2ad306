"""`/metrics`: the service and what it watches, for Prometheus (https://prometheus.io/docs/practices/naming/)."""

import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import APIRouter, Response
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ingest.api.dependencies import Running
from ingest.api.frames import records
from ingest.guards.measure import HTTP
from ingest.service import Service

router = APIRouter(tags=["metrics"])

WINDOW = timedelta(days=7)
EVERYTHING: dict[str, None] = {"provider": None, "repository": None, "branch": None}


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    summary="Prometheus metrics",
)
def metrics(service: Running) -> Response:
    """Text exposition format 0.0.4. Figures of runs are those of the last 7 days, read at each scrape."""
    registry = CollectorRegistry()
    registry.register(_Stored(service))
    return Response(generate_latest(HTTP) + generate_latest(registry), media_type=CONTENT_TYPE_PLAIN_0_0_4)


class _Stored(Collector):
    """What the database says now."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._reader = service.reader

    def collect(self) -> Iterator[Metric]:
        now = datetime.now(UTC)
        figures = records(
            self._reader.frame(
                "summary",
                **EVERYTHING,
                window_start=now - WINDOW,
                window_end=now,
                previous_start=now - 2 * WINDOW,
                day_ago=now - timedelta(days=1),
            )
        )[0]
        yield _gauge("cicd_pipelines", "Pipelines that are known.", figures["total_pipelines"])
        yield _gauge("cicd_pipelines_active", "Pipelines with a run in 7 days.", figures["active_pipelines"])
        yield _gauge("cicd_pipelines_failed", "Pipelines failing on their default branch.", figures["failed_pipelines"])
        yield _gauge("cicd_runs_last_day", "Runs begun in the last 24 hours.", figures["last_24h_runs"])
        yield _gauge("cicd_success_ratio", "Successful of finished runs, 7 days.", figures["success_rate"])
        yield _gauge("cicd_build_duration_mean_seconds", "Mean duration, 7 days.", figures["avg_build_time"])
        yield _gauge("cicd_build_duration_p95_seconds", "95th percentile, 7 days.", figures["p95_build_time"])
        alerts = GaugeMetricFamily("cicd_alerts_active", "Alerts that nobody took on.", labels=["severity"])
        for severity, count in records(self._reader.frame("alert_counts", **EVERYTHING))[0].items():
            alerts.add_metric([severity], count)
        yield alerts
        deliveries = GaugeMetricFamily("cicd_deliveries_kept", "Deliveries kept.", labels=["provider", "result"])
        for row in records(self._reader.frame("deliveries_by_result")):
            deliveries.add_metric([row["provider"], row["result"]], row["deliveries"])
        yield deliveries
        yield from self._messages(now)
        yield _gauge("cicd_leader", "1: some process polls, evaluates and sends.", float(self._service.is_led()))
        yield _gauge("cicd_database_bytes", "Size of the database.", self._service.database.size_bytes())
        yield self._states()

    def _messages(self, now: datetime) -> Iterator[Metric]:
        waiting = GaugeMetricFamily("cicd_messages_waiting", "Messages not sent yet.", labels=["channel"])
        failed = GaugeMetricFamily("cicd_messages_failed", "Messages given up, last 24 hours.", labels=["channel"])
        for row in records(self._reader.frame("channel_states", since=now - timedelta(days=1))):
            waiting.add_metric([row["channel"]], row["waiting"])
            failed.add_metric([row["channel"]], row["failed"])
        yield waiting
        yield failed

    def _states(self) -> Metric:
        labels = ["pipeline_id", "provider", "repository", "pipeline"]
        states = GaugeMetricFamily("cicd_pipeline_failing", "1: failing on its default branch.", labels=labels)
        for row in records(self._reader.frame("pipeline_states", id=None)):
            if row["status"]:
                values = [row["id"], row["provider"], row["repository"], row["pipeline"]]
                states.add_metric(values, float(row["status"] == "failed"))
        return states


def _gauge(name: str, meaning: str, value: Any) -> Metric:
    return GaugeMetricFamily(name, meaning, value=math.nan if value is None else float(value))
