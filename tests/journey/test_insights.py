"""From the table of pipelines to one pipeline, its grid and a run: what is a click away is one click away."""

import re

from playwright.sync_api import Page, expect

from tests.builders import job_payload
from tests.journey.test_browser import Product, browser, page, product, run

__all__ = ["browser", "page", "product"]  # fixtures


def test_from_the_pipelines_to_the_run_behind_a_cell(product: Product, page: Page) -> None:
    hostile = "<img src=x onerror=alert(1)>"
    for number, conclusion in enumerate(("success", "failure", "success", "success"), 1):
        product.ingest.send("workflow_run", run(number, 4000 - 600 * number, conclusion=conclusion))
        product.ingest.send(
            "workflow_job", job_payload(run_id=number, job_id=number, name=hostile, conclusion=conclusion)
        )
    product.ingest.send("workflow_run", run(9, 300, workflow="Deploy", workflow_id=501, conclusion="failure"))

    page.goto(f"{product.address}/pipelines")
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("Deploy")
    expect(rows.first).to_contain_text("Failing")
    page.get_by_role("button", name="Runs", exact=True).click()
    expect(rows.first).to_contain_text("CI")
    expect(page).to_have_url(re.compile("sort=runs"))

    rows.first.get_by_role("link", name="CI", exact=True).click()
    expect(page).to_have_url(re.compile("/pipeline\\?id="))
    expect(page.get_by_text("Jobs of the newest 4 attempts")).to_be_visible()
    expect(page.locator("img[src='x']")).to_have_count(0)
    page.locator("td a.failed").click()
    expect(page).to_have_url(re.compile("/run\\?id="))
    expect(page.get_by_role("heading", name=re.compile("CI #2"))).to_be_visible()


def test_a_number_of_the_table_opens_its_runs_and_a_group_opens_its_own(product: Product, page: Page) -> None:
    product.ingest.send("workflow_run", run(1, 900, conclusion="failure"))
    product.ingest.send("workflow_run", run(2, 800, branch="fix"))
    page.goto(f"{product.address}/pipelines")
    page.locator("tbody tr td").nth(4).get_by_role("link").click()
    expect(page.get_by_text("1 run", exact=True)).to_be_visible()
    expect(page.locator("tr[data-run]")).to_have_count(1)

    page.goto(f"{product.address}/runs?by=branch&window=all")
    expect(page.get_by_text("2 runs in 2 groups")).to_be_visible()
    page.get_by_role("link", name="fix").click()
    expect(page.locator("tr[data-run]")).to_have_count(1)
    expect(page).to_have_url(re.compile("branch=fix"))
