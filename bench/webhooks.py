"""Webhooks acknowledged per second, at 64 connections: ours, the same endpoint on SQLite, and one that stores nothing.

Each server is one uvicorn worker with the same options; they take turns, so that a slow minute of the machine hits all.
"""

import argparse
import statistics
import tempfile
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path

import duckdb

from bench.load import Load, Outcome, generator, send
from bench.processes import Running, ingest_environment, launch_uvicorn, stopped_in_the_end

SERVERS = {"DuckDB (ours)": "ingest.app:app", "SQLite": "bench.sqlite_app:app", "nothing": "bench.null_app:app"}
CALLS_OF_A_RUN = 9


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
    parser = argparse.ArgumentParser(prog="python -m bench.webhooks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--runs", type=int, default=400, help="runs a round, of nine deliveries each")
    parser.add_argument("--connections", type=int, default=64)
    chosen = parser.parse_args()
    figures = measure(chosen.rounds, chosen.runs, chosen.connections)
    print(f"Webhooks: {chosen.rounds} rounds of {chosen.runs * CALLS_OF_A_RUN} at {chosen.connections} connections")
    for server, found in figures.items():
        print(f"  {server:14} {found.rate:7.0f}/s   p50 {found.p50:6.1f} ms   p95 {found.p95:6.1f} ms")
    ours = figures["DuckDB (ours)"].rate
    print(f"  ours / SQLite  {ours / figures['SQLite'].rate:7.2f}     aim: at least 1.0")
    print(f"  ours / nothing {ours / figures['nothing'].rate:7.2f}     aim: at least 0.5")


if __name__ == "__main__":
    main()
