"""`python -m ingest backfill`, with and without a running service, killed and begun anew."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import duckdb
import httpx
import pytest

from tests.conftest import ROOT, IngestProcess, wait_for
from tests.github_server import TOKEN, GitHubServer, now_to_the_second
from tests.github_truth import busy_repository
from tests.ingest.polling.conftest import stored

COMMAND = [sys.executable, "-m", "ingest", "backfill", "--days", "29", "--repo"]


def variables(github: GitHubServer, folder: Path) -> dict[str, str]:
    own = {"GITHUB_TOKEN": TOKEN, "GITHUB_API_URL": github.url, "GITHUB_REPOSITORIES": ""}
    return os.environ | own | {"DATABASE_URL": f"duckdb:///{folder / 'health.duckdb'}"}


def run(repository: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, repository], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def test_a_backfill_that_is_killed_goes_on_where_it_was(github: GitHubServer, tmp_path: Path) -> None:
    web = github.add(busy_repository("acme/web", 1, 160, now_to_the_second()))
    all_attempts = len(web.truth())
    environment = variables(github, tmp_path)
    with (tmp_path / "first.log").open("wb") as log:
        first = subprocess.Popen([*COMMAND, "acme/web"], cwd=ROOT, env=environment, stdout=log, stderr=log)
    wait_for(lambda: sum("/jobs" in request for request in github.requests) > all_attempts // 2, "half of the work")
    first.send_signal(signal.SIGKILL)
    first.wait()
    github.forget_requests()
    second = run("acme/web", environment)
    assert second.returncode == 0, second.stderr
    assert "acme/web: 160 runs" in second.stdout
    with duckdb.connect(str(tmp_path / "health.duckdb"), read_only=True) as database:
        assert stored(database, "acme/web") == web.truth()
        assert database.execute("SELECT count(*) FROM jobs").fetchone() == (web.job_count,)
    assert github.points < 0.75 * all_attempts
    github.forget_requests()
    assert run("acme/web", environment).returncode == 0
    assert github.points == 0


def test_a_running_service_reads_the_history_itself(github: GitHubServer, tmp_path: Path) -> None:
    old = github.add(busy_repository("acme/old", 2, 30, now_to_the_second()))
    environment = {
        "GITHUB_TOKEN": TOKEN,
        "GITHUB_API_URL": github.url,
        "GITHUB_REPOSITORIES": "acme/old",
        "BACKFILL_DAYS": "0",
    }
    ingest = IngestProcess(tmp_path, environment).start()
    try:
        done = run("acme/old", ingest.variables())
        assert done.returncode == 0, done.stderr
        assert "acme/old: 30 runs" in done.stdout
        found = httpx.get(f"{ingest.url}/api/v1/backfills?repository=acme/old").json()
        assert (found["done"], found["attempts"], found["attempts_left"]) == (True, len(old.truth()), 0)
        assert httpx.get(f"{ingest.url}/api/v1/backfills?repository=acme/none").status_code == 404
    finally:
        ingest.stop()


@pytest.mark.parametrize("refusal", [401, 403, 404])
def test_a_refusal_is_one_line(github: GitHubServer, tmp_path: Path, refusal: int) -> None:
    github.refuse["acme/secret"] = refusal
    done = run("acme/secret", variables(github, tmp_path))
    assert done.returncode == 1
    errors = [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 1
    assert str(refusal) in errors[0]
    assert "Traceback" not in done.stderr
