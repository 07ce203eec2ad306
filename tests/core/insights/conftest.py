import gzip
import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

from core.model import Changes, Job, Pipeline, WorkflowRun, version_of
from core.queries import bound
from core.settings import load_settings
from core.store.duckdb_file import open_owned, open_read_only
from core.store.session import FileSession
from core.store.writer import Writer
from ingest.simulation.fill import fill

RECORDED = os.environ.get("RECORDED_PAYLOADS")
BULK = "bulk/bitcoin_gha_jobs.jsonl.gz"
WORDS = {"FAILED": "failed", "COMPLETED": "success", "ABORTED": "cancelled", "SKIPPED": "skipped"}

Frame = Callable[..., pd.DataFrame]


def _simulated(folder: Path) -> Path:
    path = folder / "simulated.duckdb"
    fill(load_settings(database_url=f"duckdb:///{path}"), days=45)
    return path


def _moment(seconds: float | None) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


def _recorded(folder: Path, recorded: Path) -> Path:
    """A real project's jobs, gathered into runs by their build."""
    path = folder / "recorded.duckdb"
    connection = open_owned(path, memory_limit="1GB", threads=2)
    writer = Writer(FileSession(connection))
    builds: dict[int, list[dict[str, Any]]] = {}
    with gzip.open(recorded / BULK, "rt") as lines:
        for line in lines:
            job = json.loads(line)
            builds.setdefault(job["build"]["id"], []).append(job)
    pipeline = Pipeline("p", "github-actions", "1", "bitcoin/bitcoin", None, "1", "CI", None, "master", "v")
    for number, (build_id, jobs) in enumerate(builds.items()):
        writer.submit_changes(Changes((pipeline,), (_run(number, build_id, jobs),), tuple(map(_job, jobs))))
    writer.close()
    connection.close()
    return path


def _run(number: int, build_id: int, jobs: list[dict[str, Any]]) -> WorkflowRun:
    build = jobs[0]["build"]
    status: Any = WORDS.get(build["status"], "cancelled")
    created = _moment(build["buildCreatedTimestamp"])
    finished = _moment(max(job["finalStatusTimestamp"] or 0 for job in jobs)) or created
    assert created
    assert finished
    return WorkflowRun(
        id=f"{build_id}-1",
        run_key=str(build_id),
        pipeline_id="p",
        provider="github-actions",
        run_id=str(build_id),
        run_attempt=1,
        run_number=number,
        status=status,
        conclusion=None,
        event="push",
        title=None,
        branch=build["branch"],
        base_branch=None,
        head_sha=build["changeIdInRepo"],
        head_repository=None,
        is_fork=False,
        commit_message=build["changeMessageTitle"],
        commit_author=None,
        actor=None,
        url=None,
        created_at=created,
        started_at=created,
        finished_at=finished,
        updated_at=finished,
        version=version_of(status, finished, build_id),
    )


def _job(job: dict[str, Any]) -> Job:
    status: Any = WORDS.get(job["status"], "cancelled")
    finished = _moment(job["finalStatusTimestamp"])
    return Job(
        id=str(job["id"]), attempt_id=f"{job['build']['id']}-1", provider="github-actions", job_id=str(job["id"]),
        name=job["name"], status=status, conclusion=None, runner_name=None, labels="ubuntu-24.04", url=None,
        created_at=_moment(job["creationTimestamp"]), started_at=_moment(job["executingTimestamp"]),
        finished_at=finished, version=version_of(status, finished or datetime(2025, 1, 1, tzinfo=UTC), job["id"]),
    )  # fmt: skip


@pytest.fixture(scope="session", params=["simulated", *(["recorded"] if RECORDED else [])])
def history(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two histories: the simulated company's, and a real project's where RECORDED_PAYLOADS names recordings."""
    folder = tmp_path_factory.mktemp("insights")
    if request.param == "simulated":
        return _simulated(folder)
    assert RECORDED
    return _recorded(folder, Path(RECORDED))


@pytest.fixture
def connection(history: Path) -> Any:
    with open_read_only(history) as opened:
        yield opened


@pytest.fixture
def ask(connection: duckdb.DuckDBPyConnection) -> Frame:
    """Rows of a named query over the whole history, unless said otherwise."""
    everything: dict[str, Any] = {
        "provider": None, "repository": None, "branch": None, "since": datetime(2000, 1, 1, tzinfo=UTC),
        "until": datetime(2100, 1, 1, tzinfo=UTC), "limit": 100_000, "zone": "Europe/Berlin",
    }  # fmt: skip
    return lambda name, **more: connection.execute(bound(name, everything | more)).df()


@pytest.fixture
def tries(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Jobs with their attempts, whole, for an independent calculation."""
    return connection.execute(
        """SELECT j.*, a.run_key, a.pipeline_id, a.head_sha, a.run_attempt, a.started_at AS attempt_started_at
        FROM jobs AS j JOIN attempts AS a ON a.id = j.attempt_id"""
    ).df()
