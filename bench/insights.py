"""The insight pages on a long history: one full script run each, first and again, over the SQL endpoint.

`python -m bench.insights --runs 1000000`. The history gets the telling lines of 50,000 failures.
"""

import statistics
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import streamlit as st
from streamlit.testing.v1 import AppTest

from bench.history import RUNS, own_copy
from bench.overview import settings_of
from bench.processes import ROOT, ingest_environment, launch_ingest, stopped_in_the_end
from bench.report import Cell, Report, Table, parser
from core.settings import load_settings
from core.store.database import opened
from core.store.duckdb_file import open_owned
from core.store.duration_changes import find_changes
from core.store.writer import Writer

PAGES = ("failures", "flaky", "regressions", "dora", "cost", "digest")
WINDOWS = ("7d", "30d", "90d")

LINES = """
INSERT INTO failure_lines
SELECT id, format('{:04d}', hash(id) % 400), format('error {} in <path>: it broke <n> times', chr(CAST(65 + hash(id) % 26 AS INTEGER)) || chr(CAST(65 + (hash(id) % 400) // 26 AS INTEGER))),
    format('error in src/x.c: it broke {} times', hash(id) % 90), 1, now()
FROM jobs WHERE status = 'failed' ORDER BY finished_at DESC LIMIT 50000"""


def measure(runs: int, rounds: int) -> tuple[dict[tuple[str, str], tuple[float, float]], float]:
    """(page, window) → milliseconds of its first script run and the median of those after; seconds to find all changes."""
    with tempfile.TemporaryDirectory(prefix="bench-insights-") as name:
        folder = Path(name)
        path = own_copy(runs, folder)
        connection = open_owned(path, memory_limit="4GB", threads=2)
        connection.execute(LINES)
        connection.execute("CHECKPOINT")
        connection.close()
        with opened(load_settings(database_url=f"duckdb:///{path}")) as database:
            writer = Writer(database.session())
            begun = time.perf_counter()
            find_changes(database.reader, writer, datetime.now(UTC), {})
            looked = time.perf_counter() - begun
            writer.close()
        environment = ingest_environment(path) | {"RUN_SCHEDULER": "false"}
        with stopped_in_the_end(launch_ingest(environment, folder)), settings_of(environment):
            found = {(page, window): _page(page, window, rounds) for page in PAGES for window in WINDOWS}
    return found, looked


def _page(page: str, window: str, rounds: int) -> tuple[float, float]:
    """Milliseconds of the first script run and the median of those after. Raises RuntimeError where it shows an error."""
    test = AppTest.from_file(str(ROOT / "dashboard" / "app.py"), default_timeout=120)
    test.switch_page(f"views/{page}.py")
    test.query_params["window"] = window
    test.run()  # imports
    st.cache_data.clear()
    times = []
    for _ in range(rounds + 1):
        begun = time.perf_counter()
        test.run()
        times.append((time.perf_counter() - begun) * 1000)
        if test.exception or test.error:
            raise RuntimeError(f"{page}: {(test.exception or test.error)[0].value}")
    return times[0], statistics.median(times[1:])


def main() -> None:
    arguments = parser("insights", __doc__)
    arguments.add_argument("--runs", type=int, default=RUNS)
    arguments.add_argument("--rounds", type=int, default=5)
    chosen = arguments.parse_args()
    report = Report("insights", chosen)
    runs, rounds = (20_000, 1) if chosen.quick else (chosen.runs, chosen.rounds)
    found, looked = measure(runs, rounds)
    rows: list[list[Cell]] = [
        [page, *(milliseconds for window in WINDOWS for milliseconds in found[page, window])] for page in PAGES
    ]
    rows.append(["durations of all pipelines, in ingest", looked * 1000, *[None] * (2 * len(WINDOWS) - 1)])
    columns = [f"ms, {runs:,} runs", *(f"{window}, {when}" for window in WINDOWS for when in ("first", "again"))]
    report.keep({"script": Table(columns, rows)})


if __name__ == "__main__":
    main()
