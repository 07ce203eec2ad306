"""One regression: its series before and after, each run a point that leads to it."""

from typing import Any

import pandas as pd
import streamlit as st

from core.insights import regressions
from dashboard.parts import charts
from dashboard.parts.failure_detail import moment
from dashboard.parts.formats import duration, first_line, plain, run_path, text
from dashboard.parts.insight import Opened
from dashboard.reads import insights as reads


def draw(row: "pd.Series[str]", page: Opened) -> None:
    """`row`: of duration_changes."""
    found: dict[str, Any] = {str(name): value for name, value in row.items()}
    zone = page.view.zone
    what = f"{found['pipeline']} › {found['job']}" if found["job"] else found["pipeline"]
    word = "slower" if found["ratio"] > 1 else "faster"
    series = reads.regression_series(text(found["pipeline_id"]), text(found["job"]))
    with st.container(border=True, key="regression_one"):
        st.header(plain(f"{what} in {found['repository']}"), anchor=False)
        percent = abs(found["ratio"] - 1) * 100
        st.markdown(
            f"**{percent:.0f} % {word}** since **{plain(moment(found['changed_at'], zone))}**, first at commit "
            f"[**{plain(text(found['head_sha'])[:7])}**]({run_path(found['attempt_id'])}) "
            f"{plain(first_line(found['commit_message']))} "
            f"by {plain(text(found['commit_author']) or 'somebody')}; "
            f"{duration(found['before_seconds'])} before ({found['runs_before']} runs), "
            f"{duration(found['after_seconds'])} after ({found['runs_after']} runs)",
        )
        left, right = (
            series[series["begun_at"] < found["changed_at"]],
            series[series["begun_at"] >= found["changed_at"]],
        )
        traces = [
            _points(left, "Before", charts.SERIES[0], zone.key),
            _points(right, "After", charts.COLOURS["failed" if word == "slower" else "success"], zone.key),
            _median(left.tail(found["runs_before"]), found["before_seconds"], zone.key),
            _median(right.head(found["runs_after"]), found["after_seconds"], zone.key),
        ]
        shown = charts.figure(
            traces, height=280, yaxis={"ticksuffix": " min"}, xaxis={"type": "date", "tickformat": "%-d %b"}
        )
        charts.draw(shown, key="regression_chart", alt=f"Durations of {what}, {percent:.0f} % {word} since the change")
        if not found["on_default"]:
            st.caption(f"Runs of all branches: the default one has fewer than {regressions.LEAST_DEFAULT}.")


def _points(rows: pd.DataFrame, name: str, colour: str, zone: str) -> dict[str, object]:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": _local(rows, zone),
        "y": (rows["seconds"] / 60).tolist(),
        "marker": {"size": 5, "color": colour, "opacity": 0.75},
        "customdata": [
            [duration(float(seconds)), text(sha)[:7]]
            for seconds, sha in zip(rows["seconds"], rows["head_sha"], strict=True)
        ],
        "hovertemplate": "%{x|%a %-d %b, %H:%M}: <b>%{customdata[0]}</b>, commit %{customdata[1]}<extra></extra>",
    }


def _median(rows: pd.DataFrame, seconds: float, zone: str) -> dict[str, object]:
    ends = _local(rows.iloc[[0, -1]], zone) if len(rows) else []
    return {
        "type": "scatter",
        "mode": "lines",
        "x": ends,
        "y": [seconds / 60] * len(ends),
        "showlegend": False,
        "line": {"width": 2, "color": charts.SERIES[-1]},
        "hoverinfo": "skip",
    }


def _local(rows: pd.DataFrame, zone: str) -> list[str]:
    return [f"{at:%Y-%m-%d %H:%M}" for at in rows["begun_at"].dt.tz_convert(zone)]
