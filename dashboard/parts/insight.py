"""What the insight pages share: how a page opens, its tiles, and tables whose numbers read as people write them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from urllib.parse import quote

import pandas as pd
import streamlit as st

from core.settings import settings
from dashboard import data
from dashboard.parts import filters, notices
from dashboard.parts.filters import View
from dashboard.parts.formats import run_path, text

ROW_HEIGHT = 33


@dataclass(frozen=True, slots=True)
class Opened:
    """What a page is about: the view of its filters, and the window's UTC times in whole minutes."""

    view: View
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Figure:
    """A number with its definition, one hover away."""

    label: str
    value: str
    definition: str
    note: str | None = None


def opened(title: str, definition: str, *, default_window: str = "30d") -> Opened | None:
    """Draw the head of a page and its filters; None (after saying what to do next) where there are no runs at all."""
    if not head(title, definition):
        return None
    view = filters.filter_row(default_window=default_window)
    # A minute ahead, so that what has just happened is in it while the bound stays the same for a minute.
    until = datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(minutes=1)
    return Opened(view, until - view.length, until)


def head(title: str, definition: str) -> bool:
    """The head of a page; False, after saying what to do next, where there are no runs at all."""
    fresh = data.freshness()
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.title(title, anchor=False, width="content", help=definition)
        notices.simulated_label(fresh)
    notices.offline_banner(data.source())
    if not fresh.runs:
        notices.first_steps(settings())
    return bool(fresh.runs)


def draw_figures(figures: list[Figure], *, key: str) -> None:
    """Tiles in one row, two beside each other where the screen is narrow."""
    with st.grid(len(figures), min_column_width=155, gap="small", key=key):
        for figure in figures:
            st.metric(
                figure.label, figure.value, figure.note, delta_color="off", delta_arrow="off",
                help=figure.definition, border=True, height="stretch",
            )  # fmt: skip


def table(
    rows: pd.DataFrame,
    columns: Mapping[str, Any],
    formats: Mapping[str, Callable[[Any], str]] | None = None,
    *,
    key: str,
    most_rows: int = 12,
    selectable: bool = False,
) -> int | None:
    """A table of `columns` (name → column config); returns the place of the row that was clicked.

    `formats` writes the cells of a column; it is still sorted by its numbers.
    """
    shown = rows[list(columns)].reset_index(drop=True)
    styled = shown.style.format(cast("Any", formats)) if formats else shown
    height = ROW_HEIGHT * (min(len(shown), most_rows) + 1) + 3
    common: dict[str, Any] = {
        "column_config": columns, "hide_index": True, "height": height, "key": key, "width": "stretch",
        "placeholder": "–",
    }  # fmt: skip
    if not selectable:
        st.dataframe(styled, **common)
        return None
    state = st.dataframe(styled, on_select="rerun", selection_mode="single-row", **common)
    picked = state["selection"]["rows"]
    return picked[0] if picked and 0 <= picked[0] < len(shown) else None


def run_link(run_id: object, label: object) -> str:
    """A cell of `run_column`: the address of the run's page, with what the link says."""
    return f"{run_path(run_id)}#{quote(text(label), safe='')}"


def run_column(label: str, definition: str | None = None) -> Any:
    return st.column_config.LinkColumn(label, display_text=r"#(.*)$", help=definition)
