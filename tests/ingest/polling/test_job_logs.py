"""The log of a failed job, through the redirect to another host."""

import gzip
from datetime import timedelta
from pathlib import Path

import duckdb
import httpx

from tests.conftest import IngestProcess, wait_for
from tests.github_server import TOKEN, GitHubServer, now_to_the_second
from tests.github_truth import Repository
from tests.ingest.polling.conftest import Start, all_read

LOG = (
    b"2026-03-02T12:00:00.0Z start\n"
    b"2026-03-02T12:00:01.0Z \x1b[31mE   assert 1 == 2\x1b[0m\n"
    b"2026-03-02T12:00:02.0Z ##[error]Process completed with exit code 1.\n"
)


def test_a_log_comes_through_the_redirect_and_the_other_host_never_sees_the_token(tmp_path: Path) -> None:
    with GitHubServer().running() as github:
        web = github.add(Repository("acme/web", 1))
        web.add_run(
            7, now_to_the_second() - timedelta(hours=1), conclusion="failure", job_names=("test", "lint", "old")
        )
        web.logs[7300], web.logs[7301] = LOG, 410
        settings = {"GITHUB_TOKEN": TOKEN, "GITHUB_API_URL": github.url, "GITHUB_REPOSITORIES": "acme/web"}
        ingest = IngestProcess(tmp_path, settings).start()
        try:
            url = f"{ingest.url}/api/v1/builds/gh-1-7"
            wait_for(lambda: len(httpx.get(url).json().get("jobs", [])) == 3, "the jobs")
            answer = httpx.get(f"{url}/logs?job=gh-1-j7300")
            assert answer.content == LOG
            assert answer.headers["X-Log-First-Error"] == "2"
            packed = httpx.get(f"{url}/logs?job=gh-1-j7300&format=gzip")
            assert (packed.headers["Content-Type"], gzip.decompress(packed.content)) == ("application/gzip", LOG)
            excerpts = {job["id"]: job["excerpt"] for job in httpx.get(url).json()["jobs"]}
            assert "assert 1 == 2" in (excerpts["7300"] or "")
            assert httpx.get(f"{url}/logs?job=gh-1-j7301").status_code == 410
            assert httpx.get(f"{url}/logs?job=gh-1-j7302").status_code == 404
            assert github.storage_headers
            assert not any("authorization" in headers for headers in github.storage_headers)
        finally:
            ingest.stop()


def test_the_log_of_a_job_that_failed_on_the_default_branch_is_kept_before_anybody_asks(
    github: GitHubServer, start: Start, database: duckdb.DuckDBPyConnection
) -> None:
    web = github.add(Repository("acme/web", 1))
    now = now_to_the_second()
    web.add_run(7, now - timedelta(hours=1), conclusion="failure", job_names=("test", "own / log:s", "gone", "lost"))
    web.add_run(8, now - timedelta(hours=1), conclusion="failure", branch="topic")
    web.add_run(9, now - timedelta(hours=1))
    web.logs |= {7300: LOG, 7302: 410, 8300: LOG, 9300: LOG}
    web.zips[7, 1] = {
        "0_test.txt": b"another job\n",
        "own  logs/2_Run.txt": LOG,
        "own  logs/1_Set up.txt": b"begin\n",
        "own  logs/10_End.txt": b"end\n",
    }
    all_read(start("acme/web"))
    rows = database.execute("SELECT job_id, status, excerpt IS NOT NULL, content FROM job_logs").fetchall()
    kept = {job_id: (status, has_excerpt) for job_id, status, has_excerpt, _ in rows}
    assert kept == {
        "gh-1-j7300": ("kept", True),
        "gh-1-j7301": ("kept", True),
        "gh-1-j7302": ("expired", False),
        "gh-1-j7303": ("missing", False),
    }
    texts = {job_id: gzip.decompress(content) for job_id, _, _, content in rows}
    assert texts["gh-1-j7301"] == b"begin\n" + LOG + b"end\n"
    assert not any("authorization" in headers for headers in github.storage_headers)
    github.forget_requests()
    all_read(start("acme/web"))
    assert not [request for request in github.requests if request.endswith("/logs")], "each is asked for once"


def test_a_log_survives_faults_on_its_way(
    github: GitHubServer, start: Start, database: duckdb.DuckDBPyConnection
) -> None:
    web = github.add(Repository("acme/web", 1))
    web.add_run(7, now_to_the_second() - timedelta(hours=1), conclusion="failure")
    web.logs[7300] = LOG
    polling = start("acme/web")
    github.fault_every = 2
    all_read(polling)
    assert database.execute("SELECT status FROM job_logs").fetchall() == [("kept",)]
