"""What several test packages share: a database, the writer, and the real service as its own process."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import httpx
import orjson
import pytest

from core.settings import load_settings, settings
from core.store.duckdb_file import open_owned
from core.store.writer import Writer
from ingest.providers.github.signature import signature
from ingest.simulation.fill import fill
from tests.ports import free_port
from tests.postgres_server import PostgresServer

ROOT = Path(__file__).parent.parent
SECRET = "a-secret-of-the-tests"
WRITE_KEY = "a-write-key-of-the-tests"


@pytest.fixture(autouse=True)
def _own_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No test sees the settings of the person who runs it."""
    for name in (
        "DATABASE_URL",
        "API_WRITE_KEY",
        "GITHUB_WEBHOOK_SECRET",
        "QUACK_TOKEN",
        "INGEST_URL",
        "DEMO_MODE",
        "JWT_SECRET",
        "OIDC_ISSUER",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATABASE_URL", f"duckdb:///{tmp_path}/health.duckdb")
    settings.cache_clear()
    yield
    settings.cache_clear()


@pytest.fixture
def in_tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The machine's own time zone is far from UTC."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture(scope="session")
def empty_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the newest schema and nothing in it, to be copied: migrating takes ten times as long."""
    return _kept(tmp_path_factory, "empty", lambda path: open_owned(path, memory_limit="1GB", threads=2).close())


@pytest.fixture(scope="session")
def simulated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight days of the simulated company that end now, to be copied."""
    return _kept(
        tmp_path_factory, "simulated", lambda path: fill(load_settings(database_url=f"duckdb:///{path}"), days=8)
    )


def _kept(tmp_path_factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """A database that is made once. `TESTS_FILES` names a folder in which many short runs share it."""
    path = Path(os.environ.get("TESTS_FILES") or tmp_path_factory.mktemp(name)) / f"{name}.duckdb"
    if not path.exists():
        part = path.with_name(f"{os.getpid()}.duckdb")
        make(part)
        with suppress(FileExistsError):  # another run was first, and something may come from its file already
            path.hardlink_to(part)
        part.unlink()
    return path


@pytest.fixture
def database(empty_file: Path, tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    shutil.copyfile(empty_file, tmp_path / "health.duckdb")
    connection = open_owned(tmp_path / "health.duckdb", memory_limit="1GB", threads=2)
    yield connection
    connection.close()


@pytest.fixture
def writer(database: duckdb.DuckDBPyConnection) -> Iterator[Writer]:
    writer = Writer(database)
    yield writer
    writer.close()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """`TESTS_POSTGRES_PORT` names one that runs already: thousands of short runs needn't start their own."""
    running = os.environ.get("TESTS_POSTGRES_PORT")
    if running:
        yield PostgresServer(port=int(running))
        return
    server = PostgresServer().start()
    yield server
    server.stop()


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """The address of an empty database of one test's own."""
    url = postgres_server.database()
    yield url
    postgres_server.drop(url)


@dataclass
class IngestProcess:
    """`python -m ingest serve` on free ports, with its own database and log."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    quack_port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    deliveries: int = 0
    command: str = "serve"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def database(self) -> Path:
        return self.folder / "health.duckdb"

    @property
    def log(self) -> str:
        return (self.folder / "ingest.log").read_text()

    def variables(self) -> dict[str, str]:
        return os.environ | {
            "DATABASE_URL": f"duckdb:///{self.database}",
            "INGEST_PORT": str(self.port),
            "INGEST_URL": self.url,
            "QUACK_PORT": str(self.quack_port),
            "GITHUB_WEBHOOK_SECRET": SECRET,
            "API_WRITE_KEY": WRITE_KEY,
            "RATE_LIMIT_PER_MINUTE": "1000000",
            **self.environment,
        }

    def launch(self) -> None:
        with (self.folder / "ingest.log").open("ab") as log:
            command = [sys.executable, "-m", "ingest", self.command]
            self.process = subprocess.Popen(command, cwd=ROOT, env=self.variables(), stdout=log, stderr=log)

    def start(self) -> "IngestProcess":
        self.launch()
        wait_for(lambda: httpx.get(f"{self.url}/health/ready").status_code == 200, f"ingest to be ready: {self.log}")
        return self

    def stop(self, how: signal.Signals = signal.SIGINT) -> int:
        assert self.process
        self.process.send_signal(how)
        return self.process.wait(timeout=30)

    def end(self) -> None:
        """Stop it as Ctrl-C does, if it still runs. A service that doesn't stop fails the test, and is killed."""
        if self.process and self.process.poll() is None:
            try:
                self.stop()
            finally:
                self.process.kill()

    def send(
        self, event: str, payload: dict[str, Any], delivery_id: str | None = None, **headers: str
    ) -> httpx.Response:
        """Post a signed GitHub webhook."""
        self.deliveries += 1
        body = orjson.dumps(payload)
        return httpx.post(
            f"{self.url}/api/v1/webhook/github-actions",
            content=body,
            headers={
                "Content-Type": "application/json",
                "X-GitHub-Event": event,
                "X-GitHub-Delivery": delivery_id or f"delivery-{self.deliveries}",
                "X-Hub-Signature-256": signature(body, SECRET),
                **headers,
            },
        )


@contextmanager
def dashboard(ingest: IngestProcess) -> Iterator[tuple["subprocess.Popen[bytes]", str]]:
    """The dashboard over the service's database, on a free port: its process and its address."""
    port = free_port()
    with (ingest.folder / "web.log").open("wb") as log:
        web = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "dashboard/app.py", "--server.port", str(port)],
            cwd=ROOT, env=ingest.variables(), stdout=log, stderr=log,
        )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(lambda: httpx.get(f"{address}/_stcore/health").status_code == 200, "the dashboard")
        yield web, address
    finally:
        web.terminate()
        web.wait(timeout=20)


def wait_for(condition: Any, what: str, seconds: float = 40) -> None:
    """Ask until `condition()` is true; the service may not listen yet, so its refusals count as "not yet"."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            if condition():
                return
        except httpx.TransportError:
            pass
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s for {what}")
        time.sleep(0.05)


@pytest.fixture
def ingest(tmp_path: Path) -> Iterator[IngestProcess]:
    """A running ingest service; stopped in the end whatever happens."""
    running = IngestProcess(tmp_path).start()
    yield running
    running.end()
