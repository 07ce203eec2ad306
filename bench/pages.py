"""Each page that looks over a long history: one script run while nothing arrives, and the overview's after a webhook.

Over the SQL endpoint. The ratio is against a bare page (`bench.overview`). `python -m bench.pages --runs 1000000`.
"""

import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import streamlit as st
from streamlit.testing.v1 import AppTest

from bench.history import RUNS, own_copy
from bench.overview import BARE, settings_of
from bench.overview import measure as after_deliveries
from bench.processes import ROOT, ingest_environment, launch_ingest, stopped_in_the_end
from bench.report import Report, Table, parser

PAGES: dict[str, tuple[str, dict[str, str]]] = {
    "overview": ("overview", {}),
    "pipelines": ("pipelines", {}),
    "pipelines, 90 days": ("pipelines", {"window": "90d"}),
    "pipeline": ("pipeline", {"id": "gh-1-0", "window": "30d"}),
    "runs": ("runs", {}),
    "runs, all of them": ("runs", {"window": "all"}),
    "runs, a word in all": ("runs", {"window": "all", "q": "number 99999"}),
    "runs, by author": ("runs", {"by": "author", "window": "all"}),
    "explore": ("explore", {"sql": "SELECT repository, count(*) AS runs FROM runs GROUP BY repository ORDER BY runs"}),
}


@dataclass(frozen=True, slots=True)
class Times:
    """Milliseconds of one script run: the first, with nothing kept, and the median of the warm ones."""

    first: float
    warm: float


def measure(runs: int, rounds: int) -> Iterator[tuple[str, Times]]:
    """(page, its times), the bare page first. Raises RuntimeError where a page shows an exception or an error."""
    with tempfile.TemporaryDirectory(prefix="bench-pages-") as name:
        folder = Path(name)
        own_copy(runs, folder)
        environment = ingest_environment(folder / "health.duckdb")
        with stopped_in_the_end(launch_ingest(environment, folder)), settings_of(environment):
            yield "bare page", _times(AppTest.from_string(BARE, default_timeout=120), rounds)
            for label, (page, query) in PAGES.items():
                st.cache_data.clear()
                yield label, _times(_page(page, query), rounds)


def _page(name: str, query: dict[str, str]) -> AppTest:
    test = AppTest.from_file(str(ROOT / "dashboard" / "app.py"), default_timeout=120)
    if name != "overview":
        test.switch_page(f"views/{name}.py")
    for key, value in query.items():
        test.query_params[key] = value
    return test


def _times(page: AppTest, rounds: int) -> Times:
    times = []
    for _ in range(rounds + 1):
        begun = time.perf_counter()
        page.run()
        times.append((time.perf_counter() - begun) * 1000)
        if page.exception or page.error:
            raise RuntimeError([*page.exception, *page.error][0])
    return Times(times[0], statistics.median(times[1:]))


def main() -> None:
    arguments = parser("pages", __doc__)
    arguments.add_argument("--runs", type=int, default=RUNS)
    arguments.add_argument("--rounds", type=int, default=9)
    chosen = arguments.parse_args()
    report = Report("pages", chosen)
    runs, rounds = (20_000, 2) if chosen.quick else (chosen.runs, chosen.rounds)
    found = dict(measure(runs, rounds))
    bare = found["bare page"].warm
    rows = [(label, times.warm, times.warm / bare, times.first) for label, times in found.items()]
    overview = after_deliveries(runs, rounds)
    report.keep(
        {
            "script": Table((f"page, {runs:,} runs", "warm, ms", "× bare", "first, ms"), rows),
            "delivery": Table(
                (f"overview, {runs:,} runs", "ms", "× bare"),
                [
                    ("a bare page", overview.bare, 1.0),
                    ("nothing arrived since", overview.quiet, overview.quiet / overview.bare),
                    (
                        "a webhook arrived just before",
                        overview.after_a_delivery,
                        overview.after_a_delivery / overview.bare,
                    ),
                ],
            ),
        }
    )


if __name__ == "__main__":
    main()
