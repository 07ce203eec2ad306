"""What the log viewer and the timelines are given, without a browser."""

from datetime import timedelta
from typing import Any

import pandas as pd
import pytest

from core.logs.keep import KeptLog
from core.logs.opened import OpenLog
from dashboard.parts import log_viewer, timeline
from dashboard.parts.formats import size
from tests.builders import NOON


def test_a_chunk_is_four_hundred_lines_and_the_last_is_what_is_left() -> None:
    kept = KeptLog(10_000_000)
    kept.feed("".join(f"line {number}\n" for number in range(1, 1_001)).encode())
    log = OpenLog(kept.packed())
    assert [len(log_viewer.lines(log, chunk)) for chunk in range(4)] == [400, 400, 200, 0]
    assert log_viewer.lines(log, 2)[0] == ["", "", 0, [["line 801", "", "", ""]]]


@pytest.mark.parametrize(
    "state",
    [None, {}, {"wanted": 7}, {"wanted": {"chunks": "12", "query": 9}}, {"wanted": {"chunks": [-1, "x", None]}}],
)
def test_a_browser_may_ask_for_anything(state: Any) -> None:
    assert log_viewer._wanted(state) == {"chunks": [], "query": ""}


def test_a_browser_gets_few_chunks_at_once() -> None:
    asked = log_viewer._wanted({"wanted": {"chunks": list(range(100)), "query": "q" * 1_000}})
    assert asked == {"chunks": [0, 1, 2, 3, 4], "query": "q" * 200}


def _row(name: str, status: str, *seconds: float | None) -> dict[str, Any]:
    times = [pd.NaT if each is None else pd.Timestamp(NOON + timedelta(seconds=each)) for each in seconds]
    return {"name": name, "status": status} | dict(zip(("created_at", "started_at", "finished_at"), times, strict=True))


def test_bars_lie_where_the_time_was() -> None:
    rows = timeline.rows(
        pd.DataFrame(
            [_row("a", "success", 0, 20, 60), _row("b", "running", 60, 80, None), _row("c", "queued", 90, None, None)]
        ),
        NOON + timedelta(seconds=100),
    )
    assert [(row["wait"], row["run"], row["took"]) for row in rows] == [
        ([0, 20], [20, 40], "40s"),
        ([60, 20], [80, 20], "20s"),
        (None, None, "–"),
    ]


def test_times_that_make_no_sense_draw_nothing() -> None:
    rows = timeline.rows(pd.DataFrame([_row("a", "success", 500, 20, 10), _row("b", "skipped", 0, 0, 0)]), NOON)
    assert [(row["wait"], row["run"]) for row in rows] == [(None, None), (None, None)]
    assert timeline.rows(pd.DataFrame(), NOON) == []


def test_bytes_have_three_figures_at_most() -> None:
    assert [size(number) for number in (0, 812, 3_420, 50_000_135, 7_200_000_000)] == [
        "0 B", "812 B", "3.4 kB", "50 MB", "7.2 GB",
    ]  # fmt: skip
