"""A full disk and a read-only one: a clear refusal, nothing acknowledged lost, and back to work without a person."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from uuid import uuid4

import httpx

from bench.drills import Report, deliveries, problem
from bench.drills.disks import BreakableDisk, Disk, Filler, Limit, ReadOnly, mount, small_disk
from bench.load import Load, Outcome, generator, send
from bench.processes import ROOT, SECRET, Running, ingest_environment, launch, stop, stopped_in_the_end
from ingest.providers.github.signature import signature
from tests.conftest import wait_for

# The service of every day, but that it writes its log into the file after each megabyte.
SOON = "import core.store.duckdb_file as f; f.CHECKPOINT_AT = '1MB'; from ingest.__main__ import main; main(['serve'])"
SERVE = {"log": [sys.executable, "-m", "ingest", "serve"], "checkpoint": [sys.executable, "-c", SOON]}
RUNS = 60
NOT_DONE = "not done: mounting is not allowed here"


def full(runs: int = RUNS) -> Report:
    """Fill the disk while the log is written, and while a checkpoint is; then give the space back."""
    found: dict[str, Report] = {}
    with generator() as pool:
        for where in SERVE:
            found[where] = _without(pool, where, runs, Limit())
        with small_disk() as folder:
            found["small disk"] = (
                _take(pool, folder, "checkpoint", runs, Filler()) if folder else Report({"is": NOT_DONE})
            )
    return together(found)


def read_only(runs: int = RUNS) -> Report:
    """Let the disk turn read-only under load, and back; let a real one do so; start on one that is."""
    found: dict[str, Report] = {}
    with generator() as pool:
        for where in SERVE:
            found[where] = _without(pool, where, runs, ReadOnly())
        found["broken disk"] = _broken(pool, runs)
    return together(found | {"start": _start_on_it()})


def together(found: dict[str, Report]) -> Report:
    """One report of several, each line with the name of its part."""
    return Report(
        {f"{part}: {key}": value for part, report in found.items() for key, value in report.figures.items()},
        tuple(f"{part}: {words}" for part, report in found.items() for words in report.problems),
    )


def _without(pool: ProcessPoolExecutor, where: str, runs: int, disk: Disk) -> Report:
    with tempfile.TemporaryDirectory(prefix="drill-disk-") as name:
        return _take(pool, Path(name), where, runs, disk)


def _take(pool: ProcessPoolExecutor, folder: Path, where: str, runs: int, disk: Disk) -> Report:
    database = folder / "health.duckdb"
    service = _serve(database, where)
    with stopped_in_the_end(service):
        loads = [Load(service.port, runs, first_run=1 + number * runs, connections=8) for number in range(2)]
        before = pool.submit(send, loads[0]).result()
        disk.take(service, database, where)
        during = pool.submit(send, loads[1]).result()
        said, ready, read = ping(service), asked(service, "/health/ready"), asked(service, "/api/v1/builds")
        disk.give_back(service, database)
        begun = time.monotonic()
        wait_for(lambda: asked(service, "/health/ready").status_code == 200, "the service to go on", seconds=30)
        seconds = time.monotonic() - begun
        taken = ping(service).status_code
        after = pool.submit(send, loads[1]).result()
        stop(service, signal.SIGKILL)
    acknowledged = [*before.acknowledged, *during.acknowledged, *after.acknowledged]
    lost = deliveries.missing(acknowledged, database)
    counted = deliveries.runs(database)
    return Report(
        {
            "acknowledged before, meanwhile, after": " / ".join(count(each) for each in (before, during, after)),
            "refused meanwhile": f"{during.refused:,}",
            "the refusal": f"{said.status_code} {reason(said)[:60]}…",
            "meanwhile": f"reads {read.status_code}, ready {ready.status_code}",
            "ready after it was given back": f"{seconds:.1f} s",
            "acknowledged and missing": str(lost),
            "runs stored of sent": f"{counted:,} of {2 * runs:,}",
        },
        (
            *problem(f"{lost} acknowledged deliveries are missing", if_=lost > 0),
            *problem("nothing was refused: the disk was there", if_=during.refused == 0),
            # Where DuckDB has given the database up, it names no reason any more; the log does.
            *refusal_problems(said, ready, (disk.words,) if where == "log" else (disk.words, "FATAL")),
            *problem(f"reads were answered with {read.status_code}", if_=where == "log" and read.status_code != 200),
            *problem(f"ready, and the next delivery got {taken}", if_=taken != 200),
            *problem("not everything was taken afterwards", if_=len(after.acknowledged) < 9 * runs),
            *problem(f"{counted} runs instead of {2 * runs}", if_=counted != 2 * runs),
        ),
    )


def reason(said: httpx.Response) -> str:
    """Why it was refused; the whole answer where it was not."""
    return str(said.json()["error"]["message"]) if said.status_code == 503 else said.text


def refusal_problems(said: httpx.Response, ready: httpx.Response, words: tuple[str, ...]) -> tuple[str, ...]:
    """What is wrong with how a delivery and a health check were answered; the first must say one of `words`."""
    is_told = said.status_code == 503 and any(part in said.text for part in words)
    return (
        *problem(f"the refusal was {said.status_code} {said.text}", if_=not is_told),
        *problem(f"readiness was {ready.status_code} {ready.text}", if_=ready.status_code != 503),
    )


def _serve(database: Path, where: str = "log") -> Running:
    environment = ingest_environment(database)
    return launch(SERVE[where], environment, environment["INGEST_URL"], "/health/ready", database.parent)


def ping(service: Running) -> httpx.Response:
    """An event that is kept and changes nothing, larger than what a full disk may still have."""
    body = b'{"zen": "%s"}' % os.urandom(250_000).hex().encode()
    headers = {
        "X-GitHub-Event": "ping", "X-GitHub-Delivery": str(uuid4()), "X-Hub-Signature-256": signature(body, SECRET),
        "Content-Type": "application/json",
    }  # fmt: skip
    return httpx.post(f"{service.url}/api/v1/webhook/github-actions", content=body, headers=headers, timeout=30)


def asked(service: Running, path: str) -> httpx.Response:
    """The answer to a GET; a process that is just being replaced by a fresh one answers 503."""
    try:
        return httpx.get(f"{service.url}{path}", timeout=30)
    except httpx.TransportError as error:
        return httpx.Response(503, text=str(error))


def count(outcome: Outcome) -> str:
    return f"{len(outcome.acknowledged):,}"


def _broken(pool: ProcessPoolExecutor, runs: int) -> Report:
    """The kernel turns a disk read-only in the middle of a load; it is mended, and the service started again."""
    with tempfile.TemporaryDirectory(prefix="drill-disk-") as name:
        disk = BreakableDisk(Path(name))
        if not disk.make():
            return Report({"is": NOT_DONE})
        database = disk.place / "health.duckdb"
        try:
            service = _serve(database)
            with stopped_in_the_end(service):
                sending = pool.submit(send, _all(service, runs))
                wait_for(lambda: _stored(service) > runs // 4, "a part of the load")
                disk.break_()
                during = sending.result()
                said, ready, read = ping(service), asked(service, "/health/ready"), asked(service, "/api/v1/builds")
            disk.mend()
            service = _serve(database)
            with stopped_in_the_end(service):
                after = pool.submit(send, _all(service, runs)).result()
                stop(service, signal.SIGKILL)
            lost = deliveries.missing([*during.acknowledged, *after.acknowledged], database)
            counted = deliveries.runs(database)
        finally:
            disk.unmount()
    return Report(
        {
            "acknowledged until then, after": f"{count(during)} / {count(after)}",
            "refused meanwhile": f"{during.refused:,}",
            "meanwhile": f"reads {read.status_code}, ready {ready.status_code}",
            "acknowledged and missing": str(lost),
            "runs stored of sent": f"{counted:,} of {runs:,}",
        },
        (
            *problem(f"{lost} acknowledged deliveries are missing", if_=lost > 0),
            *problem("nothing was refused: the disk was there", if_=during.refused == 0),
            *problem("nothing was acknowledged before", if_=not during.acknowledged),
            *refusal_problems(said, ready, (ReadOnly.words,)),
            *problem(f"reads were answered with {read.status_code}", if_=read.status_code != 200),
            *problem("not everything was taken afterwards", if_=len(after.acknowledged) < 9 * runs),
            *problem(f"{counted} runs instead of {runs}", if_=counted != runs),
        ),
    )


def _all(service: Running, runs: int) -> Load:
    return Load(service.port, runs, first_run=1, connections=8)


def _stored(service: Running) -> int:
    return int(asked(service, "/api/v1/builds").json()["pagination"]["total"])


def _start_on_it() -> Report:
    """Start on a disk that is mounted read-only: one sentence, the file untouched; and it starts once it may write."""
    with small_disk() as folder:
        if folder is None:
            return Report({"is": NOT_DONE})
        database = folder / "health.duckdb"
        service = _serve(database)
        with stopped_in_the_end(service):
            said = ping(service)
        before = database.read_bytes()
        mount("-o", "remount,ro", str(folder))
        refused = subprocess.run(
            SERVE["log"], cwd=ROOT, env=os.environ | service.environment, capture_output=True, text=True, timeout=60
        )
        untouched = database.read_bytes() == before
        mount("-o", "remount,rw", str(folder))
        stop(_serve(database))
        sentence = next((line for line in refused.stderr.splitlines() if "permission" in line), "none")
        lost = int(said.status_code == 200) - len(deliveries.kept(database))
        return Report(
            {"sentence": sentence, "the file": "untouched" if untouched else "CHANGED", "missing": str(lost)},
            (
                *problem("it started on a read-only disk", if_=refused.returncode == 0),
                *problem(f"no sentence: {refused.stderr}", if_=sentence == "none" or "Traceback" in refused.stderr),
                *problem("the file was changed, or lost a delivery", if_=not untouched or lost > 0),
            ),
        )
