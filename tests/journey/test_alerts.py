"""The whole chain in a browser: webhook → alert → acknowledged with a note → told → repaired → resolved → told."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.conftest import ROOT, IngestProcess, free_port, wait_for
from tests.journey.test_browser import Product, browser, page, run
from tests.sinks import Sink, sink

__all__ = ["browser", "page", "sink"]  # fixtures

ACKNOWLEDGE = re.compile(r"Acknowledge$")


@pytest.fixture
def watched(tmp_path: Path, sink: Sink) -> Iterator[Product]:
    """Both processes, and a sink that takes what Slack would take."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    ingest = IngestProcess(tmp_path, {"SLACK_WEBHOOK_URL": sink.url, "FRONTEND_ORIGIN": address}).start()
    with (tmp_path / "web.log").open("wb") as log:
        web = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "dashboard/app.py", "--server.port", str(port)],
            cwd=ROOT, env=ingest.variables(), stdout=log, stderr=log,
        )  # fmt: skip
    wait_for(lambda: httpx.get(f"{address}/_stcore/health").status_code == 200, "the dashboard")
    yield Product(ingest, web, address)
    web.terminate()
    web.wait(timeout=20)
    ingest.stop()


def tick(page: Page, message: str) -> None:
    page.get_by_role("checkbox", name=f"Select: {message}").check()


def test_from_a_failure_to_its_recovery(watched: Product, page: Page, sink: Sink) -> None:
    hostile = "<img src=x onerror=alert(1)> **bold**"
    commit = {"message": hostile, "author": {"name": "Ana"}}
    watched.ingest.send("workflow_run", run(1, 900, conclusion="failure", head_commit=commit))
    wait_for(lambda: sink.bodies, "the message to Slack")
    [attachment] = sink.bodies[0]["attachments"]

    page.goto(f"{watched.address}/alerts?refresh=5s")
    row = page.locator("tr.alert").filter(has_text="CI failed on main")
    expect(row).to_contain_text("Nobody yet")
    expect(page.locator("img[src='x']")).to_have_count(0)
    expect(page.get_by_role("button", name=ACKNOWLEDGE)).to_be_disabled()
    tick(page, "CI failed on main")
    page.get_by_placeholder("Your name").fill("Ana")
    page.get_by_placeholder("Your name").press("Enter")
    page.get_by_placeholder("Note (optional)").fill("looking into it")
    page.get_by_placeholder("Note (optional)").press("Enter")
    expect(page.get_by_role("button", name=ACKNOWLEDGE)).to_be_enabled()
    page.get_by_role("button", name=ACKNOWLEDGE).click()
    expect(row).to_have_count(0)
    page.get_by_role("radio", name="Acknowledged").click()
    expect(row).to_contain_text("Ana")
    expect(row).to_contain_text("looking into it")

    # What the message links to.
    page.goto(attachment["actions"][0]["url"])
    expect(page.get_by_text("“looking into it”")).to_be_visible()
    expect(page.get_by_text("slack about the alert: sent")).to_be_visible()
    page.get_by_role("link", name="Open the run").click()
    expect(page).to_have_url(re.compile(r"/run\?id=gh-10-1$"))

    watched.ingest.send("workflow_run", run(2, 100))
    wait_for(lambda: "[RESOLVED] pipeline_failure: CI" in sink.texts(), "the recovery")
    page.goto(f"{watched.address}/alerts?state=resolved")
    expect(row).to_contain_text("By itself")
    expect(page.get_by_test_id("stMetric").filter(has_text="Time to acknowledge")).to_contain_text("median of 1 alert")


def test_a_channel_says_what_it_answered_and_a_silence_keeps_it_quiet(watched: Product, page: Page, sink: Sink) -> None:
    watched.ingest.send("workflow_run", run(1, 900))
    page.goto(f"{watched.address}/alert_settings?tab=channels")
    page.get_by_role("button", name="Send a test").click()
    expect(page.get_by_text("It answered: ok")).to_be_visible()
    assert sink.texts() == ["[INFO] test: CI/CD Health"]
    sink.status = 404
    page.get_by_role("button", name="Send a test").click()
    expect(page.get_by_text("Slack answered 404")).to_be_visible()
    sink.status = 200

    page.get_by_role("radio", name="Silences").click()
    page.get_by_placeholder("Any, or acme/*").fill("acme/*")
    page.get_by_placeholder("Any, or acme/*").press("Enter")
    page.get_by_placeholder("What is going on").fill("moving house")
    page.get_by_placeholder("What is going on").press("Enter")
    page.get_by_placeholder("Your name").fill("Ana")
    page.get_by_placeholder("Your name").press("Enter")
    page.get_by_role("button", name="Silence", exact=True).click()
    expect(page.get_by_text("moving house · by Ana")).to_be_visible()
    watched.ingest.send("workflow_run", run(2, 100, conclusion="failure"))
    wait_for(lambda: httpx.get(f"{watched.ingest.url}/api/v1/alerts").json()["alerts"], "the alert")
    page.goto(f"{watched.address}/alerts")
    expect(page.locator("tr.alert").first).to_contain_text("no message: silenced")
    assert len(sink.bodies) == 1
