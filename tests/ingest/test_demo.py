"""What `make demo` runs: a company that goes on working, and everything together as one command."""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.settings import load_settings
from ingest.simulation.history import SimulatedRun
from ingest.simulation.live import AT_ONCE, work
from tests.builders import NOON
from tests.conftest import ROOT, SECRET, WRITE_KEY, IngestProcess, wait_for
from tests.ports import free_port


def builds(url: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = httpx.get(f"{url}/api/v1/builds", params={"limit": 100}).json()["builds"]
    return found


@pytest.fixture(params=["signed", "by key"])
def company(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[IngestProcess, dict[str, Any]]]:
    """A service, and what somebody who sends to it has to know."""
    is_signed = request.param == "signed"
    process = IngestProcess(tmp_path, {} if is_signed else {"GITHUB_WEBHOOK_SECRET": ""}).start()
    proof = {"github_webhook_secret": SECRET} if is_signed else {"api_write_key": WRITE_KEY}
    yield process, {"ingest_url": process.url, **proof}
    process.stop()


def test_a_company_has_a_few_runs_at_a_time_and_ends_each(company: tuple[IngestProcess, dict[str, Any]]) -> None:
    service, known = company
    chosen, chance = load_settings(**known), random.Random(1)
    open_runs: list[SimulatedRun] = []
    for second in range(AT_ONCE + 2):
        work(chosen, chance, open_runs, NOON + timedelta(seconds=second))
    assert len(open_runs) == AT_ONCE
    assert [build["status"] for build in builds(service.url)] == ["running"] * AT_ONCE
    ends = {str(run.run_id): run.conclusion for run in open_runs}
    for _ in range(AT_ONCE):
        work(chosen, chance, open_runs, NOON + timedelta(minutes=2))
    assert open_runs == []
    assert {build["run_id"]: build["conclusion"] for build in builds(service.url)} == ends
    [build, *_] = builds(service.url)
    [job] = httpx.get(f"{service.url}/api/v1/builds/{build['id']}").json()["jobs"]
    assert job["conclusion"] == build["conclusion"]


def test_a_service_that_is_away_misses_what_is_sent_and_nothing_else_happens() -> None:
    open_runs: list[SimulatedRun] = []
    chosen = load_settings(ingest_url=f"http://127.0.0.1:{free_port()}")
    work(chosen, random.Random(1), open_runs, NOON)
    work(chosen, random.Random(1), open_runs, NOON + timedelta(minutes=2))
    assert open_runs == []


def _ctrl_c(demo: "subprocess.Popen[bytes]") -> None:
    os.killpg(demo.pid, signal.SIGINT)


def _terminate(demo: "subprocess.Popen[bytes]") -> None:
    demo.terminate()  # what it started isn't told


@pytest.mark.parametrize("end", [_ctrl_c, _terminate])
def test_the_demo_is_filled_served_and_busy_until_it_is_told_to_stop_and_leaves_nothing(
    tmp_path: Path, end: Callable[["subprocess.Popen[bytes]"], None]
) -> None:
    service = IngestProcess(tmp_path)
    port = free_port()
    own = {"STREAMLIT_SERVER_PORT": str(port), "TMPDIR": str(tmp_path), "STREAMLIT_SERVER_HEADLESS": "true"}
    with (tmp_path / "demo.log").open("wb") as log:
        demo = subprocess.Popen(
            [sys.executable, "-m", "ingest.simulation"],
            cwd=ROOT, env=service.variables() | own, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    try:
        wait_for(lambda: httpx.get(f"{service.url}/health/ready").status_code == 200, "the service", seconds=150)
        filled = {build["id"] for build in builds(service.url)}
        assert len(filled) == 100, "the newest page of a long history"
        wait_for(lambda: {build["id"] for build in builds(service.url)} - filled, "a run that has begun")
        wait_for(lambda: httpx.get(f"http://127.0.0.1:{port}/_stcore/health").status_code == 200, "the dashboard")
        assert len(list(tmp_path.glob("cicd-health-demo-*"))) == 1
    finally:
        end(demo)
        demo.wait(timeout=60)
    assert list(tmp_path.glob("cicd-health-demo-*")) == []
    assert not service.database.exists()
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{service.url}/health/ready")
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{port}/_stcore/health")
    assert "Traceback" not in (tmp_path / "demo.log").read_text()
