"""The disk of the PostgreSQL server is full: what was acknowledged is there afterwards, and all goes on by itself.

Two ways. No table may grow beyond a limit, which needs no privilege: PostgreSQL refuses what needs more room. And where
mounting is allowed, a really small disk, on which its log can't grow either: then PostgreSQL ends itself, and whoever
watches over it (systemd, Kubernetes; here the drill) starts it again.
"""

import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import psycopg

from bench.drills import Report, deliveries, problem
from bench.drills.disk import NOT_DONE, asked, count, ping, reason, refusal_problems, together
from bench.drills.disks import empty, fill, small_disk
from bench.load import Load, generator, send
from bench.processes import Running, ingest_environment, launch_ingest, stop, stopped_in_the_end
from tests.conftest import wait_for
from tests.postgres_server import PostgresServer

RUNS = 90
SIZE = "128m"
# With PostgreSQL's own safety. Its log comes in files of 1 MB, so that it needs new ones soon.
SETTINGS = ("max_connections=50", "shared_buffers=16MB", "min_wal_size=2MB", "max_wal_size=16MB")
LOG_FILE = 1_000_000
# Of half a megabyte each, so that a table becomes larger than a file of the log.
PINGS = 6
# More than the server keeps ready.
LOG_FILES = 50
# While the server is away a delivery waits for it for 5 s, and those that came with it do, too.
TOGETHER = 64


class _Disk(Protocol):
    words: tuple[str, ...]

    def take(self, server: PostgresServer) -> None: ...

    def give_back(self, server: PostgresServer) -> None: ...


class _Limit:
    """No file of the server may grow beyond its largest table, but those of its log."""

    words = ("could not extend file",)

    def take(self, server: PostgresServer) -> None:
        largest = max(file.stat().st_size for file in server.folder.glob("data/base/*/*"))
        assert largest > 1.1 * LOG_FILE, f"the largest table has {largest} bytes only"
        self._set(server, str(largest + 1_000))

    def give_back(self, server: PostgresServer) -> None:
        self._set(server, "unlimited")

    def _set(self, server: PostgresServer, size: str) -> None:
        parent = server.process_id
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        for process_id in (str(parent), *children):
            server.run("prlimit", "--pid", process_id, f"--fsize={size}:unlimited")


class _Filler:
    words: tuple[str, ...] = ("No space left",)

    def take(self, server: PostgresServer) -> None:
        fill(server.folder, spare=50_000)

    def give_back(self, server: PostgresServer) -> None:
        empty(server.folder)


class _FullLog(_Filler):
    """The server needs the next file of its log first, and can't go on without."""

    words = ("Connection refused", "No space left", "recovery mode", "starting up", "shutting down")

    def take(self, server: PostgresServer) -> None:
        super().take(server)
        with suppress(psycopg.OperationalError), psycopg.connect(f"{server.url}/postgres", autocommit=True) as asking:
            for _ in range(LOG_FILES):
                asking.execute("SELECT pg_logical_emit_message(true, 'drill', 'full'), pg_switch_wal()")
            raise AssertionError("the server's log found room")


def full(runs: int = RUNS) -> Report:
    """Take the room of a server under load, then give it back."""
    found: dict[str, Report] = {}
    with generator() as pool:
        with tempfile.TemporaryDirectory(prefix="cicd-health-postgres-") as name:
            found["tables"] = _take(pool, Path(name), runs, _Limit())
        for part, disk in {"small disk": _Filler(), "small disk, its log": _FullLog()}.items():
            with small_disk(SIZE) as folder:
                found[part] = _take(pool, folder, runs, disk) if folder else Report({"is": NOT_DONE})
    return together(found)


def _take(pool: ProcessPoolExecutor, folder: Path, runs: int, disk: _Disk) -> Report:
    server = PostgresServer(settings=SETTINGS, folder=folder, log_file_megabytes=1).start()
    try:
        with tempfile.TemporaryDirectory(prefix="drill-disk-") as logs:
            environment = ingest_environment(Path(logs) / "unused") | {"DATABASE_URL": server.database()}
            with stopped_in_the_end(launch_ingest(environment, Path(logs))) as service:
                return _drilled(pool, service, server, runs, disk)
    finally:
        server.stop()


def _drilled(pool: ProcessPoolExecutor, service: Running, server: PostgresServer, runs: int, disk: _Disk) -> Report:
    url = service.environment["DATABASE_URL"]
    first = Load(service.port, runs, first_run=1, connections=8)
    second = Load(service.port, runs // 3, first_run=1 + runs, connections=TOGETHER)
    for _ in range(PINGS):
        ping(service)
    before = pool.submit(send, first).result()
    disk.take(server)
    during = pool.submit(send, second).result()
    said, ready, read = ping(service), asked(service, "/health/ready"), asked(service, "/api/v1/builds")
    disk.give_back(server)
    has_ended = server.process_id is None
    if has_ended:
        server.launch()
    begun = time.monotonic()
    wait_for(lambda: asked(service, "/health/ready").status_code == 200, "the service to go on", seconds=60)
    seconds = time.monotonic() - begun
    taken = ping(service).status_code
    after = pool.submit(send, second).result()
    stop(service)
    lost = deliveries.missing([*before.acknowledged, *during.acknowledged, *after.acknowledged], url)
    counted, wanted = deliveries.runs(url), runs + runs // 3
    return Report(
        {
            "acknowledged before, meanwhile, after": " / ".join(count(each) for each in (before, during, after)),
            "refused meanwhile": f"{during.refused:,}",
            "the refusal": f"{said.status_code} {reason(said)[-80:]}",
            "meanwhile": f"reads {read.status_code}, ready {ready.status_code}, "
            f"the server {'ended and was started again' if has_ended else 'went on'}",
            "ready after it was given back": f"{seconds:.1f} s",
            "acknowledged and missing": str(lost),
            "runs stored of sent": f"{counted:,} of {wanted:,}",
        },
        (
            *problem(f"{lost} acknowledged deliveries are missing", if_=lost > 0),
            *problem("nothing was refused: the disk was there", if_=during.refused == 0),
            *refusal_problems(said, ready, disk.words),
            *problem(f"reads were answered with {read.status_code}", if_=not has_ended and read.status_code != 200),
            *problem(f"ready, and the next delivery got {taken}", if_=taken != 200),
            *problem("not everything was taken afterwards", if_=len(after.acknowledged) < 9 * (runs // 3)),
            *problem(f"{counted} runs instead of {wanted}", if_=counted != wanted),
        ),
    )
