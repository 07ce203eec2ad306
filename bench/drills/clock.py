"""A clock that jumps, a year ahead and a day back, while the service runs (libfaketime): nothing is removed or repeated.

https://github.com/wolfcw/libfaketime. Clocks that only count how long something takes go on, as they do on a machine
whose clock is set.
"""

import signal
import tempfile
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx

from bench.drills import Report, deliveries, messages, problem
from bench.load import Load, generator, send
from bench.processes import Running, ingest_environment, launch_ingest, stop, stopped_in_the_end
from core.store.duckdb_file import open_read_only
from tests.conftest import wait_for
from tests.sinks import Sink

RUNS = 60
# Where the clock stands in each phase, as libfaketime reads it, and how far that is.
PHASES = {
    "right": ("+0", timedelta()),
    "a year ahead": ("+365d", timedelta(days=365)),
    "right again": ("+0", timedelta()),
    "a day behind": ("-1d", -timedelta(days=1)),
    "right in the end": ("+0", timedelta()),
}
A_MINUTE = 10
LONGEST_INTERVAL = timedelta(minutes=61)
KEY = "a-key-of-the-drills"
ASK = httpx.Client(timeout=30)
UNSENT = "SELECT count(*) FROM notifications WHERE status <> 'sent'"


def jumps(runs: int = RUNS) -> Report:
    """Set the clock of a running service, send to it, and let every timed job run, in each phase."""
    sink = Sink()
    with tempfile.TemporaryDirectory(prefix="drill-clock-") as name, generator() as pool:
        folder = Path(name)
        database, clock = folder / "health.duckdb", folder / "clock"
        clock.write_text("+0")
        environment = ingest_environment(database) | {
            "LD_PRELOAD": str(library()), "FAKETIME_TIMESTAMP_FILE": str(clock), "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "LOG_LEVEL": "INFO", "SLACK_WEBHOOK_URL": sink.url, "ALERT_GROUP_SECONDS": "0", "ALERT_INTERVAL_SECONDS": "5",
            "RUN_RETENTION_DAYS": "30", "RATE_LIMIT_PER_MINUTE": str(A_MINUTE), "API_WRITE_KEY": KEY,
        }  # fmt: skip
        acknowledged: list[str] = []
        problems: tuple[str, ...] = ()
        with stopped_in_the_end(launch_ingest(environment, folder)) as service:
            for number, (phase, (words, offset)) in enumerate(PHASES.items()):
                clock.write_text(words)
                load = Load(service.port, runs, first_run=1 + number * runs, connections=8)
                taken, found = _phase(pool, service, sink, load, offset)
                acknowledged += taken
                problems += tuple(f"{phase}: {each}" for each in found)
            stop(service, signal.SIGKILL)
        return _report(acknowledged, database, sink, runs, problems)


def library() -> Path:
    """libfaketime for programs with threads. Raises FileNotFoundError; `make test` installs it (tests/services.sh)."""
    for folder in (Path("/usr/lib"), Path("/usr/local/lib")):
        for found in folder.glob("**/faketime/libfaketimeMT.so.1"):
            return found
    raise FileNotFoundError("libfaketime is not installed: sh tests/services.sh")


def _phase(
    pool: ProcessPoolExecutor, service: Running, sink: Sink, load: Load, offset: timedelta
) -> tuple[list[str], list[str]]:
    """Ids acknowledged while the clock stands `offset` away from ours, and what went wrong."""
    wait_for(lambda: abs(_clock_of(service) - datetime.now(UTC) - offset) < timedelta(minutes=1), "the clock to be set")
    told, retained = len(sink.bodies), _retained(service)
    outcome = pool.submit(send, load).result()
    answers = [ASK.get(f"{service.url}/api/v1/builds").status_code for _ in range(A_MINUTE + 10)]
    expected = {
        "messages about failed runs": lambda: len(sink.bodies) > told,
        "every timed job to be due within its interval": lambda: _latest_job(service) <= LONGEST_INTERVAL,
    }
    if offset > timedelta(days=1):
        expected["retention to be applied"] = lambda: _retained(service) > retained
    found = [] if answers[0] == 200 else ["a caller is held up by what was counted before"]
    for what, holds in expected.items():
        try:
            wait_for(holds, what, seconds=40)
        except AssertionError as error:
            found.append(str(error))
    return outcome.acknowledged, found


def _clock_of(service: Running) -> datetime:
    return parsedate_to_datetime(ASK.get(f"{service.url}/health/live").headers["date"])


def _latest_job(service: Running) -> timedelta:
    """How far off, by the service's clock, the timed job is that comes last."""
    jobs = ASK.get(f"{service.url}/api/v1/health/ingest", headers={"X-API-KEY": KEY}).json()["jobs"]
    return max(datetime.fromisoformat(job["next_run_at"]) for job in jobs) - _clock_of(service)


def _retained(service: Running) -> int:
    return service.log.read_text().count('"retention applied"')


def _report(acknowledged: list[str], database: Path, sink: Sink, runs: int, problems: tuple[str, ...]) -> Report:
    lost, stored = deliveries.missing(acknowledged, database), deliveries.runs(database)
    with open_read_only(database) as connection:
        outbox = connection.execute(messages.KNOWN).fetchall()
        [(unsent,)] = connection.execute(UNSENT).fetchall()
    told = messages.compared("slack", messages.slack_ids(sink.bodies), messages.slack_entries(sink.bodies), outbox)
    wanted = len(PHASES) * runs
    return Report(
        {
            "clock": ", ".join(PHASES),
            "acknowledged": f"{len(acknowledged):,} of {9 * wanted:,}",
            "acknowledged and missing": str(lost),
            "runs stored of sent": f"{stored:,} of {wanted:,}",
            **told.figures,
            "waiting in the end": str(unsent),
        },
        (
            *problems,
            *told.problems,
            *problem(f"{lost} acknowledged deliveries are missing", if_=lost > 0),
            *problem(f"{stored} runs instead of {wanted}", if_=stored != wanted),
            *problem(f"{unsent} messages wait", if_=unsent > 0),
        ),
    )
