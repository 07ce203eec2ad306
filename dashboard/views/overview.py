"""The overview: is it healthy, what broke, since when, whose turn it is."""

from datetime import UTC, datetime

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.settings import settings
from dashboard import data
from dashboard.data import Freshness
from dashboard.parts import alerts_panel, charts, csv_export, filters, notices, runs_table, tiles
from dashboard.parts.filters import View
from dashboard.parts.formats import count, exact, plain, relative

NEWEST = 15
ALERTS_READ = 100  # counted from these rows; only more of them cost a query of their own


@notices.explained
def overview() -> None:
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        heading = st.container(horizontal=True, width="content", vertical_alignment="center", gap="small")
        heading.title("CI/CD Health", anchor=False, width="content")
        with st.container(horizontal=True, width="content", vertical_alignment="center", gap="small"):
            every = filters.refresh_controls()
    view = filters.filter_row()
    # The window that keeps the scroll position: only this part is drawn anew on each refresh.
    st.fragment(notices.explained(live), run_every=every)(heading, view.scope, view.window)


def live(heading: DeltaGenerator, scope: data.Scope, window: str) -> None:
    """Health, tiles, chart, alerts, table: what is read anew on each refresh."""
    now = datetime.now(UTC)
    view = filters.view_of(scope, window)
    fresh = data.freshness()
    notices.offline_banner(data.source())
    if not fresh.runs:
        with heading:
            notices.simulated_label(fresh)
        notices.first_steps(settings())
        return
    read_by = fresh.while_arriving(now)
    numbers = data.summary(read_by, scope, window=view.length, now=now)
    days = charts.days_until(now, view.zone, view.chart_days)
    daily = charts.by_day(
        data.daily_outcomes(read_by, scope, zone=view.zone, chart_start=charts.chart_start(days, view.zone)), days
    )
    with heading:
        _health(numbers, fresh, view, now)
    tiles.draw(tiles.tiles(numbers, daily), window)
    left, right = st.columns([11, 9], gap="small")
    with left, st.container(border=True, height=372, key="status"):
        st.header(f"Pipeline status, last {view.chart_days} days", anchor=False)
        charts.draw_status(daily, view)
    with right:
        _alerts(read_by, view, now)
    _latest_runs(read_by, view, now)


def _health(numbers: tiles.Numbers, fresh: Freshness, view: View, now: datetime) -> None:
    """The answer in words, beside the title."""
    total, failing = int(numbers["total_pipelines"] or 0), int(numbers["failed_pipelines"] or 0)
    if failing:
        st.badge(f"{failing} of {count(total, 'pipeline', 'pipelines')} failing", icon=":material/error:", color="red")
    elif total:
        st.badge(
            f"All well: none of {count(total, 'pipeline', 'pipelines')} failing",
            icon=":material/check_circle:",
            color="green",
        )
    notices.simulated_label(fresh)
    at = fresh.last_delivery_at
    st.caption(
        f"Last data {relative(at, now)}" if at else "No webhook received yet",
        help=plain(exact(at, view.zone)),
        width="content",
    )


def _alerts(fresh: Freshness, view: View, now: datetime) -> None:
    alerts = data.active_alerts(fresh, view.scope, limit=ALERTS_READ)
    total = len(alerts) if len(alerts) < ALERTS_READ else sum(data.alert_counts(view.scope).values())
    alerts_panel.draw(alerts, total, view.scope, now=now, zone=view.zone, online=data.source() == "live")


def _latest_runs(fresh: Freshness, view: View, now: datetime) -> None:
    query = view.run_query(now)
    runs = data.newest_runs(fresh, query, limit=NEWEST)
    with st.container(border=True, key="latest"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.header("Latest workflow runs", anchor=False)
            if view.picked:
                st.button(
                    view.picked,
                    icon=":material/close:",
                    icon_position="right",
                    key="clear_pick",
                    on_click=charts.clear_pick,
                    help="Show all days and outcomes again",
                )
            csv_export.button(query)
            st.page_link(
                "views/runs.py",
                label="View all",
                icon=":material/arrow_forward:",
                icon_position="right",
                query_params=filters.link_of(view),
                width="content",
            )
        if runs.empty:
            notices.nothing_matches()
            return
        runs_table.draw(runs_table.rows(runs, now=now, zone=view.zone), key="latest_runs")


overview()
