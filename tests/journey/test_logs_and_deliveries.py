"""Logs and deliveries in a browser: opened at the first error, searched, linked, downloaded, replayed; always text."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from core.logs.keep import KeptLog
from core.settings import load_settings
from core.store import job_logs
from core.store.duckdb_file import open_owned
from ingest.simulation.fill import fill
from tests.builders import NOON
from tests.conftest import IngestProcess, dashboard
from tests.journey.test_browser import browser, page

__all__ = ["browser", "page"]

HOSTILE = (
    b"\xef\xbb\xbf2026-11-25T01:00:00.1Z ##[group]Run <img src=x onerror=\"window.hit=1\">\n"
    b"2026-11-25T01:00:00.2Z inside the group\n"
    b"2026-11-25T01:00:00.3Z ##[endgroup]\n"
    b"<script>window.hit=1</script> needle one\r\n"
    b"nul \x00 and a return \rafter it\r\n"
    + b"\x1b[31mr\x1b[0m" * 5_000
    + b"\n"
    + b"w" * 453_000
    + b" needle two\n"
    + b"".join(b"line %d of many\n" % number for number in range(20_000))
    + b"src/a.cpp:10:4: error: expected ';' <b>needle</b> three\n"
    + b"##[error]Process completed with exit code 2.\n"
)  # fmt: skip


@dataclass
class Place:
    ingest: IngestProcess
    address: str
    run: str
    job: str


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Both processes over a simulated history, in which one failed job has a hostile log."""
    folder: Path = tmp_path_factory.mktemp("logs")
    path = folder / "health.duckdb"
    fill(load_settings(database_url=f"duckdb:///{path}"), days=2)
    connection = open_owned(path, memory_limit="1GB", threads=1)
    [run, job, attempt] = connection.execute(
        """SELECT r.run_key, j.id, j.attempt_id FROM jobs AS j JOIN workflow_runs AS r ON r.id = j.attempt_id
        WHERE j.status = 'failed' AND r.is_latest ORDER BY j.id LIMIT 1"""
    ).fetchall()[0]
    kept = KeptLog(8_000_000)
    kept.feed(HOSTILE)
    row = job_logs.packed(kept, job_id=job, attempt_id=attempt, status="kept", has_failed=True, at=NOON)
    job_logs.keep(connection, [row])
    connection.close()
    ingest = IngestProcess(folder).start()
    with dashboard(ingest) as (_, address):
        yield Place(ingest, address, run, job)
    ingest.stop()


def test_from_a_failed_run_to_the_line_that_says_why(place: Place, page: Page) -> None:
    page.goto(f"{place.address}/run?id={place.run}")
    page.get_by_role("link", name="Open log").first.click()
    error = page.locator(".row.error", has_text="expected ';' <b>needle</b> three")
    expect(error).to_be_in_viewport()

    page.locator(".scroller").press("/")
    page.keyboard.type("needle")
    page.keyboard.press("Enter")
    expect(page.locator(".found")).to_have_text("3 / 3")
    expect(page.locator(".row.hit mark")).to_have_text("needle")
    page.keyboard.press("Enter")
    expect(page.locator(".row.hit .text")).to_have_text("<script>window.hit=1</script> needle one")
    page.keyboard.press("Escape")
    page.keyboard.press("N")
    expect(page.locator(".found")).to_have_text("3 / 3")

    page.locator(".row.hit .number").click()
    expect(page).to_have_url(re.compile(r"line=20008$"))
    linked = page.url
    page.goto(place.address)
    page.goto(linked)
    expect(page.locator(".row.selected .number")).to_have_text("20008")
    expect(page.locator(".row.selected")).to_be_in_viewport()

    with page.expect_download() as download:
        page.get_by_test_id("stDownloadButton").get_by_role("button").click()
    text = Path(download.value.path()).read_bytes().decode()
    assert text.startswith("2026-11-25T01:00:00.1Z ##[group]Run <img")
    assert text.count("needle") == 3
    assert "nul \x00 and a return \rafter it\n" in text


def test_whatever_a_log_has_in_it_is_shown_as_text(place: Place, page: Page) -> None:
    page.goto(f"{place.address}/log?id={place.run}&job={place.job}&line=1")
    heading = page.locator(".row.group")
    expect(heading).to_contain_text('Run <img src=x onerror="window.hit=1">')
    expect(page.locator(".row", has_text="inside the group")).to_have_count(0)
    heading.get_by_role("button", name="Open this group").click()
    expect(page.locator(".row", has_text="inside the group")).to_be_visible()
    expect(page.locator(".row", has_text="<script>window.hit=1</script>")).to_be_visible()
    expect(page.locator(".row", has_text="nul ␀ and a return ␍after it")).to_be_visible()
    expect(page.locator(".row", has_text="more characters")).to_have_count(2)
    assert page.evaluate("window.hit") is None
    assert page.locator(".viewer img, .viewer script").count() == 0
    assert page.locator(".row").count() < 200


def test_a_delivery_is_looked_at_and_processed_again(place: Place, page: Page) -> None:
    answer = place.ingest.send("workflow_run", {"action": "completed", "workflow_run": {"<b>": 1}}, "broken-one")
    assert answer.status_code == 422
    page.goto(f"{place.address}/ingest?result=failed")
    expect(page.get_by_text("Choose a row to see what came.")).to_be_visible()
    table = page.get_by_test_id("stDataFrame").first
    expect(table.locator("[role=row]", has_text="broken-one")).to_be_attached()
    table.locator(".dvn-scroller").click(position={"x": 14, "y": 52})
    expect(page.get_by_test_id("stCode")).to_contain_text('"<b>": 1')
    page.get_by_role("button", name="Process again").click()
    expect(page.get_by_text("Processed again, failed")).to_be_visible()
