"""All runs under the filters, a page at a time: what "View all" opens."""

from datetime import UTC, datetime

import streamlit as st

from dashboard import data
from dashboard.parts import csv_export, filters, notices, runs_table
from dashboard.parts.formats import count

PER_PAGE = 50


@notices.explained
def all_runs() -> None:
    """Title, filters, table, page numbers."""
    fresh = data.freshness()
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.title("Runs", anchor=False, width="content")
        notices.simulated_label(fresh)
    notices.offline_banner(data.source())
    view = filters.filter_row(with_status=True)
    now = datetime.now(UTC)
    query = view.run_query(now)
    total = data.run_count(query)
    with st.container(border=True, key="all_runs"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.subheader(count(total, "run", "runs"), anchor=False)
            if view.day:
                st.button(
                    f"{view.day:%a} {view.day.day} {view.day:%b}",
                    icon=":material/close:",
                    icon_position="right",
                    key="clear_day",
                    on_click=_clear_day,
                    help="Show the whole window again",
                )
            csv_export.button(query)
        if not total:
            notices.nothing_matches()
            return
        pages = -(-total // PER_PAGE)
        table = st.container()
        page = st.pagination(pages, key="page", bind="query-params") if pages > 1 else 1
        with table:
            runs = data.runs(query, limit=PER_PAGE, offset=(page - 1) * PER_PAGE)
            runs_table.draw(runs_table.rows(runs, now=now, zone=view.zone), key="all_runs_table")


def _clear_day() -> None:
    st.query_params.pop("day", None)


all_runs()
