"""The timed jobs of the ingest process (APScheduler): polling, alerts, retention."""

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, cast

import structlog
from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_EXECUTED, JobExecutionEvent
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler

from core.errors import Conflict, StoreUnavailable
from core.settings import Settings
from core.store import quack
from core.store.archive import Month, months_to_archive, noted, refresh_views, remove_month, write_month
from core.store.archive_files import archive_of
from core.store.believable import believable
from core.store.database import OwnedFile, SharedPostgres
from core.store.polling import forget_old
from core.store.postgres.archiving import START, remove_part, write_part
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
        self,
        database: OwnedFile | SharedPostgres,
        writer: Writer,
        settings: Settings,
        evaluator: Evaluator,
        polling: Polling,
        insights: InsightJobs,
    ) -> None:
        self._database = database
        self._archive_files = archive_of(settings)
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
        if isinstance(self._database, OwnedFile):
            self._scheduler.add_job(self._renew_endpoint, "interval", seconds=5, id="SQL endpoint")
        if self._settings.archive_bucket and isinstance(self._database, OwnedFile):
            at_once = datetime.now(UTC)
            self._scheduler.add_job(
                self._fetch_archive, "interval", minutes=5, next_run_time=at_once, id="files of the archive"
            )
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

    def _renew_endpoint(self) -> None:
        assert isinstance(self._database, OwnedFile)
        if quack.renew_if_littered(self._database.connection, self._settings.quack_port, quack.token(self._settings)):
            log.warning("the SQL endpoint was renewed: readers were lost in the middle of their results")

    def _archive(self) -> None:
        """Some runs at a time, so that webhooks wait no longer than those take to be removed."""
        database = self._database
        now = self._writer.transact(lambda cursor: believable(cursor, datetime.now(UTC))).result()
        before = now - timedelta(days=self._settings.archive_after_days)
        if isinstance(database, OwnedFile):
            self._archive_months(database, before, now)
        else:
            self._archive_parts(database, before, now)

    def _archive_months(self, database: OwnedFile, before: datetime, now: datetime) -> None:
        archive, writer = self._archive_files, self._writer
        for name in writer.transact(lambda cursor: months_to_archive(cursor, before)).result():
            month = write_month(database.connection, archive, name, before)

            def remove(cursor: Any, month: Month = month) -> None:
                remove_month(cursor, archive, month, now)

            if month.files and self._move(month.names, lambda remove=remove: writer.transact(remove).result()):  # type: ignore[misc]
                log.info("runs archived", month=month.name, **{kind: rows for kind, (rows, _) in month.digests.items()})

    def _archive_parts(self, database: SharedPostgres, before: datetime, now: datetime) -> None:
        """As long as this process leads."""
        archive, start = self._archive_files, START
        archive.fetch(file.path for file in self._writer.transact(noted).result() if file.kind == "workflow_runs")
        while not self._stopping.is_set() and (part := write_part(database.url, archive, before, start)):
            start = part.end
            if part.files and self._move(part.names, partial(remove_part, database.url, archive, part, now)):
                log.info("runs archived", month=part.month, **part.counts)

    def _move(self, names: list[str], remove: Callable[[], object]) -> bool:
        """Bring files to the archive, then remove their rows; whether these were still the same.

        Only files that certainly nobody noted are thrown away: a commit whose answer was lost may have noted them.
        """
        archive = self._archive_files
        try:
            archive.keep(names)
        except StoreUnavailable:
            archive.discard(names)
            raise
        try:
            remove()
        except Conflict as error:
            archive.discard(names)
            log.warning("runs were not archived", reason=str(error))
            return False
        return True

    def _fetch_archive(self) -> None:
        """Copy from the bucket what isn't on this machine yet, and show it."""
        names = [file.path for file in self._writer.transact(noted).result()]
        if not self._archive_files.missing(names):
            return
        try:
            self._archive_files.fetch(names)
        finally:
            self._writer.transact(lambda cursor: refresh_views(cast("Any", cursor), self._archive_files)).result()
