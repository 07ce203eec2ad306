"""The pipeline status chart: one theme, one palette, figures as plain dictionaries (`go.Figure` is slow)."""

from datetime import date, datetime, timedelta
from html import escape
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from dashboard.parts.filters import OUTCOMES, View, midnight

# Okabe and Ito's bluish green, vermilion and sky blue: apart for colour-blind eyes, readable on white and on black.
COLOURS = {"success": "#009e73", "failed": "#d55e00", "running": "#56b4e9"}
NAMES = {"success": "Success", "failed": "Failed", "running": "Running"}
COUNTS = ["success", "failed", "running", "cancelled", "pipelines", "failed_pipelines"]
CHART = "outcome_chart"


def days_until(now: datetime, zone: ZoneInfo, count: int) -> list[date]:
    """The `count` calendar days of `zone` that end with today, oldest first."""
    today = now.astimezone(zone).date()
    return [today - timedelta(days=back) for back in reversed(range(count))]


def chart_start(days: list[date], zone: ZoneInfo) -> datetime:
    """The UTC time of the first midnight."""
    return midnight(days[0], zone)


def by_day(outcomes: pd.DataFrame, days: list[date]) -> pd.DataFrame:
    """The rows of `daily_outcomes`, one for each of `days`: counts are 0 and means NaN where nothing ran."""
    indexed = outcomes.set_index(pd.to_datetime(outcomes["day"])).reindex(pd.DatetimeIndex(days, name="date"))
    indexed[COUNTS] = indexed[COUNTS].fillna(0).astype(int)
    return indexed


def status_figure(daily: pd.DataFrame, view: View) -> dict[str, Any]:
    """Stacked bars by day; the segment that the URL names stands out, the others fade."""
    days = [f"{day:%Y-%m-%d}" for day in daily.index]
    traces = []
    for outcome, colour in COLOURS.items():
        trace: dict[str, Any] = {
            "type": "bar", "name": NAMES[outcome], "x": days, "y": daily[outcome].tolist(),
            "marker": {"color": colour}, "unselected": {"marker": {"opacity": 0.3}},
            "hovertemplate": "%{x|%a %-d %b}: <b>%{y}</b> " + NAMES[outcome].lower() + "<extra></extra>",
        }  # fmt: skip
        if view.day and view.outcome:
            chosen = f"{view.day:%Y-%m-%d}"
            trace["selectedpoints"] = [days.index(chosen)] if outcome == view.outcome and chosen in days else []
        traces.append(trace)
    layout = {
        "barmode": "stack", "bargap": 0.35 if len(days) <= 7 else 0.15, "height": 296, "clickmode": "event+select",
        "dragmode": False, "margin": {"l": 8, "r": 8, "t": 8, "b": 8}, "hovermode": "closest",
        "paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)",
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "traceorder": "normal"},
        "xaxis": {
            "type": "date", "tickformat": "%a %-d %b" if len(days) <= 7 else "%-d %b", "fixedrange": True,
            "showgrid": False, **({"dtick": 86_400_000} if len(days) <= 7 else {"nticks": 8}),
        },
        "yaxis": {"fixedrange": True, "rangemode": "tozero", "automargin": True, **whole_numbers(daily[list(COLOURS)])},
    }  # fmt: skip
    return {"data": traces, "layout": layout}


def whole_numbers(stacked: pd.DataFrame) -> dict[str, Any]:
    """What an axis of counts, stacked by row, needs so that no tick lies between two whole numbers."""
    most = stacked.sum(axis="columns", numeric_only=True).max() if len(stacked) else 0
    return {"tickformat": ",d"} | ({"dtick": 1} if most <= 5 else {"nticks": 5})


# Series that are no outcome: Okabe and Ito's blue, orange, green, pink, sky blue, and grey for the rest.
SERIES = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#999999")


def figure(traces: list[dict[str, Any]], *, height: int = 260, **layout: Any) -> dict[str, Any]:
    """A figure in the one theme; `layout` adds to it, and its axes keep what the theme says of them."""
    axis: dict[str, Any] = {"fixedrange": True, "automargin": True}
    base: dict[str, Any] = {
        "height": height, "dragmode": False, "margin": {"l": 8, "r": 8, "t": 8, "b": 8}, "hovermode": "closest",
        "paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)",
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "traceorder": "normal"},
        "xaxis": axis | {"showgrid": False} | layout.pop("xaxis", {}),
        "yaxis": axis | {"rangemode": "tozero", "nticks": 5} | layout.pop("yaxis", {}),
    }  # fmt: skip
    return {"data": traces, "layout": base | layout}


def label(value: str) -> str:
    """A text from outside for a legend or an axis: Plotly reads a few HTML tags, which then show as they are."""
    return escape(value, quote=False)


def draw(shown: dict[str, Any], *, key: str, alt: str) -> None:
    """A figure to look at; nothing happens on a click."""
    st.plotly_chart(shown, key=key, config={"displayModeBar": False}, alt=alt)


def draw_status(daily: pd.DataFrame, view: View) -> None:
    """The chart; a click on a segment puts its day and outcome into the URL, which the table follows."""
    figure = status_figure(daily, view)
    days = len(daily)
    totals = ", ".join(f"{int(daily[outcome].sum()):,} {NAMES[outcome].lower()}" for outcome in COLOURS)
    st.plotly_chart(
        figure, key=_key(), on_select=_follow_click, selection_mode="points", config={"displayModeBar": False},
        alt=f"Runs of the last {days} days by outcome: {totals}",
    )  # fmt: skip


def clear_pick() -> None:
    """Forget the picked segment; a new key makes the browser forget it too."""
    st.query_params.pop("day", None)
    st.query_params.pop("outcome", None)
    st.session_state["chart_version"] = st.session_state.get("chart_version", 0) + 1


def _key() -> str:
    return f"{CHART}_{st.session_state.get('chart_version', 0)}"


def _follow_click() -> None:
    points = st.session_state[_key()]["selection"]["points"]
    if not points:
        clear_pick()
        return
    # The browser's word, so it is checked like any other input.
    outcome, day = picked(points[0])
    if outcome and day:
        st.query_params["day"], st.query_params["outcome"] = day.isoformat(), outcome


def picked(point: dict[str, Any]) -> tuple[str | None, date | None]:
    """(outcome, day) of a clicked point, None where it names neither."""
    outcomes = list(COLOURS)
    curve = point.get("curve_number")
    outcome = outcomes[curve] if isinstance(curve, int) and 0 <= curve < len(outcomes) else None
    try:
        return (outcome if outcome in OUTCOMES else None), date.fromisoformat(str(point.get("x"))[:10])
    except ValueError:
        return None, None
