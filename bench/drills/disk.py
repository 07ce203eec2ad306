"""A full disk and a read-only one: a clear refusal, nothing acknowledged lost, and back to work without a person.

A limit on the size of files (`RLIMIT_FSIZE`, set from outside while the service runs) needs no privilege and fails as
a full disk does, in the middle of a write. Where mounting is allowed, a small disk is really filled, too.
"""

import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import httpx

from bench.drills import Report, deliveries, problem
from bench.load import Load, Outcome, generator, send
from bench.processes import ROOT, SECRET, Running, ingest_environment, launch, stop, stopped_in_the_end
from ingest.providers.github.signature import signature
from tests.conftest import wait_for

# The service of every day, but that it writes its log into the file after each megabyte.
SOON = "import core.store.duckdb_file as f; f.CHECKPOINT_AT = '1MB'; from ingest.__main__ import main; main(['serve'])"
SERVE = {"log": [sys.executable, "-m", "ingest", "serve"], "checkpoint": [sys.executable, "-c", SOON]}
RUNS = 60
DISK = "64m"
ENOUGH = resource.RLIM_INFINITY


def full(runs: int = RUNS) -> Report:
    """Fill the disk while the log is written, and while a checkpoint is; then give the space back."""
    figures: dict[str, str] = {}
    problems: tuple[str, ...] = ()
    with generator() as pool:
        for where in SERVE:
            with tempfile.TemporaryDirectory(prefix="drill-disk-") as name:
                found = _fill(pool, Path(name), where, runs, _Limit())
            figures |= {f"{where}: {key}": value for key, value in found.figures.items()}
            problems += tuple(f"{where}: {words}" for words in found.problems)
        with small_disk() as folder:
            if folder is None:
                figures["small disk"] = "not done: mounting is not allowed here"
            else:
                found = _fill(pool, folder, "checkpoint", runs, _Filler())
                figures |= {f"small disk: {key}": value for key, value in found.figures.items()}
                problems += tuple(f"small disk: {words}" for words in found.problems)
    return Report(figures, problems)


class _Limit:
    """No file of the service may grow beyond what it is."""

    def take(self, service: Running, database: Path, where: str) -> None:
        grown = database if where == "checkpoint" else Path(f"{database}.wal")
        resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE, (grown.stat().st_size + 200_000, ENOUGH))

    def give_back(self, service: Running, _: Path) -> None:
        resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE, (ENOUGH, ENOUGH))


class _Filler:
    """A file that takes the rest of the disk."""

    def take(self, _: Running, database: Path, _where: str) -> None:
        free = shutil.disk_usage(database.parent).free
        database.with_name("filler").write_bytes(b"\0" * max(0, free - 500_000))

    def give_back(self, _: Running, database: Path) -> None:
        database.with_name("filler").unlink()


def _fill(pool: ProcessPoolExecutor, folder: Path, where: str, runs: int, disk: _Limit | _Filler) -> Report:
    database = folder / "health.duckdb"
    environment = ingest_environment(database)
    service = launch(SERVE[where], environment, environment["INGEST_URL"], "/health/ready", folder)
    with stopped_in_the_end(service):
        loads = [Load(service.port, runs, first_run=1 + number * runs, connections=8) for number in range(2)]
        before = pool.submit(send, loads[0]).result()
        disk.take(service, database, where)
        during = pool.submit(send, loads[1]).result()
        said = _ping(service)
        disk.give_back(service, database)
        begun = time.monotonic()
        wait_for(lambda: _ping(service).status_code == 200, "the service to go on")
        seconds = time.monotonic() - begun
        after = pool.submit(send, loads[1]).result()
        stop(service, signal.SIGKILL)
    acknowledged = [*before.acknowledged, *during.acknowledged, *after.acknowledged]
    lost = deliveries.missing(acknowledged, database)
    counted = deliveries.runs(database)
    return Report(
        {
            "acknowledged before, while full, after": " / ".join(_count(each) for each in (before, during, after)),
            "refused while full": f"{during.refused:,}",
            "the refusal": f"{said.status_code} {said.json()['error']['message'][:60]}…",
            "back after the space returned": f"{seconds:.1f} s",
            "acknowledged and missing": str(lost),
            "runs stored of sent": f"{counted:,} of {2 * runs:,}",
        },
        (
            *problem(f"{lost} acknowledged deliveries are missing", if_=lost > 0),
            *problem("nothing was refused: the disk was not full", if_=during.refused == 0),
            *problem("not everything was taken after the space returned", if_=len(after.acknowledged) < 9 * runs),
            *problem(f"{counted} runs instead of {2 * runs}", if_=counted != 2 * runs),
            *problem(f"the refusal was {said.text}", if_=said.status_code != 503 or "disk" not in said.text),
        ),
    )


def _ping(service: Running) -> httpx.Response:
    """An event that is kept and changes nothing, larger than what a full disk may still have."""
    body = b'{"zen": "%s"}' % (b"Keep it logically awesome. " * 20_000)
    headers = {
        "X-GitHub-Event": "ping", "X-GitHub-Delivery": str(uuid4()), "X-Hub-Signature-256": signature(body, SECRET),
        "Content-Type": "application/json",
    }  # fmt: skip
    return httpx.post(f"{service.url}/api/v1/webhook/github-actions", content=body, headers=headers, timeout=30)


def _count(outcome: Outcome) -> str:
    return f"{len(outcome.acknowledged):,}"


def read_only() -> Report:
    """Start on a disk that is mounted read-only: one sentence, the file untouched; and it starts once it may write."""
    with small_disk() as folder:
        if folder is None:
            return Report({"read-only disk": "not done: mounting is not allowed here"})
        database = folder / "health.duckdb"
        environment = ingest_environment(database)
        service = launch(SERVE["log"], environment, environment["INGEST_URL"], "/health/ready", folder)
        with stopped_in_the_end(service):
            said = _ping(service)
        before = database.read_bytes()
        _mount("-o", "remount,ro", str(folder))
        refused = subprocess.run(
            SERVE["log"], cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, timeout=60
        )
        untouched = database.read_bytes() == before
        _mount("-o", "remount,rw", str(folder))
        service = launch(SERVE["log"], environment, environment["INGEST_URL"], "/health/ready", folder)
        stop(service)
        sentence = next((line for line in refused.stderr.splitlines() if "permission" in line), "none")
        lost = int(said.status_code == 200) - len(deliveries.kept(database))
        return Report(
            {"the start on it": sentence, "the file": "untouched" if untouched else "CHANGED", "missing": str(lost)},
            (
                *problem("it started on a read-only disk", if_=refused.returncode == 0),
                *problem(f"no sentence: {refused.stderr}", if_=sentence == "none" or "Traceback" in refused.stderr),
                *problem("the file was changed, or lost a delivery", if_=not untouched or lost > 0),
            ),
        )


@contextmanager
def small_disk() -> Iterator[Path | None]:
    """A disk of 64 MB in memory for the length of a `with` block; None where mounting is not allowed."""
    with tempfile.TemporaryDirectory(prefix="drill-disk-") as name:
        if _mount("-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", name):
            yield None
            return
        try:
            yield Path(name)
        finally:
            subprocess.run(["umount", name], check=True)


def _mount(*arguments: str) -> int:
    try:
        return subprocess.run(["mount", *arguments], capture_output=True).returncode
    except FileNotFoundError:
        return 1
