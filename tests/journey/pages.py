"""What is needed to look at every page: a week of the simulated company, each page's address, and when it is drawn."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from core.settings import load_settings
from core.store.duckdb_file import open_owned
from ingest.simulation.fill import fill
from tests.conftest import ROOT, IngestProcess, dashboard

# Every file is a page, so that a new one can't be forgotten.
PAGES = sorted(path.stem for path in (ROOT / "dashboard" / "views").glob("*.py") if path.stem != "__init__")
# The pages of one thing show an active alert, the run that it is about, and that run's log and pipeline.
SHOWN = """
SELECT r.run_key, r.pipeline_id, l.job_id, a.id FROM alerts AS a
JOIN workflow_runs AS r ON r.id = a.attempt_id JOIN job_logs AS l ON l.attempt_id = r.id
WHERE a.status = 'active' AND l.status = 'kept' ORDER BY a.created_at DESC, l.job_id LIMIT 1
"""
BACKGROUNDS = {"light": "rgb(255, 255, 255)", "dark": "rgb(16, 20, 28)"}
# What a page still waits for; empty once it is drawn.
PENDING = """(background) => {
  const app = document.querySelector("[data-testid=stApp]");
  if (!app) return ["the app"];
  const waits = "[data-testid=stSkeleton], [data-testid=stSpinner], [data-testid=stStatusWidget], [data-stale=true]";
  const without = (part, wanted) => [...document.querySelectorAll(part)].filter((each) => !each.querySelector(wanted));
  return [
    app.dataset.testScriptState === "notRunning" ? "" : "the script",
    getComputedStyle(app).backgroundColor === background ? "" : "the theme",
    document.querySelector("[data-testid=stMainBlockContainer]")?.innerText.length > 40 ? "" : "text",
    ...[...document.querySelectorAll(waits)].map((each) => each.dataset.testid),
    ...without("[data-testid=stPlotlyChart]", ".main-svg").map(() => "a chart"),
    ...document.getAnimations().filter((each) => each.playState === "running").map(() => "a fade"),
  ].filter(Boolean);
}"""


@contextmanager
def simulated_company(folder: Path, *, days: int) -> Iterator[tuple[str, dict[str, str]]]:
    """Both processes over `days` days of history: the dashboard's address, and the path of each page."""
    ingest = IngestProcess(folder)
    fill(load_settings(database_url=f"duckdb:///{ingest.database}"), days=days)
    connection = open_owned(ingest.database, memory_limit="1GB", threads=1)
    run, pipeline, job, alert = connection.execute(SHOWN).fetchall()[0]
    connection.close()
    paths = {name: f"/{name}" for name in PAGES} | {
        "overview": "/",
        "run": f"/run?id={run}",
        "pipeline": f"/pipeline?id={pipeline}",
        "log": f"/log?id={run}&job={job}",
        "alert": f"/alert?id={alert}",
        "setup": "/setup?provider=github-actions",
        "explore": "/explore?sql=SELECT repository, count(*) AS runs FROM runs GROUP BY repository",
    }
    ingest.start()
    try:
        with dashboard(ingest) as (_, address):
            yield address, paths
    finally:
        ingest.stop()


def open_in(page: Page, address: str, theme: str) -> None:
    """Open the page in the theme, and wait until no part, chart or fade is under way.

    Each theme is loaded anew: now and then Streamlit misses a change of theme while it loads.
    """
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light", reduced_motion="reduce")
    page.goto(address)
    wait_until_drawn(page, theme)


def wait_until_drawn(page: Page, theme: str) -> None:
    try:
        page.wait_for_function(f"(background) => ({PENDING})(background).length === 0", arg=BACKGROUNDS[theme])
    except PlaywrightTimeout:
        pending = page.evaluate(PENDING, BACKGROUNDS[theme])
        raise AssertionError(f"{page.url} in its {theme} theme waits for {pending}") from None
