"""Explore: a person's own question in SQL, answered as a table and a chart; the link holds the question."""

import time

import streamlit as st

from core.documented_views import EXAMPLES, VIEWS
from core.errors import DashboardError
from core.settings import settings
from dashboard import data
from dashboard.parts import archive, explore_chart, notices
from dashboard.parts.formats import count, plain
from dashboard.parts.frame_csv import csv_of
from dashboard.reads import explore as reads
from dashboard.reads import ingest

LONGEST = 8_000
CODE = "<style>.st-key-query textarea { font-family: var(--st-code-font, monospace); font-size: 0.87rem; }</style>"


@notices.explained
def explore() -> None:
    """Title, question with examples, answer; the views and their columns beside it."""
    fresh = data.freshness()
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.title(
            "Explore", anchor=False, width="content",
            help="One SELECT in DuckDB's SQL over the views on the right. Nothing can be changed here.",
        )  # fmt: skip
        notices.simulated_label(fresh)
    notices.offline_banner(data.source())
    left, right = st.columns([7, 3], gap="medium")
    with left:
        asked = _question()
        if asked:
            _answer(asked)
        else:
            st.caption("Pick an example, or write a SELECT and run it. The link of this page then holds the query.")
    with right:
        _views()


def _question() -> str:
    """The query of the URL, the form that changes it, and examples that fill it; empty where nothing is asked yet."""
    st.html(CODE)
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="examples"):
        st.caption("Examples", width="content")
        for name, sql in EXAMPLES.items():
            st.button(
                name, key=f"example_{name}", on_click=_ask, args=(sql,), type="tertiary", icon=":material/play_arrow:"
            )
    asked = st.query_params.get("sql", "")
    if "query" not in st.session_state:
        st.session_state["query"] = asked
    with st.form("question", border=True, enter_to_submit=True):
        written = st.text_area(
            "SQL", key="query", height=190, max_chars=LONGEST, label_visibility="collapsed",
            placeholder="SELECT repository, count(*) AS runs FROM runs GROUP BY repository",
        )  # fmt: skip
        if st.form_submit_button("Run", icon=":material/play_arrow:", type="primary"):
            st.query_params["sql"] = asked = written or ""
    return asked.strip()


def _ask(sql: str) -> None:
    st.session_state["query"] = st.query_params["sql"] = sql


def _answer(asked: str) -> None:
    begun = time.perf_counter()
    try:
        found = _kept(asked)
    except DashboardError as error:
        st.error(plain(error.message), icon=":material/error:")
        if "\n" in error.message:
            st.code(error.message, language=None)
        if error.hint:
            st.caption(plain(error.hint))
        return
    rows = found.rows
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        cut = f"The first {len(rows):,} rows; there are more" if found.is_cut else count(len(rows), "row", "rows")
        st.caption(f"{cut} · {(time.perf_counter() - begun) * 1000:,.0f} ms", width="content")
        st.download_button(
            "CSV", lambda: csv_of(reads.ask(asked, limit=reads.EXPORTED).rows), "query.csv", "text/csv",
            icon=":material/download:", on_click="ignore", help=f"{reads.EXPORTED:,} rows at most.",
        )  # fmt: skip
    table, chart = st.tabs(["Table", "Chart"])
    with table:
        days = {name: st.column_config.DateColumn() for name in found.days}
        st.dataframe(rows, hide_index=True, width="stretch", column_config=days, height=min(36 * len(rows) + 38, 520))
    with chart:
        explore_chart.draw(rows)


@st.cache_data(ttl=30, max_entries=50, show_spinner="Asking …")
def _kept(asked: str) -> reads.Found:
    return reads.ask(asked)


def _views() -> None:
    """The schema: each view, what a row of it is, and its columns."""
    st.header("Views", anchor=False)
    if settings().is_shared:
        archive.not_asked(ingest.archived_files())
    for name, view in VIEWS.items():
        with st.expander(f"`{name}`"):
            st.caption(view.description)
            st.markdown("\n".join(f"- `{column}` {plain(words)}" for column, words in view.columns.items()))


explore()
