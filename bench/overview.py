"""The overview page on a long history: one full script run, and the queries behind it, over the SQL endpoint.

The ratio is against a bare page that shows the same kinds of elements without any data. Part of `bench.pages`.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from streamlit.testing.v1 import AppTest

from bench.history import RUNS, own_copy
from bench.load import Load, generator, send
from bench.processes import ROOT, ingest_environment, launch_ingest, stopped_in_the_end
from core.settings import settings

BARE = """
import pandas as pd, plotly.graph_objects as go, streamlit as st
for column in st.columns(4):
    column.metric("Tile", 1, 2)
st.plotly_chart(go.Figure([go.Bar(x=list(range(7)), y=[1] * 7) for _ in range(3)]))
st.dataframe(pd.DataFrame({"run": range(15)}))
"""


@dataclass(frozen=True, slots=True)
class Figures:
    """Medians in milliseconds."""

    bare: float
    quiet: float
    after_a_delivery: float


def measure(runs: int = RUNS, rounds: int = 15) -> Figures:
    """Script times of a bare page, of the overview while nothing arrives, and of its first run after a delivery."""
    with tempfile.TemporaryDirectory(prefix="bench-overview-") as name, generator() as pool:
        folder = Path(name)
        own_copy(runs, folder)
        environment = ingest_environment(folder / "health.duckdb")
        with stopped_in_the_end(launch_ingest(environment, folder)) as service, settings_of(environment):
            bare = _median(AppTest.from_string(BARE, default_timeout=60), rounds, lambda _: None)
            page = AppTest.from_file(str(ROOT / "dashboard" / "app.py"), default_timeout=60)
            quiet = _median(page, rounds, lambda _: None)

            def deliver(number: int) -> None:
                pool.submit(send, Load(service.port, 1, first_run=1_000_000 + number, connections=1)).result()

            return Figures(bare, quiet, _median(page, rounds, deliver))


def _median(page: AppTest, rounds: int, before: Callable[[int], None]) -> float:
    """Median of one warm script run in milliseconds. Raises RuntimeError when the page shows an exception."""
    times = []
    for number in range(rounds + 2):
        before(number)
        begun = time.perf_counter()
        page.run()
        times.append(time.perf_counter() - begun)
        if page.exception:
            raise RuntimeError(page.exception[0].message)
    return statistics.median(times[2:]) * 1000


@contextmanager
def settings_of(environment: dict[str, str]) -> Iterator[None]:
    """This process has the settings of `environment` for a while."""
    before = dict(os.environ)
    os.environ.update(environment)
    settings.cache_clear()
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
        settings.cache_clear()
