"""A job's log through the API: outline, windows, searches, and what is said where there is none."""

import gzip
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from core.settings import load_settings
from core.store.duckdb_file import open_read_only
from ingest.simulation.fill import fill
from tests.conftest import IngestProcess


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[IngestProcess, str, str, str]]:
    """A running service on a simulated history; a job whose log is kept, with its run and its text."""
    folder: Path = tmp_path_factory.mktemp("logs")
    fill(load_settings(database_url=f"duckdb:///{folder}/health.duckdb"), days=3)
    with open_read_only(folder / "health.duckdb") as connection:
        [run, job, content] = connection.execute(
            """SELECT r.run_key, j.id, l.content FROM job_logs AS l JOIN jobs AS j ON j.id = l.job_id
            JOIN workflow_runs AS r ON r.id = j.attempt_id
            WHERE j.status = 'failed' AND j.provider = 'github-actions' ORDER BY j.id LIMIT 1"""
        ).fetchall()[0]
    ingest = IngestProcess(folder).start()
    yield ingest, run, job, gzip.decompress(content).decode()
    ingest.stop()


def test_an_outline_tells_lines_groups_steps_and_the_first_error(service: tuple[IngestProcess, str, str, str]) -> None:
    ingest, run, job, text = service
    found = httpx.get(f"{ingest.url}/api/v1/builds/{run}/logs/outline", params={"job": job}).json()
    lines = text.removesuffix("\n").split("\n")
    assert found["total_lines"] == len(lines)
    assert "##[error]" in lines[found["error_lines"][-1] - 1]
    assert found["first_error_line"] <= found["error_lines"][-1]
    assert found["groups"][0]["title"] == "Operating System"
    begins = [step["line"] for step in found["steps"]]
    assert begins == sorted(begins)
    assert "Run actions/checkout" in lines[begins[1] - 1]


def test_lines_come_without_marks_and_with_their_kind(service: tuple[IngestProcess, str, str, str]) -> None:
    ingest, run, job, text = service
    url = f"{ingest.url}/api/v1/builds/{run}/logs/lines"
    found = httpx.get(url, params={"job": job, "start": 2, "count": 3}).json()
    assert [line["kind"] for line in found["lines"]] == ["group", "", ""]
    assert [line["text"] for line in found["lines"]] == ["Operating System", "Ubuntu", "24.04.3"]
    assert found["lines"][0]["stamp"] == text.split("\n")[1].split(" ")[0]
    short = httpx.get(url, params={"job": job, "start": 2, "count": 1, "longest": 9}).json()["lines"][0]
    assert (short["text"], short["more"]) == ("Operating", 7)
    assert httpx.get(url, params={"job": job, "start": 10_000_000}).json()["lines"] == []
    assert httpx.get(url, params={"job": job, "count": 5000}).status_code == 422


def test_a_search_names_the_lines(service: tuple[IngestProcess, str, str, str]) -> None:
    ingest, run, job, text = service
    url = f"{ingest.url}/api/v1/builds/{run}/logs/search"
    found = httpx.get(url, params={"job": job, "q": "RUN ACTIONS"}).json()
    assert found["lines"] == [number for number, line in enumerate(text.split("\n"), 1) if "Run actions" in line]
    assert httpx.get(url, params={"job": job, "q": ""}).status_code == 422


def test_a_log_that_is_nowhere_is_said_so(service: tuple[IngestProcess, str, str, str]) -> None:
    ingest, run, _, _ = service
    assert httpx.get(f"{ingest.url}/api/v1/builds/{run}/logs/outline", params={"job": "none"}).status_code == 404
    assert httpx.get(f"{ingest.url}/api/v1/builds/nothing/logs/outline").status_code == 404
    builds = httpx.get(f"{ingest.url}/api/v1/builds", params={"status": "success", "limit": 20}).json()["builds"]
    answers = [httpx.get(f"{ingest.url}/api/v1/builds/{build['id']}/logs/outline") for build in builds]
    refused = [answer.json()["error"]["message"] for answer in answers if answer.status_code == 404]
    assert any("isn't kept" in message for message in refused)
