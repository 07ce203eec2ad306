"""The real services as processes of their own, on free ports, for as long as a `with` block lasts."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

ROOT = Path(__file__).parent.parent
SECRET = "a-secret-of-the-benchmarks"
START_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Running:
    """A service that answers: its process, its address and what it was told by the environment."""

    process: subprocess.Popen[bytes]
    url: str
    environment: dict[str, str]
    log: Path

    @property
    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1])


def free_port() -> int:
    """A port of 127.0.0.1 that nothing listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ingest_environment(database: Path) -> dict[str, str]:
    """Settings of an ingest service (and of a dashboard that belongs to it) on `database` and free ports."""
    port = free_port()
    return {
        "DATABASE_URL": f"duckdb:///{database}",
        "INGEST_PORT": str(port),
        "INGEST_URL": f"http://127.0.0.1:{port}",
        "QUACK_PORT": str(free_port()),
        "GITHUB_WEBHOOK_SECRET": SECRET,
        "LOG_LEVEL": "WARNING",
        "MALLOC_ARENA_MAX": "4",
    }


def launch_uvicorn(app: str, environment: dict[str, str], folder: Path) -> Running:
    """Start one worker of an ASGI app with the options of `python -m ingest serve`, and wait until it answers."""
    port = environment["INGEST_PORT"]
    command = [sys.executable, "-m", "uvicorn", app, "--port", port, "--log-level", "warning", "--no-access-log"]
    return launch(command, environment, f"http://127.0.0.1:{port}", "/health/ready", folder)


def launch_ingest(environment: dict[str, str], folder: Path) -> Running:
    """Start `python -m ingest serve` and wait until it is ready."""
    command = [sys.executable, "-m", "ingest", "serve"]
    return launch(command, environment, environment["INGEST_URL"], "/health/ready", folder)


def launch_worker(environment: dict[str, str], folder: Path) -> Running:
    """Start `python -m ingest worker`, which listens nowhere, and wait until it says that it has started."""
    log = folder / f"worker-{free_port()}.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "ingest", "worker"],
            cwd=ROOT, env=os.environ | environment | {"LOG_LEVEL": "INFO"}, stdout=output, stderr=output,
        )  # fmt: skip
    running = Running(process, "", environment, log)
    deadline = time.monotonic() + START_SECONDS
    while "ingest started" not in log.read_text():
        if process.poll() is not None or time.monotonic() > deadline:
            stop(running, signal.SIGKILL)
            raise RuntimeError(f"the worker doesn't start:\n{log.read_text()[-2000:]}")
        time.sleep(0.02)
    return running


def launch_dashboard(environment: dict[str, str], folder: Path, script: str = "dashboard/app.py") -> Running:
    """Start the dashboard, or Streamlit on another script, on a free port and wait until it answers."""
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", script, "--server.port", str(port)]
    return launch(command, environment, f"http://127.0.0.1:{port}", "/_stcore/health", folder)


def cpu_seconds(running: Running) -> float:
    """Seconds of processor time that a running service has taken so far."""
    fields = Path(f"/proc/{running.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def launch(command: Sequence[str], environment: dict[str, str], url: str, ready_path: str, folder: Path) -> Running:
    """Start `command` from the project's root and wait until `url + ready_path` answers 200."""
    log = folder / f"{url.rsplit(':', 1)[1]}.log"
    with log.open("ab") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=os.environ | environment, stdout=output, stderr=output)
    running = Running(process, url, environment, log)
    deadline = time.monotonic() + START_SECONDS
    while not _answers(url + ready_path):
        if process.poll() is not None or time.monotonic() > deadline:
            stop(running, signal.SIGKILL)
            raise RuntimeError(f"{' '.join(command)} doesn't answer:\n{log.read_text()[-2000:]}")
        time.sleep(0.02)
    return running


def stop(running: Running, how: signal.Signals = signal.SIGINT) -> None:
    """End a service that may have ended already, and wait for it."""
    if running.process.poll() is None:
        running.process.send_signal(how)
    try:
        running.process.wait(timeout=60)
    except subprocess.TimeoutExpired:
        running.process.kill()
        running.process.wait()


@contextmanager
def stopped_in_the_end(running: Running) -> Iterator[Running]:
    """`running` for the length of a `with` block."""
    try:
        yield running
    finally:
        stop(running)


def _answers(address: str) -> bool:
    try:
        return httpx.get(address, timeout=5).status_code == 200
    except httpx.TransportError:
        return False
