"""Every pipeline, with what a team lead asks about each: is it healthy, how fast, how reliable, better or worse."""

from datetime import UTC, datetime

import pandas as pd
import streamlit as st

from core.settings import settings
from dashboard import data
from dashboard.parts import filters, metric_table, notices, pipeline_rows
from dashboard.parts.filters import View
from dashboard.parts.formats import count
from dashboard.parts.frame_csv import csv_of
from dashboard.parts.metric_table import Sort
from dashboard.reads import pipelines as reads

PER_PAGE = 50
NOT_EXPORTED = ["repository_url"]


@notices.explained
def all_pipelines() -> None:
    """Title, filters, search, table, page numbers."""
    now = datetime.now(UTC)
    fresh = data.freshness()
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.title("Pipelines", anchor=False, width="content")
        notices.simulated_label(fresh)
    notices.offline_banner(data.source())
    if not fresh.runs:
        notices.first_steps(settings())
        return
    fresh = reads.held(fresh)
    view = filters.filter_row()
    table = reads.table(fresh, view.scope, reads.Window(view.length, now))
    with st.container(border=True, key="all_pipelines"):
        head = st.container(horizontal=True, vertical_alignment="center", gap="small")
        with head:
            title = st.empty()
            found = _narrowed(table)
        title.header(count(len(found), "pipeline", "pipelines"), anchor=False, width="content")
        if found.empty:
            notices.nothing_matches()
            return
        sort = Sort.of(st.query_params.get("sort", ""), pipeline_rows.COLUMNS) or pipeline_rows.DEFAULT_SORT
        found = pipeline_rows.ordered(found, sort)
        with head:
            st.download_button(
                "CSV", lambda: csv_of(found.drop(columns=NOT_EXPORTED)), "pipelines.csv", "text/csv",
                icon=":material/download:", on_click="ignore", help="These pipelines with all numbers, in this order.",
            )  # fmt: skip
        _table(found, fresh, view, sort, now)


def _narrowed(table: pd.DataFrame) -> pd.DataFrame:
    """The pipelines whose name holds the searched text and that are in the chosen state."""
    words = st.text_input(
        "Search", key="q", bind="query-params", placeholder="Search a name", label_visibility="collapsed", width=220,
        icon=":material/search:",
    )  # fmt: skip
    filters.take_code("state", list(pipeline_rows.STATES))
    state = st.segmented_control(
        "State", list(pipeline_rows.STATES), key="state", bind="query-params", label_visibility="collapsed",
        format_func=pipeline_rows.STATES.__getitem__,
    )  # fmt: skip
    if state:
        table = table[_in_state(table, state)]
    if words:
        named = (table["repository"] + " " + table["pipeline"]).str.casefold()
        for word in words.casefold().split():
            table = table[named.reindex(table.index).str.contains(word, regex=False)]
    return table


def _in_state(table: pd.DataFrame, state: str) -> "pd.Series[bool]":
    return table["status"].isna() if state == "none" else table["status"] == state


def _table(found: pd.DataFrame, fresh: data.Freshness, view: View, sort: Sort, now: datetime) -> None:
    pages = -(-len(found) // PER_PAGE)
    place = st.container()
    page = st.pagination(pages, key="page", bind="query-params") if pages > 1 else 1
    shown = found.iloc[(page - 1) * PER_PAGE : page * PER_PAGE]
    last = reads.last_runs(fresh, view.scope.branch)
    rows = pipeline_rows.rows(
        shown, last[last["pipeline_id"].isin(shown["pipeline_id"])],
        window=view.window, branch=view.scope.branch, now=now, zone=view.zone,
    )  # fmt: skip
    with place:
        asked = metric_table.draw(pipeline_rows.COLUMNS, rows, key="pipelines_table", sort=sort)
    if asked:
        st.query_params["sort"] = asked
        st.rerun()


all_pipelines()
