"""A simple chart of any result: pick what goes along, what goes up, and how it is drawn."""

from typing import Any

import pandas as pd
import streamlit as st

from dashboard.parts import charts
from dashboard.parts.formats import NOTHING

KINDS = {"bar": "Bars", "line": "Line", "area": "Area", "points": "Points"}
MOST_POINTS = 2_000
MOST_SERIES = len(charts.SERIES)


def draw(rows: pd.DataFrame) -> None:
    """Three selects and the figure; says so where the result has nothing to draw."""
    numbers = [name for name in rows.columns if pd.api.types.is_numeric_dtype(rows[name])]
    if rows.empty or not numbers:
        st.caption("A chart needs a column of numbers.")
        return
    others = [name for name in rows.columns if name not in numbers]
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        along = st.selectbox("Along", list(rows.columns), index=_first(rows, others), width=220)
        up = st.multiselect(
            "Up", numbers, default=[name for name in numbers if name != along][:1] or numbers[:1],
            max_selections=MOST_SERIES, width=320,
        )  # fmt: skip
        kind = st.segmented_control("Kind", list(KINDS), default="bar", required=True, format_func=KINDS.__getitem__)
    if not along or not up:
        return
    st.plotly_chart(
        figure(rows.head(MOST_POINTS), along, up, kind or "bar"), key="explore_chart",
        config={"displayModeBar": False}, alt=f"{', '.join(up)} by {along}",
    )  # fmt: skip
    if len(rows) > MOST_POINTS:
        st.caption(f"The first {MOST_POINTS:,} rows.")


def _first(rows: pd.DataFrame, others: list[str]) -> int:
    return list(rows.columns).index(others[0]) if others else 0


def figure(rows: pd.DataFrame, along: str, up: list[str], kind: str) -> dict[str, Any]:
    """The figure; names and values from outside are shown as text."""
    values = rows[along]
    x: list[Any] = (
        values.astype(str).tolist()
        if pd.api.types.is_datetime64_any_dtype(values)
        else [None if pd.isna(value) else value for value in values]
        if along in rows.select_dtypes("number").columns
        else [NOTHING if pd.isna(value) else charts.label(str(value)) for value in values]
    )
    look: dict[str, dict[str, Any]] = {
        "bar": {"type": "bar"},
        "line": {"type": "scatter", "mode": "lines"},
        "area": {"type": "scatter", "mode": "lines", "fill": "tozeroy"},
        "points": {"type": "scattergl", "mode": "markers"},
    }
    traces = [
        look[kind] | {
            "name": charts.label(name), "x": x, "y": [None if pd.isna(value) else float(value) for value in rows[name]],
            "marker": {"color": colour}, "line": {"color": colour} if kind in ("line", "area") else {},
        }
        for name, colour in zip(up, charts.SERIES, strict=False)
    ]  # fmt: skip
    for trace in traces:
        if not trace["line"]:
            del trace["line"]
    return charts.figure(traces, height=340, barmode="group", showlegend=len(up) > 1, hovermode="x unified")
