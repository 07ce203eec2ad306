"""What a person waits for in Chromium: the first tile, and the settled page; against a bare page of the same Streamlit.

A history of 1 M runs behind the real services. `python -m bench.browser --rounds 7`.
"""

import statistics
import tempfile
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import BrowserContext, sync_playwright

from bench.history import RUNS, own_copy
from bench.overview import BARE
from bench.processes import ingest_environment, launch_dashboard, launch_ingest, stopped_in_the_end
from bench.report import Report, Table, parser
from tests.journey.test_browser import CHROMIUM, FLAGS

# Path of a page, and what is first of use on it.
PAGES = {
    "overview": ("/", "[data-testid=stMetricValue]"),
    "runs": ("/runs", "[data-testid=stBidiComponentIsolated], [data-testid=stDataFrame]"),
    "pipelines": ("/pipelines", "[data-testid=stBidiComponentIsolated], [data-testid=stDataFrame]"),
    "failures": (
        "/failures",
        "[data-testid=stMetricValue], [data-testid=stBidiComponentIsolated], [data-testid=stDataFrame]",
    ),
}
TILE = "[data-testid=stMetricValue]"
TIMEOUT = 60_000

# Looks once a frame. Settled: the script has ended, nothing is stale or a placeholder, and it stays so for a while.
PROBE = """
(() => {
    const seen = window.__seen = {};
    const look = () => {
        const now = performance.now();
        const first = document.querySelector(SELECTOR);
        if (first && first.getBoundingClientRect().height > 0 && !("first" in seen)) seen.first = now;
        const app = document.querySelector("[data-testid=stApp]");
        const rests = app && app.dataset.testScriptState === "notRunning" && "first" in seen
            && !document.querySelector("[data-stale=true], [data-testid=stSkeleton], [data-testid=stAppSkeleton]");
        if (!rests) delete seen.settled; else if (!("settled" in seen)) seen.settled = now;
        if (rests && now - seen.settled > 400) { seen.done = true; return; }
        requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
})()
"""


@dataclass(frozen=True, slots=True)
class Waits:
    """Milliseconds since the navigation began."""

    first: float
    settled: float


def measure(runs: int, rounds: int) -> dict[str, Waits]:
    """Medians for the bare page and for each of PAGES; the first visit, which fills the caches, doesn't count."""
    with tempfile.TemporaryDirectory(prefix="bench-browser-") as name, sync_playwright() as playwright:
        folder = Path(name)
        own_copy(runs, folder)
        (folder / "bare.py").write_text(BARE)
        environment = ingest_environment(folder / "health.duckdb")
        with (
            stopped_in_the_end(launch_ingest(environment, folder)),
            stopped_in_the_end(launch_dashboard(environment, folder)) as dashboard,
            stopped_in_the_end(launch_dashboard(environment, folder, str(folder / "bare.py"))) as bare,
        ):
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            context = browser.new_context(viewport={"width": 1440, "height": 900}, timezone_id="Europe/Berlin")
            found = {"a bare page": _median(context, bare.url, TILE, rounds)}
            for label, (path, selector) in PAGES.items():
                found[label] = _median(context, dashboard.url + path, selector, rounds)
            browser.close()
    return found


def _median(context: BrowserContext, url: str, selector: str, rounds: int) -> Waits:
    waits = [_visit(context, url, selector) for _ in range(rounds + 1)][1:]
    return Waits(statistics.median(each.first for each in waits), statistics.median(each.settled for each in waits))


def _visit(context: BrowserContext, url: str, selector: str) -> Waits:
    """A new tab on `url` until it is settled. Raises playwright's TimeoutError where it never is."""
    page = context.new_page()
    page.add_init_script(f"const SELECTOR = {selector!r};{PROBE}")
    page.goto(url, wait_until="commit")
    page.wait_for_function("window.__seen && window.__seen.done", timeout=TIMEOUT)
    seen = page.evaluate("window.__seen")
    page.close()
    return Waits(seen["first"], seen["settled"])


def main() -> None:
    arguments = parser("browser", __doc__)
    arguments.add_argument("--runs", type=int, default=RUNS)
    arguments.add_argument("--rounds", type=int, default=7)
    chosen = arguments.parse_args()
    if not CHROMIUM:
        raise SystemExit("Chromium is not installed: sh tests/services.sh")
    report = Report("browser", chosen)
    runs, rounds = (20_000, 1) if chosen.quick else (chosen.runs, chosen.rounds)
    found = measure(runs, rounds)
    bare = found["a bare page"]
    rows = [
        (label, waits.first, waits.first / bare.first, waits.settled, waits.settled / bare.settled)
        for label, waits in found.items()
    ]
    columns = (f"page, {runs:,} runs", "first of use, ms", "× bare", "settled, ms", "× bare")
    report.keep({"pages": Table(columns, rows)})


if __name__ == "__main__":
    main()
