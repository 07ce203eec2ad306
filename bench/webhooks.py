"""Webhooks acknowledged per second, at 64 connections: ours, the same endpoint on SQLite, and one that stores nothing.

Each server is one uvicorn worker with the same options; they take turns, so that a slow minute of the machine hits all.
"""

import statistics
import tempfile
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path

import duckdb

from bench.load import Load, Outcome, generator, send
from bench.processes import Running, ingest_environment, launch_uvicorn, stopped_in_the_end
from bench.report import Report, Table, parser

SERVERS = {"DuckDB (ours)": "ingest.app:app", "SQLite": "bench.sqlite_app:app", "nothing": "bench.null_app:app"}


@dataclass(frozen=True, slots=True)
class Figures:
    """Medians over the rounds of one server: acknowledged per second, latencies in milliseconds."""

    rate: float
    p50: float
    p95: float


def measure(rounds: int = 5, runs: int = 400, connections: int = 64) -> dict[str, Figures]:
    """Figures of each server. Raises RuntimeError when an acknowledged delivery is missing from our database."""
    with tempfile.TemporaryDirectory(prefix="bench-webhooks-") as name, generator() as pool:
        folder = Path(name)
        with ExitStack() as servers:
            running = {server: servers.enter_context(_server(server, folder)) for server in SERVERS}
            outcomes = _take_turns(pool, running, rounds, runs, connections)
        _check_kept(folder, outcomes["DuckDB (ours)"])
    return {server: _figures(found[1:]) for server, found in outcomes.items()}


def _server(server: str, folder: Path) -> AbstractContextManager[Running]:
    own = folder / SERVERS[server].split(":")[0]
    own.mkdir()
    return stopped_in_the_end(launch_uvicorn(SERVERS[server], ingest_environment(own / "health.duckdb"), own))


def _take_turns(
    pool: ProcessPoolExecutor, running: dict[str, Running], rounds: int, runs: int, connections: int
) -> dict[str, list[Outcome]]:
    """The warm-up (round 0) and `rounds` measured rounds of each server."""
    outcomes: dict[str, list[Outcome]] = {server: [] for server in running}
    for number in range(rounds + 1):
        for server, service in running.items():
            load = Load(service.port, runs, first_run=1 + number * runs, connections=connections)
            outcomes[server].append(pool.submit(send, load).result())
    return outcomes


def _figures(outcomes: list[Outcome]) -> Figures:
    return Figures(
        rate=statistics.median(outcome.rate for outcome in outcomes),
        p50=statistics.median(outcome.percentile(50) for outcome in outcomes) * 1000,
        p95=statistics.median(outcome.percentile(95) for outcome in outcomes) * 1000,
    )


def _check_kept(folder: Path, outcomes: list[Outcome]) -> None:
    acknowledged = {delivery_id for outcome in outcomes for delivery_id in outcome.acknowledged}
    refused = sum(outcome.refused for outcome in outcomes)
    with duckdb.connect(str(folder / "ingest.app" / "health.duckdb"), read_only=True) as connection:
        kept = {row[0] for row in connection.execute("SELECT delivery_id FROM deliveries").fetchall()}
    if refused or kept != acknowledged:
        raise RuntimeError(f"{len(acknowledged)} acknowledged, {refused} refused, but {len(kept)} rows kept")


def main() -> None:
    arguments = parser("webhooks", __doc__)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--runs", type=int, default=400, help="runs a round, of nine deliveries each")
    arguments.add_argument("--connections", type=int, default=64)
    chosen = arguments.parse_args()
    report = Report("webhooks", chosen)
    figures = measure(1, 20, 8) if chosen.quick else measure(chosen.rounds, chosen.runs, chosen.connections)
    ours = figures["DuckDB (ours)"].rate
    rows = [(name, found.rate, found.p50, found.p95, ours / found.rate) for name, found in figures.items()]
    report.keep({"servers": Table(("server", "webhooks/s", "p50, ms", "p95, ms", "ours is times as fast"), rows)})


if __name__ == "__main__":
    main()
