"""The runs explorer: filter by anything, search, group, export; a link is a saved view."""

from datetime import UTC, datetime

import streamlit as st

from core.settings import settings
from dashboard import data
from dashboard.data import Freshness
from dashboard.parts import metric_table, notices, run_filters, run_groups, runs_export, runs_table
from dashboard.parts.formats import count
from dashboard.parts.frame_csv import csv_of
from dashboard.parts.metric_table import Sort
from dashboard.parts.run_filters import Chosen
from dashboard.reads import runs as reads

PER_PAGE = 50


@notices.explained
def all_runs() -> None:
    """Title, filters, the runs or their groups, page numbers."""
    fresh = data.freshness()
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.title("Runs", anchor=False, width="content")
        notices.simulated_label(fresh)
    notices.offline_banner(data.source())
    if not fresh.runs:
        notices.first_steps(settings())
        return
    now = datetime.now(UTC)
    chosen = run_filters.draw(now)
    with st.container(border=True, key="all_runs"):
        if chosen.by:
            _groups(fresh, chosen, now)
        else:
            _runs(fresh, chosen, now)


def _runs(fresh: Freshness, chosen: Chosen, now: datetime) -> None:
    total = reads.total(fresh, chosen.search)
    many = total > reads.COUNTED
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.header(
            f"More than {reads.COUNTED:,} runs" if many else count(total, "run", "runs"), anchor=False, width="content"
        )
        _picked(chosen)
        run_filters.draw_order(chosen)
        runs_export.draw(chosen.search, total)
    if not total:
        notices.nothing_matches()
        return
    pages = -(-min(total, reads.COUNTED) // PER_PAGE)
    table = st.container()
    page = st.pagination(pages, key="page", bind="query-params") if pages > 1 else 1
    if many:
        st.caption(f"The first {reads.COUNTED:,} runs can be paged through; filters or another order lead to the rest.")
    with table:
        found = reads.page(fresh, chosen.search, sort=chosen.sort, limit=PER_PAGE, offset=(page - 1) * PER_PAGE)
        runs_table.draw(runs_table.rows(found, now=now, zone=chosen.zone), key="all_runs_table")


def _groups(fresh: Freshness, chosen: Chosen, now: datetime) -> None:
    groups = reads.groups(fresh, chosen.search, by=chosen.by or "", zone=chosen.zone)
    sort = Sort.of(st.query_params.get("order", ""), run_groups.COLUMNS)
    groups = run_groups.ordered(groups, sort)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.header(
            f"{count(int(groups['runs'].sum()), 'run', 'runs')} in {count(len(groups), 'group', 'groups')}",
            anchor=False, width="content",
        )  # fmt: skip
        _picked(chosen)
        run_filters.draw_order(chosen)
        st.download_button(
            "CSV", lambda: csv_of(groups), "run-groups.csv", "text/csv", icon=":material/download:", on_click="ignore"
        )
    if groups.empty:
        notices.nothing_matches()
        return
    rows = run_groups.rows(groups, chosen, st.query_params.to_dict(), now)
    asked = metric_table.draw(run_groups.COLUMNS, rows, key="groups_table", sort=sort)
    if len(groups) == reads.MOST_GROUPS:
        st.caption(f"The {reads.MOST_GROUPS} largest groups.")
    if asked:
        st.query_params["order"] = asked
        st.rerun()


def _picked(chosen: Chosen) -> None:
    """The day that a chart led to, with a way back to the window."""
    if chosen.day:
        st.button(
            f"{chosen.day:%a} {chosen.day.day} {chosen.day:%b}",
            icon=":material/close:",
            icon_position="right",
            key="clear_day",
            on_click=_clear_day,
            help="Show the whole window again",
        )


def _clear_day() -> None:
    st.query_params.pop("day", None)


all_runs()
