"""Kill -9 of each process at random moments under load: whatever was acknowledged must be there afterwards, once.

The sender then does what a CI system does: it sends everything again. On a DuckDB file the service and the dashboard
are killed, on PostgreSQL two replicas and the worker; messages go to a receiver that notes the id of each.
"""

import random
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from bench.drills import Report, deliveries, messages, problem
from bench.drills.visitor import visiting
from bench.load import Load, generator, send
from bench.processes import Running, ingest_environment, launch_dashboard, launch_ingest, launch_worker, stop
from tests.conftest import wait_for
from tests.postgres_server import PostgresServer
from tests.sinks import Sink

RUNS_A_ROUND = 60
CALLS_OF_A_RUN = 9
SEED = 20261125
# With PostgreSQL's own safety: what it acknowledged is on the disk.
SERVER = ("max_connections=200",)
UNSENT = "SELECT count(*) FROM notifications WHERE status <> 'sent'"


@dataclass
class Part:
    """One process of the installation: how it is started, and as what it runs."""

    kind: str
    start: Callable[[], Running]
    running: Running = field(init=False)

    def begin(self) -> None:
        self.running = self.start()

    def kill(self) -> None:
        stop(self.running, signal.SIGKILL)


@dataclass
class Tally:
    """What the rounds brought: kills by kind of process, ids acknowledged, and those missing right after a kill."""

    kills: Counter[str] = field(default_factory=Counter)
    acknowledged: set[str] = field(default_factory=set)
    missing: int = 0


def on_a_file(rounds: int) -> Report:
    """The service, and every fourth time the dashboard, while somebody looks at it."""
    with tempfile.TemporaryDirectory(prefix="drill-kill-") as name, generator() as pool:
        folder = Path(name)
        environment = ingest_environment(folder / "health.duckdb")
        service = Part("service", lambda: launch_ingest(environment, folder))
        dashboard = Part("dashboard", lambda: launch_dashboard(environment, folder))
        with _running(service, dashboard):
            tally = Tally()
            for number in range(rounds):
                victim = dashboard if number % 4 == 3 else service
                _round(pool, tally, number, victim, service)
                if victim is service:
                    tally.missing += deliveries.missing(tally.acknowledged, folder / "health.duckdb")
                victim.begin()
            _send_all_again(pool, tally, service, rounds)
            stop(service.running)
            return _report(tally, folder / "health.duckdb", rounds)


def on_postgres(rounds: int) -> Report:
    """Two replicas and the worker, in random order; whichever leads sends the messages."""
    server = PostgresServer(settings=SERVER).start()
    try:
        with tempfile.TemporaryDirectory(prefix="drill-kill-") as name, generator() as pool:
            sink = Sink()
            folder, url = Path(name), server.database()
            shared = {"DATABASE_URL": url, "SLACK_WEBHOOK_URL": sink.url, "ALERT_GROUP_SECONDS": "0"}

            def replica() -> Running:
                return launch_ingest(ingest_environment(folder / "unused") | shared, folder)

            replicas = [Part("replica", replica), Part("replica", replica)]
            worker = Part("worker", lambda: launch_worker(ingest_environment(folder / "unused") | shared, folder))
            dice, tally = random.Random(SEED), Tally()
            with _running(*replicas, worker):
                for number in range(rounds):
                    victim = dice.choice([*replicas, worker])
                    _round(pool, tally, number, victim, replicas[number % 2])
                    tally.missing += deliveries.missing(tally.acknowledged, url)
                    victim.begin()
                _send_all_again(pool, tally, replicas[0], rounds)
                wait_for(lambda: _number(url, UNSENT) == 0, "all messages to be sent", seconds=120)
            report, told = _report(tally, url, rounds), _messages(url, sink)
            sink.server.shutdown()
            return Report(report.figures | told.figures, report.problems + told.problems)
    finally:
        server.stop()


def _round(pool: ProcessPoolExecutor, tally: Tally, number: int, victim: Part, target: Part) -> None:
    """Send to `target`, and kill `victim` at some moment of it. Who isn't killed answers everything."""
    moment = random.Random(SEED + number).uniform(0.1, 1.0)
    load = Load(target.running.port, RUNS_A_ROUND, first_run=1 + number * RUNS_A_ROUND, connections=16)
    with ExitStack() as visitors:
        if victim.kind == "dashboard":
            visitors.enter_context(visiting(victim.running.url, 3))
        sending = pool.submit(send, load)
        time.sleep(moment)
        victim.kill()
        outcome = sending.result()
    tally.kills[victim.kind] += 1
    tally.acknowledged |= set(outcome.acknowledged)
    if victim is not target and len(outcome.acknowledged) < RUNS_A_ROUND * CALLS_OF_A_RUN:
        tally.missing += 1
        print(f"  round {number + 1}: the kill of the {victim.kind} disturbed the answers of the service", flush=True)
    if (number + 1) % 10 == 0:
        print(f"  {number + 1} rounds, {len(tally.acknowledged):,} acknowledged, {tally.missing} missing", flush=True)


def _send_all_again(pool: ProcessPoolExecutor, tally: Tally, service: Part, rounds: int) -> None:
    for number in range(rounds):
        again = Load(service.running.port, RUNS_A_ROUND, first_run=1 + number * RUNS_A_ROUND, connections=16)
        tally.acknowledged |= set(pool.submit(send, again).result().acknowledged)


def _report(tally: Tally, place: Path | str, rounds: int) -> Report:
    wanted = rounds * RUNS_A_ROUND
    missing = tally.missing + deliveries.missing(tally.acknowledged, place)
    runs = deliveries.runs(place)
    return Report(
        {
            "kills": ", ".join(f"{count} × {kind}" for kind, count in sorted(tally.kills.items())),
            "acknowledged": f"{len(tally.acknowledged):,}",
            "acknowledged and missing": str(missing),
            "runs stored of sent": f"{runs:,} of {wanted:,}",
        },
        (
            *problem(f"{missing} acknowledged deliveries are missing", if_=missing > 0),
            *problem(f"{runs} runs instead of {wanted}", if_=runs != wanted),
            *problem("not everything was taken in the end", if_=len(tally.acknowledged) < wanted * CALLS_OF_A_RUN),
        ),
    )


def _messages(url: str, sink: Sink) -> Report:
    """What the receiver got: a message that came again must carry the id of the first time."""
    with psycopg.connect(url) as connection:
        outbox = connection.execute(messages.KNOWN).fetchall()
    return messages.compared("slack", messages.slack_ids(sink.bodies), messages.slack_entries(sink.bodies), outbox)


def _number(url: str, statement: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute(statement).fetchone()  # type: ignore[call-overload]
    return int(row[0])


@contextmanager
def _running(*parts: Part) -> Iterator[None]:
    with ExitStack() as ending:
        for part in parts:
            part.begin()
            ending.callback(part.kill)
        yield
