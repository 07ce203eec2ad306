"""The insight pages on a long history: one full script run each, first and again, over the SQL endpoint.

`python -m bench.insights --runs 1000000`. The history gets two jobs a run, and the telling lines of 50,000 failures.
"""

import argparse
import statistics
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import streamlit as st
from streamlit.testing.v1 import AppTest

from bench.history import RUNS, own_copy
from bench.overview import _settings_of
from bench.processes import ROOT, ingest_environment, launch_ingest, stopped_in_the_end
from core.settings import load_settings
from core.store.database import opened
from core.store.duckdb_file import open_owned
from core.store.duration_changes import find_changes
from core.store.writer import Writer

PAGES = ("failures", "flaky", "regressions", "dora", "cost", "digest")
WINDOWS = ("7d", "30d", "90d")

JOBS = """
INSERT INTO jobs
SELECT
    format('{}-{}', r.id, n), r.id, r.provider, format('{}{}', r.run_id, n), ['build', 'test'][n],
    CASE WHEN n = 1 AND r.status = 'failed' AND hash(r.id) % 3 > 0 THEN 'success' ELSE r.status END, r.conclusion,
    'runner', ['ubuntu-24.04', 'windows-2025', 'macos-15'][CAST(1 + hash(r.pipeline_id) % 3 AS INTEGER)], NULL,
    r.created_at, r.started_at, r.finished_at - to_seconds((2 - n) * r.duration_seconds // 3),
    r.duration_seconds * (1 + n) // 3, CAST(hash(r.id || n::VARCHAR) % 90 AS BIGINT), r.version
FROM workflow_runs AS r, (VALUES (1), (2)) AS t(n)
WHERE r.finished_at IS NOT NULL"""

LINES = """
INSERT INTO failure_lines
SELECT id, format('{:04d}', hash(id) % 400), format('error {} in <path>: it broke <n> times', chr(CAST(65 + hash(id) % 26 AS INTEGER)) || chr(CAST(65 + (hash(id) % 400) // 26 AS INTEGER))),
    format('error in src/x.c: it broke {} times', hash(id) % 90), 1, now()
FROM jobs WHERE status = 'failed' ORDER BY finished_at DESC LIMIT 50000"""


def add_jobs(connection: duckdb.DuckDBPyConnection) -> None:
    """Two jobs for every finished run, and why 50,000 of the failed ones failed."""
    connection.execute(JOBS)
    connection.execute(LINES)


def measure(runs: int, rounds: int) -> tuple[dict[tuple[str, str], tuple[float, float]], float]:
    """(page, window) → milliseconds of its first script run and the median of those after; seconds to find all changes."""
    with tempfile.TemporaryDirectory(prefix="bench-insights-") as name:
        folder = Path(name)
        path = own_copy(runs, folder)
        connection = open_owned(path, memory_limit="4GB", threads=2)
        add_jobs(connection)
        connection.execute("CHECKPOINT")
        connection.close()
        with opened(load_settings(database_url=f"duckdb:///{path}")) as database:
            writer = Writer(database.session())
            begun = time.perf_counter()
            find_changes(database.reader, writer, datetime.now(UTC), {})
            looked = time.perf_counter() - begun
            writer.close()
        environment = ingest_environment(path) | {"RUN_SCHEDULER": "false"}
        with stopped_in_the_end(launch_ingest(environment, folder)), _settings_of(environment):
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
    parser = argparse.ArgumentParser(prog="python -m bench.insights", description=__doc__)
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    found, looked = measure(chosen.runs, chosen.rounds)
    print(
        f"Insight pages on {chosen.runs:,} runs, {2 * chosen.runs:,} jobs; milliseconds of a script run: first, again"
    )
    for (page, window), (first, again) in found.items():
        print(f"  {page:12} {window:>4} {first:8.0f} {again:8.0f}")
    print(f"Looking at the durations of all pipelines (hourly, in ingest): {looked:.1f} s")


if __name__ == "__main__":
    main()
