"""The timed jobs of the ingest process (APScheduler): polling, alerts, retention."""

import threading
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import structlog
from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_EXECUTED, JobExecutionEvent
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler

from core.settings import Settings
from core.store.archive import Moved, archive_month, months_to_archive, refresh_views
from core.store.believable import believable
from core.store.polling import forget_old
from core.store.retention import apply_retention
from core.store.writer import Writer
from ingest.alerting.evaluator import Evaluator
from ingest.insight_jobs import InsightJobs
from ingest.polling.engine import Polling

log = structlog.get_logger()

# APScheduler waits for a moment of the clock: set back by a year, the clock would let a job wait for a year.
CLOCK_SECONDS = 5.0
SLACK = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class TimedJob:
    id: str
    last_run_at: datetime | None
    last_error: str | None
    next_run_at: datetime | None


class Timer:
    """Runs each job alone; a run missed while the machine slept is caught up once."""

    def __init__(
        self, writer: Writer, settings: Settings, evaluator: Evaluator, polling: Polling, insights: InsightJobs
    ) -> None:
        self._writer = writer
        self._evaluator = evaluator
        self._settings = settings
        self._polling = polling
        self._insights = insights
        self._last: dict[str, tuple[datetime, str | None]] = {}
        self._scheduler = BackgroundScheduler()
        self._stopping = threading.Event()

    def start(self) -> None:
        """Begin; also again after `stop`."""
        self._scheduler = BackgroundScheduler(
            timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )
        soon = datetime.now(UTC) + timedelta(seconds=30)
        self._scheduler.add_job(self._retain, "interval", hours=1, next_run_time=soon, id="retention")
        if self._settings.archive_after_days:
            self._scheduler.add_job(self._archive, "interval", hours=24, next_run_time=soon, id="archive")
        if self._polling.is_configured:
            self._scheduler.add_job(
                self._polling.round,
                "interval",
                seconds=self._settings.poll_interval_seconds,
                next_run_time=datetime.now(UTC),
                id="polling",
            )
        first = datetime.now(UTC) + timedelta(seconds=5)
        self._scheduler.add_job(
            self._insights.pick_lines, "interval", minutes=1, next_run_time=first, id="failure lines"
        )
        self._scheduler.add_job(self._insights.send_digest, "interval", minutes=1, next_run_time=first, id="digest")
        self._scheduler.add_job(
            self._insights.find_changes, "interval", hours=1, next_run_time=soon, id="duration changes"
        )
        self._scheduler.add_listener(self._note, EVENT_JOB_EXECUTED | EVENT_JOB_ERROR)
        self._scheduler.add_job(
            self._evaluator.evaluate_all, "interval", seconds=self._settings.alert_interval_seconds, id="alerts"
        )
        self._scheduler.start()
        self._stopping = threading.Event()
        watch = threading.Thread(target=self._watch_the_clock, args=(self._stopping,), name="clock watch", daemon=True)
        watch.start()

    def jobs(self) -> list[TimedJob]:
        """What runs on a timer, when it last ended and when it runs next."""
        found = []
        for job in self._scheduler.get_jobs() if self._scheduler.running else []:
            last_run_at, last_error = self._last.get(job.id, (None, None))
            found.append(TimedJob(job.id, last_run_at, last_error, job.next_run_time))
        return found

    def _note(self, event: JobExecutionEvent) -> None:
        error = event.exception
        self._last[event.job_id] = (datetime.now(UTC), f"{type(error).__name__}: {error}" if error else None)

    def _watch_the_clock(self, stopping: threading.Event) -> None:
        while not stopping.wait(CLOCK_SECONDS):
            for job in self._scheduler.get_jobs():
                latest = datetime.now(UTC) + job.trigger.interval
                if job.next_run_time and job.next_run_time > latest + SLACK:
                    log.warning("the clock was set back: a timed job comes sooner", job=job.id)
                    with suppress(JobLookupError):
                        job.modify(next_run_time=latest)

    def stop(self) -> None:
        self._stopping.set()
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
        self._writer.transact(
            lambda cursor: forget_old(cursor, datetime.now(UTC), log_days=settings.log_retention_days)
        ).result()
        log.info("retention applied", **removed)

    def _archive(self) -> None:
        """Month by month, so that webhooks wait for one month at most."""
        folder, days = self._settings.archive_path, self._settings.archive_after_days
        now = self._writer.transact(lambda cursor: believable(cursor, datetime.now(UTC))).result()

        def move(cursor: Any, month: str) -> Moved:
            moved = archive_month(cursor, folder, month, now, days)
            refresh_views(cursor)
            return moved

        for month in self._writer.transact(lambda cursor: months_to_archive(cast("Any", cursor), now, days)).result():
            moved = self._writer.transact(lambda cursor, month=month: move(cursor, month)).result()  # type: ignore[misc]
            log.info("runs archived", month=month, **asdict(moved))
