"""The log of a failed job, through the redirect to another host."""

from datetime import timedelta
from pathlib import Path

import httpx

from core.logs.excerpt import excerpt_of
from core.logs.keep import KeptLog
from tests.conftest import IngestProcess, wait_for
from tests.github_server import TOKEN, GitHubServer, now_to_the_second
from tests.github_truth import Repository

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
        web.logs[710], web.logs[711] = LOG, 410
        settings = {"GITHUB_TOKEN": TOKEN, "GITHUB_API_URL": github.url, "GITHUB_REPOSITORIES": "acme/web"}
        ingest = IngestProcess(tmp_path, settings).start()
        try:
            url = f"{ingest.url}/api/v1/builds/gh-1-7"
            wait_for(lambda: len(httpx.get(url).json().get("jobs", [])) == 3, "the jobs")
            answer = httpx.get(f"{url}/logs?job=gh-1-j710")
            assert answer.content == LOG
            assert answer.headers["X-Log-First-Error"] == "2"
            excerpts = {job["id"]: job["excerpt"] for job in httpx.get(url).json()["jobs"]}
            assert "assert 1 == 2" in (excerpts["710"] or "")
            assert httpx.get(f"{url}/logs?job=gh-1-j711").status_code == 410
            assert httpx.get(f"{url}/logs?job=gh-1-j712").status_code == 404
            assert github.storage_headers
            assert not any("authorization" in headers for headers in github.storage_headers)
        finally:
            ingest.stop()


def test_the_middle_of_a_long_log_is_left_out() -> None:
    kept = KeptLog(100_000)
    for number in range(100_000):
        kept.feed(f"line {number}\n".encode())
    text = kept.text()
    assert kept.is_cut
    assert len(text) < 120_000
    assert text.startswith("line 0\n")
    assert text.endswith("line 99999\n")
    assert excerpt_of(kept) is None
