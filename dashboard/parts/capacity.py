"""Where capacity is short: the heat map of queue times, and how many jobs run at once over time."""

from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from dashboard.parts import charts
from dashboard.parts.formats import count, duration

DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
HOURS = [f"{hour:02d}" for hour in range(24)]
# From nothing to blue, so that it reads on white and on black.
HEAT = [[0, "rgba(0, 114, 178, 0.06)"], [1, "rgba(0, 114, 178, 1)"]]
DAILY_ABOVE = 8 * 24  # hours; a longer window shows the peak of each day


def queue_heat(hours: pd.DataFrame) -> None:
    """The 95th percentile of queue times by weekday and hour. `hours`: the rows of queue_hours."""
    st.header(
        "Queue time by weekday and hour",
        anchor=False,
        help="From a job's creation to its start, 95th percentile, by the hour of your time zone at which it was "
        "created. Skipped jobs don't count.",
    )
    if hours.empty:
        st.caption("No job in this window says when it was created and when it started.")
        return
    cells = {(int(row["weekday"]), int(row["hour"])): row for _, row in hours.iterrows()}
    heat: list[list[float | None]] = []
    words: list[list[str]] = []
    for weekday in range(1, 8):
        found = [cells.get((weekday, hour)) for hour in range(24)]
        heat.append([None if cell is None else float(cell["p95_seconds"]) for cell in found])
        words.append(
            [
                ""
                if cell is None
                else f"p95 <b>{duration(cell['p95_seconds'])}</b>, median {duration(cell['p50_seconds'])}, "
                f"{count(int(cell['jobs']), 'job', 'jobs')}"
                for cell in found
            ]
        )
    trace = {
        "type": "heatmap", "x": HOURS, "y": DAYS, "z": heat, "text": words, "colorscale": HEAT, "xgap": 2, "ygap": 2,
        "hoverongaps": False, "hovertemplate": "%{y} %{x}:00  %{text}<extra></extra>",
        "colorbar": {"thickness": 8, "outlinewidth": 0, "ticksuffix": " s", "nticks": 4},
    }  # fmt: skip
    weekday, hour = max(cells, key=lambda cell: float(cells[cell]["p95_seconds"]))
    alt = f"Queue times by weekday and hour; the longest on {DAYS[weekday - 1]} at {hour:02d}:00"
    shown = charts.figure(
        [trace],
        height=300,
        yaxis={"autorange": "reversed", "type": "category", "showgrid": False, "nticks": 7},
        xaxis={"type": "category", "nticks": 12},
    )
    charts.draw(shown, key="queue_heat", alt=alt)


def load_over_time(hours: pd.DataFrame, zone: ZoneInfo) -> None:
    """The most jobs at once, by hour, or by day of `zone` where the window is long. `hours`: rows of cost.load."""
    st.header(
        "Jobs at the same time",
        anchor=False,
        help="The most jobs that ran at once in each hour (in each day of your time zone, for windows above 8 days).",
    )
    local = hours.assign(hour=hours["hour"].dt.tz_convert(zone))
    is_daily = len(local) > DAILY_ABOVE
    if is_daily:
        local = local.groupby(local["hour"].dt.date)["peak"].max().rename_axis("hour").reset_index()
    moments = [f"{moment:%Y-%m-%d}" if is_daily else f"{moment:%Y-%m-%d %H:00}" for moment in local["hour"]]
    when = "%{x|%a %-d %b}" if is_daily else "%{x|%a %-d %b, %H:00}"
    trace = {
        "type": "bar" if is_daily else "scatter", "x": moments, "y": local["peak"].tolist(),
        "marker": {"color": charts.SERIES[0]}, "hovertemplate": f"{when}: <b>%{{y}}</b> at once<extra></extra>",
        **({} if is_daily else {"mode": "lines", "line": {"shape": "hv", "width": 1.5}, "fill": "tozeroy"}),
    }  # fmt: skip
    most = int(local["peak"].max()) if len(local) else 0
    charts.draw(
        charts.figure(
            [trace],
            height=300,
            bargap=0.3,
            xaxis={"type": "date", "nticks": 8, "tickformat": "%-d %b" if is_daily else "%-d %b %H:%M"},
        ),
        key="load_over_time",
        alt=f"Jobs at the same time; the most was {most}",
    )
