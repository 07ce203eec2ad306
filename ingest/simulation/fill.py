"""Fills a database with the simulated history, through the writer that real deliveries go through."""

from datetime import UTC, datetime

import orjson
from rich.progress import track

from core.errors import DashboardError
from core.model import Delivery
from core.settings import Settings
from core.store import alerts
from core.store.duckdb_file import open_owned
from core.store.writer import Writer
from ingest.simulation.history import SimulatedRun, simulate
from ingest.simulation.payloads import changes_of, workflow_run

AT_ONCE = 250


def fill(settings: Settings, *, days: int, now: datetime | None = None) -> int:
    """Write `days` days of history that end now; returns the number of attempts. Refuses a database that holds runs."""
    now = (now or datetime.now(UTC)).replace(microsecond=0)
    connection = open_owned(
        settings.database_path, memory_limit=settings.duckdb_memory_limit, threads=settings.duckdb_threads
    )
    try:
        row = connection.execute("SELECT count(*) FROM workflow_runs").fetchone()
        if row and row[0]:
            raise DashboardError(
                f"{settings.database_path} holds {row[0]:,} runs already.", hint="Name a new file in DATABASE_URL."
            )
        connection.execute("INSERT INTO settings VALUES ('simulated', 'true', now(), 'simulation')")
        history = list(simulate(now, days))
        finished = alerts.Finished()
        writer = Writer(connection, on_runs=finished.add)
        try:
            starts = range(0, len(history), AT_ONCE)
            for start in track(starts, "Simulating a company", transient=True):
                _write(writer, history[start : start + AT_ONCE], now)
                _evaluate(writer, finished, now)
        finally:
            writer.close()
        connection.execute("CHECKPOINT")
        return len(history)
    finally:
        connection.close()


def _write(writer: Writer, runs: list[SimulatedRun], now: datetime) -> None:
    futures = [
        writer.submit_delivery(_delivery(run)) if _came_by_webhook(run, now) else writer.submit_changes(changes_of(run))
        for run in runs
    ]
    for future in futures:
        future.result()


def _evaluate(writer: Writer, finished: alerts.Finished, now: datetime) -> None:
    """As often as the service would, so that alerts come and go as they did through the history."""
    if taken := finished.take():
        writer.transact(lambda cursor: alerts.evaluate(cursor, taken, min(taken.values()), now)).result()


def _came_by_webhook(run: SimulatedRun, now: datetime) -> bool:
    """Deliveries are kept for a while only: those of the last day are there, older ones are forgotten."""
    return run.repository.provider == "github-actions" and (now - run.started_at).days < 1


def _delivery(run: SimulatedRun) -> Delivery:
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
        changes=changes_of(run),
    )
