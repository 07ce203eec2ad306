"""A day of webhooks in minutes: a simulated company sixty times its size. What is stored equals what was sent."""

import tempfile
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from bench.drills import Report, problem
from bench.drills.gauge import gauged
from bench.load import generator, send_calls
from bench.payloads import Call
from bench.processes import ingest_environment, launch_ingest, stop, stopped_in_the_end
from core.store.duckdb_file import open_read_only
from ingest.simulation.history import SimulatedJob, SimulatedRun, simulate
from ingest.simulation.payloads import workflow_job, workflow_run

DAYS = 60
CONNECTIONS = 16
# What the service may take at the end more than in the middle of the day, and its file of what it was sent.
MEMORY_GROWTH = 1.5
DISK_SHARE = 1.5
STORED = """SELECT
    (SELECT count(*) FROM deliveries) AS deliveries, count(*) AS runs,
    (SELECT count(*) FROM jobs) AS jobs, (SELECT count(*) FROM steps) AS steps,
    count(*) FILTER (WHERE status = 'success') AS success, count(*) FILTER (WHERE status = 'failed') AS failed,
    sum(duration_seconds) AS seconds
FROM workflow_runs"""
FAILED = ("failure", "timed_out", "startup_failure")


@dataclass(frozen=True, slots=True)
class Day:
    """The calls of a day in the order of their moments, and what must be counted afterwards."""

    calls: list[Call]
    counts: dict[str, int]


def day(days: int = DAYS) -> Report:
    """Send `days` days of one company as one day, and count."""
    with tempfile.TemporaryDirectory(prefix="drill-day-") as name, generator() as pool:
        folder = Path(name)
        database = folder / "health.duckdb"
        wanted = traffic(datetime.now(UTC).replace(microsecond=0), days)
        sent_bytes = sum(len(call.body) for call in wanted.calls)
        with stopped_in_the_end(launch_ingest(ingest_environment(database), folder)) as service:
            with gauged(service.process.pid, database) as gauge:
                outcome = pool.submit(send_calls, service.port, wanted.calls, CONNECTIONS).result()
            stop(service)
        with open_read_only(database) as connection:
            cursor = connection.execute(STORED)
            names = [column[0] for column in cursor.description or []]
            stored = dict(zip(names, map(int, cursor.fetchall()[0]), strict=True))
        middle, end = gauge.memory[len(gauge.memory) // 2], gauge.memory[-1]
        different = {what: (stored[what], count) for what, count in wanted.counts.items() if stored[what] != count}
        return Report(
            {
                "sent": f"{len(wanted.calls):,} deliveries, {sent_bytes / 1e6:,.0f} MB, in {outcome.seconds:.0f} s",
                "acknowledged": f"{len(outcome.acknowledged):,}",
                "stored": ", ".join(f"{count:,} {what}" for what, count in stored.items()),
                "counts that differ": str(different or "none"),
                "memory over the day": gauge.course(gauge.memory),
                "file with its log over the day": gauge.course(gauge.disk),
            },
            (
                *problem(f"stored, sent: {different}", if_=bool(different)),
                *problem("not everything was acknowledged", if_=len(outcome.acknowledged) < len(wanted.calls)),
                *problem("memory grew on", if_=end > MEMORY_GROWTH * middle and end > 500e6),
                *problem("the file outgrew what was sent", if_=max(gauge.disk) > DISK_SHARE * sent_bytes + 10e6),
            ),
        )


def traffic(now: datetime, days: int) -> Day:
    """Every run of `days` days, moved by whole days into the last one."""
    runs = [
        _moved(run, now)
        for run in simulate(now, days)
        if run.conclusion and run.repository.provider == "github-actions"
    ]
    events = sorted((event for run in runs for event in _events(run)), key=lambda event: event[0])
    outcomes = Counter("failed" if run.conclusion in FAILED else run.conclusion for run in runs)
    calls = [Call(kind, f"day-{place}", orjson.dumps(body)) for place, (_, kind, body) in enumerate(events)]
    return Day(
        calls,
        {
            "deliveries": len(calls),
            "runs": len({(run.run_id, run.attempt) for run in runs}),
            "jobs": len({job.id for run in runs for job in run.jobs}),
            "success": outcomes["success"],
            "failed": outcomes["failed"],
        },
    )


def _events(run: SimulatedRun) -> list[tuple[datetime, str, dict[str, Any]]]:
    begun = (run.started_at, "workflow_run", workflow_run(replace(run, conclusion=None)))
    jobs = [(job.finished_at, "workflow_job", workflow_job(run, job)) for job in run.jobs]
    return [begun, *jobs, (run.finished_at, "workflow_run", workflow_run(run))]


def _moved(run: SimulatedRun, now: datetime) -> SimulatedRun:
    by = timedelta(days=(now - run.finished_at) // timedelta(days=1))
    jobs = tuple(_moved_job(job, by) for job in run.jobs)
    return replace(
        run,
        created_at=run.created_at + by, started_at=run.started_at + by, finished_at=run.finished_at + by, jobs=jobs,
    )  # fmt: skip


def _moved_job(job: SimulatedJob, by: timedelta) -> SimulatedJob:
    return replace(
        job, created_at=job.created_at + by, started_at=job.started_at + by, finished_at=job.finished_at + by
    )
