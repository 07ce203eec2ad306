"""The file's size after many upserts, against a fresh copy of the same rows: dead rows must not pile up."""

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.drills import Report, problem
from core.model import FINISHED, Changes, Status
from core.store.copies import backup_stopped
from core.store.duckdb_file import open_owned
from core.store.writer import Writer
from ingest.providers.github import webhook
from tests.builders import job_payload, run_payload

UPSERTS = 1_000_000
# A row is written anew this often: the lives of runs, with polling that tells again what is known.
LIVES: tuple[Status, ...] = ("queued", "running", "running", "running", "success")
AT_A_TIME = 1_000
AT_ONCE = 5_000
MOST = 2.0
# What the log may hold meanwhile: it is written into the file at 128 MB (`CHECKPOINT_AT`), and may grow on until it is.
LOG = 256_000_000
# Where a file is as small as a few blocks of DuckDB, its overhead says nothing.
SMALL = 4_000_000


def grow(upserts: int = UPSERTS) -> Report:
    """Write rows again and again through the writer; then compare the file with a copy made anew."""
    with tempfile.TemporaryDirectory(prefix="drill-growth-") as name:
        path = Path(name) / "health.duckdb"
        largest = _write(path, upserts)
        size = path.stat().st_size
        fresh = Path(name) / "fresh.duckdb"
        backup_stopped(path, fresh)
        anew = fresh.stat().st_size
        ratio = size / anew
        return Report(
            {
                "upserts": f"{upserts:,}",
                "file": f"{size / 1e6:,.1f} MB",
                "largest meanwhile, with its log": f"{largest / 1e6:,.1f} MB",
                "fresh copy": f"{anew / 1e6:,.1f} MB",
                "file ÷ fresh copy": f"{ratio:.2f}",
            },
            (
                *problem(f"the file is {ratio:.2f} times as large as a fresh copy", if_=ratio > MOST and size > SMALL),
                *problem(f"file and log took {largest / 1e6:,.0f} MB meanwhile", if_=largest > MOST * anew + LOG),
            ),
        )


def _write(path: Path, upserts: int) -> int:
    """Returns the largest size that the file and its log had together."""
    connection = open_owned(path, memory_limit="1GB", threads=2)
    writer = Writer(connection)
    log = path.with_name(f"{path.name}.wal")
    largest = 0
    pending = []
    for change in _changes(upserts // 2):
        pending.append(writer.submit_changes(change))
        if len(pending) == AT_ONCE:
            for each in pending:
                each.result()
            pending.clear()
            largest = max(largest, sum(file.stat().st_size for file in (path, log) if file.exists()))
    for each in pending:
        each.result()
    writer.close()
    connection.execute("CHECKPOINT")
    connection.close()
    return largest


def _changes(number: int) -> Iterator[Changes]:
    """`number` changes of two rows each, a run and its job. A thousand runs live at a time, as in a large company."""
    [run] = webhook.parse("workflow_run", run_payload()).runs
    [job] = webhook.parse("workflow_job", job_payload(steps=[])).jobs
    begun = datetime.now(UTC) - timedelta(days=30)
    for place in range(number):
        wave, within = divmod(place, AT_A_TIME * len(LIVES))
        age, lane = divmod(within, AT_A_TIME)
        own, at = wave * AT_A_TIME + lane, begun + timedelta(seconds=wave * AT_A_TIME + lane)
        seen, status = at + timedelta(seconds=30 * age), LIVES[age]
        word = {
            "status": status,
            "conclusion": "success" if status in FINISHED else None,
            "created_at": at,
            "started_at": at if age else None,
            "finished_at": seen if status in FINISHED else None,
            "version": f"{age}|00000|{seen.isoformat()}|{own:016x}",
        }
        key = f"gh-10-{own}"
        yield Changes(
            runs=(replace(run, id=f"{key}-1", run_key=key, run_id=str(own), updated_at=seen, **word),),
            jobs=(replace(job, id=f"{key}-1-1", attempt_id=f"{key}-1", job_id=f"{own}1", **word),),
        )
