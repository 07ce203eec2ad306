"""Every page for people who see little, or use no mouse: axe-core finds nothing serious, and the keyboard suffices."""

import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.journey.pages import BACKGROUNDS, PAGES, open_in, simulated_company, wait_until_drawn
from tests.journey.test_browser import browser

__all__ = ["browser"]  # a fixture

MORE = {
    "the channels of alerts": "/alert_settings?tab=channels",
    "silences": "/alert_settings?tab=silences",
    "acknowledged alerts": "/alerts?state=acknowledged",
}
# Streamlit's sparklines (Vega) hold an empty group with a role and no name; the tile says its number in text.
NOT_OURS = {"exclude": [["[data-testid=stMetricChart] .role-mark"]]}
MOST_TABS = 150
# What has the focus, also within our components.
FOCUSED = """() => {
  let element = document.activeElement;
  while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
  const name = element?.getAttribute("aria-label") || element?.innerText || element?.placeholder || "";
  return name.trim().split("\\n").pop();
}"""


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, dict[str, str]]]:
    with simulated_company(tmp_path_factory.mktemp("company"), days=7) as made:
        yield made


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(30_000)
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("name", [*PAGES, *MORE])
def test_no_page_has_a_serious_finding_in_either_theme(
    company: tuple[str, dict[str, str]], page: Page, name: str
) -> None:
    address, paths = company
    for theme in BACKGROUNDS:
        open_in(page, address + (paths | MORE)[name], theme)
        expect(page.get_by_text("Simulated data").first).to_be_visible()
        found = Axe().run(page, context=NOT_OURS).response
        assert len(found["passes"]) > 10
        serious = [
            (theme, finding["id"], node["target"], node["html"][:200], node["failureSummary"])
            for finding in found["violations"]
            if finding["impact"] in ("serious", "critical")
            for node in finding["nodes"]
        ]
        assert not serious


def tab_to(page: Page, wanted: str) -> None:
    """Press Tab until what has the focus is called so."""
    passed = []
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        passed.append(page.evaluate(FOCUSED))
        if passed[-1] == wanted:
            return
    raise AssertionError(f"Tab never reached {wanted}: {passed}")


def test_an_alert_is_acknowledged_and_its_log_read_by_keyboard_alone(
    company: tuple[str, dict[str, str]], page: Page
) -> None:
    address, paths = company
    open_in(page, address + paths["alert"], "light")
    tab_to(page, "Your name")
    page.keyboard.type("Ana")
    page.keyboard.press("Enter")
    tab_to(page, "Acknowledge")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Acknowledged", exact=True).first).to_be_visible()
    wait_until_drawn(page, "light")

    tab_to(page, "Open log")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/log\?"))
    expect(page.locator(".row.error").first).to_be_visible()
    wait_until_drawn(page, "light")
    tab_to(page, "Search the log")
    page.keyboard.type("error")
    page.keyboard.press("Enter")
    expect(page.locator(".found")).to_have_text(re.compile(r"\d+ / \d+"))
    expect(page.locator(".row.hit")).to_be_in_viewport()
