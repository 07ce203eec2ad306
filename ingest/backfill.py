"""`python -m ingest backfill`: read a repository's history and show how far it is.

While the service runs it does the reading, because only it may write; else this process opens the database itself.
Stopped in any way, the same command goes on where it was.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from pydantic import TypeAdapter
from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from core.errors import DashboardError
from core.settings import Settings
from core.store.duckdb_file import StoreLocked, open_owned
from core.store.reader import OwnerReader
from core.store.writer import Writer
from ingest.logs import configure_logs
from ingest.polling.engine import Polling
from ingest.polling.progress import Progress, seconds_left
from ingest.remote import ask

Look = Callable[[], Progress]

PACE = 0.5
QUIET_PACE = 30.0


def backfill(chosen: Settings, provider: str, repository: str, days: int) -> str:
    """What is stored in the end, in a sentence. Raises DashboardError where the CI system refuses or is away."""
    since = datetime.now(UTC) - timedelta(days=days)
    try:
        with _own_engine(chosen, provider, repository) as polling:
            polling.backfill(provider, repository, since)
            return _follow(lambda: polling.progress(provider, repository))
    except StoreLocked:
        ask(
            chosen,
            "POST",
            "/api/v1/backfills",
            body={"provider": provider, "repository": repository, "days": days},
        )
        query = {"provider": provider, "repository": repository}
        return _follow(
            lambda: TypeAdapter(Progress).validate_python(ask(chosen, "GET", "/api/v1/backfills", query=query))
        )


@contextmanager
def _own_engine(chosen: Settings, provider: str, repository: str) -> Iterator[Polling]:
    """Polling of one repository in this process. Raises StoreLocked while the service runs."""
    named = {"github-actions": "github_repositories", "gitlab": "gitlab_projects", "jenkins": "jenkins_jobs"}.get(
        provider
    )
    wanted = chosen.model_copy(update={named: repository} if named else {})
    configure_logs(wanted.model_copy(update={"log_level": "ERROR"}))  # its sentences are shown once, by us
    connection = open_owned(
        chosen.database_path,
        memory_limit=chosen.duckdb_memory_limit,
        threads=chosen.duckdb_threads,
        wait_seconds=0,
    )
    writer = Writer(connection)
    polling = Polling(wanted, OwnerReader(connection), writer)
    try:
        polling.start()
        yield polling
    finally:
        polling.stop()
        writer.close()
        connection.close()


def _follow(look: Look) -> str:
    """Show how far it is until it is done. Returns what is stored then. Raises DashboardError with what went wrong."""
    console = Console(stderr=True)
    begun = time.monotonic()
    with _bars(console) as bars:
        listing = bars.add_task("Runs", total=1.0, note="")
        reading = bars.add_task("Attempts and jobs", total=None, note="")
        first = last = look()
        said = begun
        while not last.done and not last.error:
            rest = seconds_left(first, last, time.monotonic() - begun, datetime.now(UTC))
            bars.update(listing, completed=last.listed, note=f"{last.runs:,} runs")
            read = max(0, last.attempts - last.attempts_left)
            bars.update(reading, total=last.attempts or None, completed=read, note=_note(last, rest))
            if not console.is_terminal and time.monotonic() - said > QUIET_PACE:
                said = time.monotonic()
                console.print(
                    f"{last.listed:.0%} of the time, {read:,} of {last.attempts:,} attempts; {_note(last, rest)}"
                )
            time.sleep(PACE)
            last = look()
        bars.update(listing, completed=last.listed, note=f"{last.runs:,} runs")
        bars.update(
            reading, total=max(1, last.attempts), completed=max(1, last.attempts) if last.done else None, note=""
        )
    if last.error:
        raise DashboardError(last.error, hint="What was read is stored; the same command goes on from there.")
    return _sum_up(first, last, time.monotonic() - begun)


def _bars(console: Console) -> Bars:
    return Bars(
        TextColumn("{task.description:<17}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}"),
        console=console,
    )


def _note(progress: Progress, rest: float | None) -> str:
    parts = [f"about {_duration(rest)} left"] if rest is not None else []
    if progress.allowed:
        parts.append(f"{progress.remaining:,} of {progress.allowed:,} requests left this hour")
    if progress.waits_until:
        parts.append(f"waiting until {progress.waits_until:%H:%M:%S} UTC")
    return ", ".join(parts)


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _sum_up(first: Progress, last: Progress, seconds: float) -> str:
    since = f" since {last.since:%Y-%m-%d}" if last.since else ""
    return (
        f"{last.repository}: {last.runs:,} runs, {last.attempts:,} attempts and {last.jobs:,} jobs are stored{since}. "
        f"{last.requests - first.requests:,} requests, {last.points - first.points:,} points of the limit, "
        f"{_duration(seconds)}."
    )
