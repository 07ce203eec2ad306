"""Fills a database with the simulated history, through the writer that real deliveries go through."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from datetime import UTC, datetime
from typing import Any

import orjson
from rich.progress import track

from core.errors import Conflict, DashboardError
from core.logs.keep import KeptLog
from core.model import Changes, Delivery
from core.settings import Settings
from core.store import job_logs, providers, stored_settings
from core.store.database import opened
from core.store.duration_changes import find_changes
from core.store.failure_lines import pick_lines
from core.store.reader import Reader
from core.store.writer import Writer
from ingest.providers.about import provider_rows
from ingest.simulation.alerts import raise_alerts
from ingest.simulation.history import SimulatedRun, simulate
from ingest.simulation.job_logs import LoggedJob, log_text
from ingest.simulation.payloads import changes_of, workflow_run

AT_ONCE = 250
LOG_DAYS = 30
LOG_BYTES = 1_048_576

_one_at_a_time = threading.Lock()


def fill(settings: Settings, *, days: int, now: datetime | None = None) -> int:
    """Write `days` days of history that end now; returns the number of attempts. Refuses a database that holds runs."""
    now = (now or datetime.now(UTC)).replace(microsecond=0)
    with opened(settings) as database:
        runs = int(database.reader.frame("freshness")["runs"].iloc[0])
        if runs:
            raise DashboardError(
                f"{database.place} holds {runs:,} runs already.", hint="Name a new database in DATABASE_URL."
            )
        writer = Writer(database.session())
        try:
            writer.transact(lambda cursor: providers.put(cursor, provider_rows(settings, ()))).result()
            count = sum(_write_history(writer, days, now))
            raise_alerts(writer, database.reader, days=days, now=now)
            pick_lines(database.reader, writer)
            find_changes(database.reader, writer, now, {})
        finally:
            writer.close()
        return count


def seed(writer: Writer, reader: Reader, *, days: int) -> int:
    """Write `days` days of history into a running service's empty database; returns how many attempts are there.

    Repeating changes nothing. Raises Conflict where there are real runs, which a simulation would spoil.
    """
    with _one_at_a_time:
        fresh = reader.frame("freshness").iloc[0]
        if fresh["simulated"] and fresh["runs"]:
            return int(fresh["runs"])
        if fresh["runs"]:
            raise Conflict("The database holds real runs.", hint="Only an empty one is filled with simulated ones.")
        written = sum(_write_history(writer, days, datetime.now(UTC).replace(microsecond=0)))
        pick_lines(reader, writer)
        find_changes(reader, writer, datetime.now(UTC), {})
        return written


def _write_history(writer: Writer, days: int, now: datetime) -> Iterator[int]:
    """Writes a part at a time, and says how many attempts it had."""
    mark = {"simulated": "true"}
    writer.transact(lambda cursor: stored_settings.put(cursor, mark, "simulation", now)).result()
    history = list(simulate(now, days))
    for start in track(range(0, len(history), AT_ONCE), "Simulating a company", transient=True):
        part = history[start : start + AT_ONCE]
        _write(writer, part, now)
        yield len(part)


def _write(writer: Writer, runs: list[SimulatedRun], now: datetime) -> None:
    """The runs, and the logs that were fetched of their jobs."""
    futures: list[Future[Any]] = []
    logs: list[job_logs.JobLog] = []
    for run in runs:
        changes = changes_of(run)
        futures.append(
            writer.submit_delivery(_delivery(run, changes))
            if _came_by_webhook(run, now)
            else writer.submit_changes(changes)
        )
        logs += _logs(run, changes, now)
    if logs:
        futures.append(writer.transact(lambda cursor: job_logs.keep(cursor, logs)))
    for future in futures:
        future.result()


def _logs(run: SimulatedRun, changes: Changes, now: datetime) -> Iterator[job_logs.JobLog]:
    """Kept are the logs of failed jobs, as long as logs are kept by default, and what somebody looked at lately."""
    for job, row in zip(run.jobs, changes.jobs, strict=True):
        age = (now - job.finished_at).days
        has_failed = job.conclusion in ("failure", "timed_out")
        if not (has_failed and age < LOG_DAYS) and not (job.conclusion == "success" and age < 7 and job.id % 20 == 0):
            continue
        steps = [step for step in changes.steps if step.job_id == row.id]
        logged = LoggedJob(
            job.id, job.name, run.repository.provider, run.repository.name, run.branch, run.sha, job.conclusion, steps
        )
        kept = KeptLog(LOG_BYTES)
        kept.feed(log_text(logged, now).encode())
        yield job_logs.packed(
            kept,
            job_id=row.id,
            attempt_id=row.attempt_id,
            status="kept",
            has_failed=has_failed,
            at=job.finished_at,
        )


def _came_by_webhook(run: SimulatedRun, now: datetime) -> bool:
    """Deliveries are kept for a while only: those of the last day are there, older ones are forgotten."""
    return run.repository.provider == "github-actions" and (now - run.started_at).days < 1


def _delivery(run: SimulatedRun, changes: Changes) -> Delivery:
    payload = workflow_run(run)
    return Delivery(
        provider="github-actions",
        delivery_id=f"simulated-{run.run_id}-{run.attempt}",
        event="workflow_run",
        action=payload["action"],
        received_at=run.finished_at if run.conclusion else run.started_at,
        result="processed",
        reason=None,
        payload=orjson.dumps(payload).decode(),
        changes=changes,
    )
