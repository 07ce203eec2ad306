"""`make screenshots`: every page of a simulated company, wide and narrow, light and dark; renews the docs' pictures."""

import shutil
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from ingest.simulation.__main__ import DAYS
from tests.conftest import ROOT
from tests.journey.pages import BACKGROUNDS, open_in, simulated_company
from tests.journey.test_browser import CHROMIUM, FLAGS

DOCS = ROOT / "docs"
# Every picture lies here, outside the repository; those that the docs show are copied to their places.
ALL = ROOT / "test-artifacts" / "screenshots"
SIZES = {"wide": (1440, 900), "narrow": (390, 844)}
IN_THE_DOCS = {
    "overview-wide-light": "overview.png",
    "overview-narrow-dark": "screenshots/overview-narrow-dark.png",
    "log-wide-dark": "screenshots/log.png",
    "alerts-wide-light": "screenshots/alerts.png",
    "failures-wide-light": "screenshots/failures.png",
    "dora-wide-light": "screenshots/dora.png",
    "pipelines-wide-light": "screenshots/pipelines.png",
}
COLOURS = 256
# Tables and sparklines are painted after the page says that it is ready.
PAINTED_AFTER_MS = 700


def main() -> int:
    ALL.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="cicd-health-screenshots-") as folder,
        simulated_company(Path(folder), days=DAYS) as (address, paths),
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for size in SIZES:
            _take(browser, size, {name: address + path for name, path in paths.items()})
        browser.close()
    for picture, shown in IN_THE_DOCS.items():
        target = DOCS / shown
        target.parent.mkdir(exist_ok=True)
        shutil.copyfile(ALL / f"{picture}.png", target)
    taken = len(list(ALL.glob("*.png")))
    sys.stdout.write(f"{taken} pictures in {ALL}; {len(IN_THE_DOCS)} of them renewed in {DOCS}\n")
    return 0


def _take(browser: Browser, size: str, addresses: dict[str, str]) -> None:
    """A picture of each page in each theme, its colours reduced so that it stays small."""
    width, height = SIZES[size]
    context = browser.new_context(viewport={"width": width, "height": height}, timezone_id="Europe/Berlin")
    page = context.new_page()
    for name, address in addresses.items():
        for theme in BACKGROUNDS:
            open_in(page, address, theme)
            page.wait_for_timeout(PAINTED_AFTER_MS)
            picture = ALL / f"{name}-{size}-{theme}.png"
            page.screenshot(path=picture)
            with Image.open(picture) as taken:
                reduced = taken.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
            reduced.save(picture, optimize=True)
    context.close()


if __name__ == "__main__":
    sys.exit(main())
