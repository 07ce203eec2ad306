"""The way of a new user through the real thing: two processes, signed webhooks, a browser."""

import csv
import io
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.builders import NOON, job_payload, run_payload, step_part
from tests.conftest import ROOT, IngestProcess, dashboard

expect.set_options(timeout=25_000)

ARTEFACTS = ROOT / "test-artifacts"
CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass
class Product:
    """Both processes, and where the dashboard is."""

    ingest: IngestProcess
    web: "subprocess.Popen[bytes]"
    address: str


@pytest.fixture
def product(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Product]:
    ingest = IngestProcess(tmp_path).start()
    with dashboard(ingest) as (web, address):
        yield Product(ingest, web, address)
    if ingest.process and ingest.process.poll() is None:
        ingest.stop()
    if request.session.testsfailed:
        ARTEFACTS.mkdir(exist_ok=True)
        for name in ("ingest.log", "web.log"):
            shutil.copyfile(tmp_path / name, ARTEFACTS / name)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    assert CHROMIUM, "make test installs Chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, timezone_id="Europe/Berlin")
    context.set_default_timeout(30_000)
    page = context.new_page()
    yield page
    ARTEFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTEFACTS / "journey.png", full_page=True)
    context.close()


def seconds_ago(seconds: float) -> float:
    """The builders count from NOON; the dashboard shows the last days."""
    return (datetime.now(UTC) - timedelta(seconds=seconds) - NOON).total_seconds()


def run(run_id: int, age: float, **words: Any) -> dict[str, Any]:
    begun = seconds_ago(age)
    return run_payload(run_id=run_id, begun=begun, updated=begun + 60, created_at=None, **words)


def tile(page: Page, label: str) -> Any:
    return page.get_by_test_id("stMetric").filter(has_text=label)


def test_from_an_empty_page_to_an_acknowledged_alert_and_a_csv(product: Product, page: Page) -> None:
    ingest = product.ingest
    page.goto(f"{product.address}/?refresh=5s")
    expect(page.get_by_text("/api/v1/webhook/github-actions")).to_be_visible()

    steps = [step_part(1), step_part(2, conclusion="failure")]
    hostile = "=cmd|' /C calc'!A0 <img src=x onerror=alert(1)> **bold**"
    ingest.send("workflow_job", job_payload(run_id=1, name="unit tests", conclusion="failure", steps=steps))
    ingest.send(
        "workflow_run", run(1, 900, conclusion="failure", head_commit={"message": hostile, "author": {"name": "Ana"}})
    )
    ingest.send("workflow_run", run(2, 800, workflow="Deploy", workflow_id=501))
    ingest.send("workflow_run", run(3, 700, workflow="Deploy", workflow_id=501, status="in_progress", conclusion=None))
    page.get_by_role("button", name="Refresh").click()

    expect(tile(page, "Total pipelines")).to_contain_text("2")
    expect(tile(page, "Success rate")).to_contain_text("50.0%")
    expect(tile(page, "Failed pipelines")).to_contain_text("1")
    expect(tile(page, "Average build time")).to_contain_text("1m 00s")
    expect(page.locator(".js-plotly-plot .bars .point")).not_to_have_count(0)
    expect(page.locator("tr[data-run]")).to_have_count(3)
    expect(page.get_by_text(hostile.split(" <")[0], exact=False).first).to_be_visible()
    expect(page.locator("img[src='x']")).to_have_count(0)
    expect(page.get_by_text("CI failed on main")).to_be_visible()

    second = page.context.new_page()
    second.goto(f"{product.address}/?refresh=5s")
    expect(second.get_by_text("CI failed on main")).to_be_visible()
    page.get_by_placeholder("Your name").fill("Ana")
    page.get_by_placeholder("Your name").press("Enter")
    page.get_by_role("button", name="Acknowledge").first.click()
    expect(page.get_by_text("CI failed on main")).to_have_count(0)
    expect(second.get_by_text("CI failed on main")).to_have_count(0)
    second.close()
    found = httpx.get(f"{ingest.url}/api/v1/alerts").json()["alerts"]
    [alert] = [alert for alert in found if alert["type"] == "pipeline_failure"]
    assert (alert["status"], alert["acknowledged_by"]) == ("acknowledged", "Ana")

    with page.expect_download() as download:
        page.get_by_role("button", name="CSV").click()
    written = list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text())))
    kept = httpx.get(f"{ingest.url}/api/v1/builds").json()["builds"]
    assert [(row["id"], row["status"], row["commit"]) for row in written] == [
        (build["id"], build["status"], build["head_sha"]) for build in kept
    ]
    assert next(row["message"] for row in written if row["id"] == "gh-10-1") == "'" + hostile

    page.locator("tr[data-run='gh-10-1'] a").first.click()
    expect(page.get_by_text("unit tests").first).to_be_visible()
    assert "id=gh-10-1" in page.url


def test_a_link_shows_the_same_view(product: Product, page: Page) -> None:
    product.ingest.send("workflow_run", run(1, 900))
    product.ingest.send("workflow_run", run(2, 800, branch="topic"))
    page.goto(f"{product.address}/?branch=topic&window=24h")
    expect(page.locator("tr[data-run]")).to_have_count(1)
    expect(page.locator("tr[data-run='gh-10-2']")).to_have_count(1)
    expect(tile(page, "Total pipelines")).to_contain_text("1")


def test_the_page_says_when_the_service_is_away_and_comes_back_by_itself(product: Product, page: Page) -> None:
    product.ingest.send("workflow_run", run(1, 900, conclusion="failure"))
    page.goto(f"{product.address}/?refresh=5s")
    expect(page.get_by_role("button", name="Acknowledge")).to_be_visible()
    product.ingest.stop()
    expect(page.get_by_role("button", name="Acknowledge")).to_have_count(0)
    expect(page.locator("tr[data-run]")).to_have_count(1)
    product.ingest.start()
    expect(page.get_by_role("button", name="Acknowledge")).to_be_visible()


def test_a_direct_link_works_on_a_dashboard_that_nobody_opened_before(product: Product, page: Page) -> None:
    page.goto(f"{product.address}/setup")
    expect(page.get_by_text("No module named")).to_have_count(0)
    expect(page.get_by_text("GitHub Actions").first).to_be_visible()
