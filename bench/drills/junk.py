"""Junk on every port: bytes that are no request, half requests, and people who connect and say nothing."""

import random
import socket
import tempfile
from contextlib import suppress
from pathlib import Path

import httpx

from bench.drills import Report, deliveries, problem
from bench.drills.gauge import gauged
from bench.load import Load, generator, send
from bench.processes import Running, ingest_environment, launch_dashboard, launch_ingest, stop, stopped_in_the_end
from core.store.reader import RemoteReader

SEED = 20261125
ROUNDS = 300
RUNS = 100
SILENT = 50
MOST_MEMORY = 1_000_000_000


def junk(rounds: int = ROUNDS, runs: int = RUNS) -> Report:
    """Talk junk to the service, the SQL endpoint and the dashboard while webhooks arrive."""
    with tempfile.TemporaryDirectory(prefix="drill-junk-") as name, generator() as pool:
        folder = Path(name)
        database = folder / "health.duckdb"
        environment = ingest_environment(database)
        with (
            stopped_in_the_end(launch_ingest(environment, folder)) as service,
            stopped_in_the_end(launch_dashboard(environment, folder)) as dashboard,
        ):
            ports = {
                "service": service.port,
                "SQL endpoint": int(environment["QUACK_PORT"]),
                "dashboard": dashboard.port,
            }
            silent = [socket.create_connection(("127.0.0.1", port)) for port in ports.values() for _ in range(SILENT)]
            with gauged(service.process.pid, database) as gauge:
                sending = pool.submit(send, Load(service.port, runs, first_run=1, connections=8))
                dice = random.Random(SEED)
                for _ in range(rounds):
                    for port in ports.values():
                        _talk(port, _words(dice))
                outcome = sending.result()
            answers = _answers(service, dashboard, environment, database)
            for each in silent:
                each.close()
            stop(service)
        lost = deliveries.missing(outcome.acknowledged, database)
        return Report(
            {
                "junk": f"{rounds} on each of {', '.join(ports)}, {SILENT} silent connections on each",
                "acknowledged meanwhile": f"{len(outcome.acknowledged):,} of {9 * runs:,}",
                "acknowledged and missing": str(lost),
                "service's memory": f"at most {max(gauge.memory) / 1e6:,.0f} MB",
                "answers afterwards": ", ".join(f"{who} {answer}" for who, answer in answers.items()),
            },
            (
                *problem("webhooks were disturbed", if_=len(outcome.acknowledged) < 9 * runs),
                *problem(f"{lost} acknowledged deliveries are missing", if_=lost > 0),
                *problem("memory grew beyond 1 GB", if_=max(gauge.memory) > MOST_MEMORY),
                *[f"{who} answers {answer}" for who, answer in answers.items() if answer != "as before"],
            ),
        )


def _words(dice: random.Random) -> bytes:
    length = dice.randrange(1, 4000)
    noise = dice.randbytes(length)
    return dice.choice(
        [
            noise,
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + noise,  # the hello of TLS
            b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * 100_000,
            b"POST /api/v1/webhook/github-actions HTTP/1.1\r\nHost: x\r\nContent-Length: 999999\r\n\r\n" + noise,
            b"POST /quack HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % length + noise,
            b"GET /_stcore/stream HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n" + noise,
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + noise,
            b"GET /" + b"%00../" * 300 + b" HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\n",
        ]
    )


def _talk(port: int, words: bytes) -> None:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5) as caller:
        caller.sendall(words)
        caller.settimeout(0.02)
        caller.recv(4096)


def _answers(service: Running, dashboard: Running, environment: dict[str, str], database: Path) -> dict[str, str]:
    """Whether each still does what it is for."""
    reader = RemoteReader(
        port=int(environment["QUACK_PORT"]), token=None, token_path=database.with_name("quack.token"), database=database
    )
    said = {
        "service": httpx.get(f"{service.url}/health/ready", timeout=30).status_code == 200,
        "SQL endpoint": len(reader.frame("freshness")) == 1 and reader.source == "live",
        "dashboard": httpx.get(f"{dashboard.url}/_stcore/health", timeout=30).text == "ok",
    }
    return {who: "as before" if is_good else "no more" for who, is_good in said.items()}
