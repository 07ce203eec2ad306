"""The timed jobs of the ingest process (APScheduler): retention, so far."""

from datetime import UTC, datetime, timedelta

import structlog
from apscheduler.schedulers.background import BackgroundScheduler

from core.settings import Settings
from core.store.retention import apply_retention
from core.store.writer import Writer

log = structlog.get_logger()


class Timer:
    """Runs each job alone; a run missed while the machine slept is caught up once."""

    def __init__(self, writer: Writer, settings: Settings) -> None:
        self._writer = writer
        self._settings = settings
        self._scheduler = BackgroundScheduler(
            timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )

    def start(self) -> None:
        soon = datetime.now(UTC) + timedelta(seconds=30)
        self._scheduler.add_job(self._retain, "interval", hours=1, next_run_time=soon, id="retention")
        self._scheduler.start()

    def stop(self) -> None:
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)

    def _retain(self) -> None:
        settings = self._settings
        removed = self._writer.transact(
            lambda cursor: apply_retention(
                cursor,
                datetime.now(UTC),
                delivery_days=settings.delivery_retention_days,
                run_days=settings.run_retention_days,
            )
        ).result()
        log.info("retention applied", **removed)
