"""PostgreSQL against DuckDB, and many processes against one: `python -m bench.postgres replicas takeover alerts`.

Starts a server of its own with PostgreSQL's default safety (every commit is flushed) and a service's usual memory. On two
idle cores `replicas` takes one minute, `takeover` three, `alerts` one, `import` and `queries` three for a million runs,
`sizing` about ten for 100,000 and a million (with `--sizes 5000000` as much again for each million).
"""

import argparse
import os
import platform
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import httpx
import orjson
import psycopg

from bench.alerts import Sink, payload
from bench.history import history_database
from bench.sizing import HEADER, sizes
from core.store.duckdb_file import open_owned
from core.store.postgres.reader import PostgresReader
from core.store.reader import OwnerReader, Reader
from ingest.providers.github.signature import signature
from tests.builders import run_payload
from tests.conftest import SECRET, IngestProcess, wait_for
from tests.postgres_server import PostgresServer

SERVER = (
    "shared_buffers=1GB",
    "work_mem=64MB",
    "maintenance_work_mem=512MB",
    "max_wal_size=4GB",
    "max_connections=200",
)
ROUNDS = 7


def machine(server: PostgresServer) -> str:
    """What the figures were measured on."""
    with psycopg.connect(f"{server.url}/postgres") as connection:
        version = connection.info.server_version // 10_000
    return (
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {platform.platform()}, Python {platform.python_version()}, "
        f"PostgreSQL {version}, DuckDB {duckdb.__version__}"
    )


def measure_import(server: PostgresServer, runs: int) -> str:
    """Move a history into a fresh database with the command that people use; returns the database's address."""
    url = server.database()
    file = history_database(runs)
    begun = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "ingest", "import", str(file)],
        env=os.environ | {"DATABASE_URL": url, "DUCKDB_MEMORY_LIMIT": "4GB"}, check=True,
    )  # fmt: skip
    seconds = time.perf_counter() - begun
    print(f"import of {runs:,} runs ({file.stat().st_size:,} bytes): {seconds:.1f} s")
    return url


def measure_queries(url: str, runs: int) -> None:
    """The queries of the overview page, as the page asks them: median and worst of some rounds, in milliseconds."""
    file = open_owned(history_database(runs), memory_limit="4GB", threads=2)
    postgres = PostgresReader(url, size=4)
    print(f"{'query':20} {'DuckDB ms':>20} {'PostgreSQL ms':>20}   ({runs:,} runs; median, worst of {ROUNDS})")
    totals = [0.0, 0.0]
    for name, parameters in _overview().items():
        figures = [timed(reader, name, parameters) for reader in (OwnerReader(file), postgres)]
        print(f"{name:20} " + " ".join(f"{statistics.median(each):12.1f} {max(each):7.1f}" for each in figures))
        if name in overview_page():
            totals = [total + statistics.median(each) for total, each in zip(totals, figures, strict=True)]
    print(f"{'the whole page':20} " + " ".join(f"{total:12.1f}        " for total in totals))
    postgres.close()
    file.close()


def _overview() -> dict[str, dict[str, Any]]:
    now = datetime.now(UTC)
    scope = {"provider": None, "repository": None, "branch": None}
    week, day = now - timedelta(days=7), now - timedelta(days=1)
    windows = {"window_start": week, "window_end": now, "previous_start": now - timedelta(days=14), "day_ago": day}
    runs = scope | {"pipeline_id": None, "statuses": None, "since": week, "until": None}
    return {
        "freshness": {},
        "summary": scope | windows,
        "daily_outcomes": scope | {"zone": "Europe/Berlin", "chart_start": week},
        "run_page": runs | {"limit": 20, "offset": 0},
        "run_count": runs,
        "alert_counts": scope,
        "filter_options": {"since": now - timedelta(days=30), "limit": 200},
        "pipeline_health": {"pipeline_ids": None, "now": now},
        "branch_states": {"pipeline_ids": None, "since": day},
    }


def overview_page() -> dict[str, dict[str, Any]]:
    """What the page asks: without the two queries by which alerts are evaluated."""
    return {name: each for name, each in _overview().items() if name not in ("pipeline_health", "branch_states")}


def timed(reader: Reader, name: str, parameters: dict[str, Any]) -> list[float]:
    reader.frame(name, **parameters)
    found = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        reader.frame(name, **parameters)
        found.append((time.perf_counter() - begun) * 1000)
    return found


def _replicas(server: PostgresServer, number: int, url: str | None = None, **told: str) -> list[IngestProcess]:
    folder, address = Path(tempfile.mkdtemp()), url or server.database()
    started = []
    for place in range(number):
        own = folder / str(place)
        own.mkdir()
        started.append(
            IngestProcess(own, {"DATABASE_URL": address, "USER_RATE_LIMIT_PER_MINUTE": "1000000", **told}).start()
        )
    return started


def measure_replicas(server: PostgresServer, seconds: float) -> None:
    """Webhooks a second through one and through three replicas, from as many senders."""
    rates = {}
    for number in (1, 3):
        running = _replicas(server, number)
        wait_for(lambda running=running: any(map(_leads, running)), "one to lead")
        try:
            deadline = time.monotonic() + seconds
            with ThreadPoolExecutor(24) as pool:
                sent = list(pool.map(lambda who: _send_until(running[who % number], who, deadline), range(24)))  # noqa: B023
            times = sorted(moment for each in sent for moment in each)
            rate, p99 = len(times) / seconds, times[int(len(times) * 0.99)] * 1000
            rates[number] = rate
            print(
                f"{number} replicas: {rate:,.0f} webhooks/s, median {statistics.median(times) * 1000:.0f} ms, p99 {p99:.0f} ms"
            )
        finally:
            for process in running:
                process.stop(signal.SIGKILL)
    print(f"three replicas against one: {rates[3] / rates[1]:.2f}")


def _send_until(process: IngestProcess, who: int, deadline: float) -> list[float]:
    times = []
    with httpx.Client(base_url=process.url) as client:
        while time.monotonic() < deadline:
            number = len(times)
            payload = run_payload(run_id=who * 100_000 + number, workflow_id=500 + number % 20, updated=60 + number)
            body = orjson.dumps(payload)
            headers = {
                "Content-Type": "application/json", "X-GitHub-Event": "workflow_run", "X-GitHub-Delivery": f"{who}-{number}",
                "X-Hub-Signature-256": signature(body, SECRET),
            }  # fmt: skip
            begun = time.perf_counter()
            answer = client.post("/api/v1/webhook/github-actions", content=body, headers=headers)
            answer.raise_for_status()
            times.append(time.perf_counter() - begun)
    return times


def _leads(process: IngestProcess) -> bool:
    try:
        return bool(httpx.get(f"{process.url}/api/v1/health/ingest").json()["leads"])
    except httpx.TransportError:
        return False


def measure_takeover(server: PostgresServer, kills: int) -> None:
    """Kill the leader of three replicas again and again; how long until another leads."""
    running = _replicas(server, 3)
    url = running[0].environment["DATABASE_URL"]
    times = []
    try:
        for _ in range(kills):
            wait_for(lambda running=running: any(map(_leads, running)), "one to lead")
            leader = next(process for process in running if _leads(process))
            others = [process for process in running if process is not leader]
            leader.stop(signal.SIGKILL)
            begun = time.perf_counter()
            wait_for(lambda others=others: any(map(_leads, others)), "another one to lead")
            times.append(time.perf_counter() - begun)
            running = [*others, *_replicas(server, 1, url)]
    finally:
        for process in running:
            process.stop(signal.SIGKILL)
    print(f"takeover after kill -9, {kills} times: median {statistics.median(times):.2f} s, longest {max(times):.2f} s")


def measure_alerts(server: PostgresServer, webhooks: int) -> None:
    """Webhook sent to a replica that never leads → Slack called by a worker, one at a time; nothing is gathered."""
    sink = Sink()
    told = {"SLACK_WEBHOOK_URL": sink.url, "ALERT_GROUP_SECONDS": "0", "RUN_SCHEDULER": "false"}
    [replica] = _replicas(server, 1, **told)
    worker = IngestProcess(Path(tempfile.mkdtemp()), replica.environment, command="worker")
    worker.launch()
    seconds = []
    try:
        wait_for(lambda: "leading" in worker.log, "the worker to lead")
        for number in range(webhooks):
            begun = time.perf_counter()
            run = payload(number + 1, "failure", pipeline=number, repository=number)
            replica.send("workflow_run", run).raise_for_status()
            while len(sink.taken) <= number:
                time.sleep(0.002)
            seconds.append(sink.taken[number][0] - begun)
    finally:
        for process in (replica, worker):
            process.stop(signal.SIGKILL)
    late = sum(each > 2 for each in seconds)
    print(
        f"webhook to a replica → Slack from a worker, {webhooks} one at a time: median "
        f"{statistics.median(seconds) * 1000:.0f} ms, slowest {max(seconds) * 1000:.0f} ms, {late} later than 2 s"
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.postgres", description=__doc__)
    what = ["import", "queries", "replicas", "takeover", "alerts", "sizing"]
    parser.add_argument("what", nargs="+", choices=what)
    parser.add_argument("--webhooks", type=int, default=50, help="of alerts")
    parser.add_argument("--sizes", type=int, nargs="+", default=[100_000, 1_000_000], help="runs, of sizing")
    parser.add_argument("--runs", type=int, default=1_000_000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=20)
    chosen = parser.parse_args()
    server = PostgresServer(settings=SERVER).start()
    try:
        print(machine(server))
        url = measure_import(server, chosen.runs) if {"import", "queries"} & set(chosen.what) else ""
        if "queries" in chosen.what:
            measure_queries(url, chosen.runs)
        if "replicas" in chosen.what:
            measure_replicas(server, chosen.seconds)
        if "takeover" in chosen.what:
            measure_takeover(server, chosen.kills)
        if "alerts" in chosen.what:
            measure_alerts(server, chosen.webhooks)
        if "sizing" in chosen.what:
            print(HEADER)
            for runs in chosen.sizes:
                print(sizes(server, measure_import(server, runs), runs, overview_page()))
    finally:
        server.stop()


if __name__ == "__main__":
    main()
