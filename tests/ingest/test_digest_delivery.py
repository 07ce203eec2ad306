"""The weekly digest on its way: a real process, a real HTTP sink, a real command line."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from core.store.digest import SENT
from core.store.duckdb_file import open_owned
from tests.conftest import ROOT, WRITE_KEY, IngestProcess, wait_for
from tests.ingest.test_alert_delivery import Sink, sink  # noqa: F401 -- a fixture


def _with_an_old_digest(folder: Path) -> None:
    connection = open_owned(folder / "health.duckdb", memory_limit="1GB", threads=1)
    long_ago = (datetime.now(UTC) - timedelta(days=20)).isoformat()
    connection.execute("INSERT INTO settings VALUES (?, ?, now(), 'test')", [SENT, long_ago])
    connection.close()


def _digests(sink: Sink) -> list[str]:  # noqa: F811
    return [body["text"] for body in sink.bodies if body["text"].startswith("CI/CD week")]


def test_a_digest_that_is_due_goes_out_once_also_across_a_restart(tmp_path: Path, sink: Sink) -> None:  # noqa: F811
    _with_an_old_digest(tmp_path)
    running = IngestProcess(tmp_path, {"SLACK_WEBHOOK_URL": sink.url, "DIGEST_SCHEDULE": "mon 00:00"}).start()
    wait_for(lambda: _digests(sink), "the digest")
    running.stop()
    running.start()
    jobs = lambda: httpx.get(f"{running.url}/api/v1/health/ingest").json()["jobs"]  # noqa: E731
    wait_for(lambda: any(job["id"] == "digest" and job["last_run_at"] for job in jobs()), "the timer's second look")
    running.stop()
    assert len(_digests(sink)) == 1
    assert "No run finished this week." in str(sink.bodies)


def test_a_digest_that_is_switched_off_is_not_sent_however_long_ago_the_last_one_was(
    tmp_path: Path,
    sink: Sink,  # noqa: F811
) -> None:
    _with_an_old_digest(tmp_path)
    running = IngestProcess(tmp_path, {"SLACK_WEBHOOK_URL": sink.url, "DIGEST_SCHEDULE": "off"}).start()
    jobs = lambda: httpx.get(f"{running.url}/api/v1/health/ingest").json()["jobs"]  # noqa: E731
    wait_for(lambda: any(job["id"] == "digest" and job["last_run_at"] for job in jobs()), "the timer's look")
    running.stop()
    assert _digests(sink) == []


def test_it_can_be_seen_and_sent_now(tmp_path: Path, sink: Sink) -> None:  # noqa: F811
    running = IngestProcess(tmp_path, {"SLACK_WEBHOOK_URL": sink.url}).start()
    address = f"{running.url}/api/v1/insights/digest"
    assert httpx.get(address).json()["channels"] == ["slack"]
    assert httpx.post(address).status_code == 401
    assert httpx.post(address, headers={"X-API-KEY": WRITE_KEY}).json() == {"sent": {"slack": "ok"}}
    assert _digests(sink)
    printed = _command(running)
    assert "CI/CD week" in printed
    assert "No run finished this week." in printed
    sink.bodies.clear()
    assert "Sent to slack" in _command(running, "--send")
    assert _digests(sink)
    running.stop()
    assert "CI/CD week" in _command(running), "also while the service is away"


def test_without_a_channel_nothing_is_sent_and_it_says_why(tmp_path: Path) -> None:
    running = IngestProcess(tmp_path).start()
    answer = httpx.post(f"{running.url}/api/v1/insights/digest", headers={"X-API-KEY": WRITE_KEY})
    assert answer.status_code == 400
    assert "SLACK_WEBHOOK_URL" in answer.text
    running.stop()


@pytest.mark.parametrize("schedule", ["monday 08:00", "mon 8:00", "mon 24:00", "08:00", "mon"])
def test_a_schedule_that_is_none_is_named_at_the_start(tmp_path: Path, schedule: str) -> None:
    running = IngestProcess(tmp_path, {"DIGEST_SCHEDULE": schedule})
    done = subprocess.run(
        [sys.executable, "-m", "ingest", "digest"], cwd=ROOT, env=running.variables(), capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "DIGEST_SCHEDULE" in done.stderr


def _command(running: IngestProcess, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "ingest", "digest", *arguments],
        cwd=ROOT, env=running.variables(), capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout
