"""One pipeline: is it healthy, how long does it take and why, where does it fail."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import data
from dashboard.data import Freshness, Scope
from dashboard.parts import (
    charts,
    filters,
    job_grid,
    notices,
    pipeline_charts,
    pipeline_head,
    pipeline_tables,
)
from dashboard.parts.filters import DEFAULT_WINDOW, WINDOWS, View
from dashboard.parts.formats import STATUS_ICONS, missing, text
from dashboard.parts.run_filters import pipeline_label
from dashboard.reads import pipeline as reads
from dashboard.reads import pipelines as all_reads

Parameters = dict[str, str | None]


@notices.explained
def pipeline() -> None:
    """Heading, filters, tiles, charts, branches, jobs and steps, the grid, one run in time, breakages."""
    now, fresh = datetime.now(UTC), all_reads.held(data.freshness())
    notices.offline_banner(data.source())
    pipeline_id = st.query_params.get("id", "")
    heading = st.container(horizontal=True, vertical_alignment="center", gap="small", key="heading")
    view = _filters(fresh, pipeline_id, now)
    window = all_reads.Window(view.length, now)
    table = all_reads.table(fresh, view.scope, window, pipeline_id) if pipeline_id else pd.DataFrame()
    if table.empty and view.scope.branch:
        table = all_reads.table(fresh, Scope(), window, pipeline_id)
    if table.empty:
        with heading:
            st.title("There is no such pipeline", anchor=False)
        st.page_link("views/pipelines.py", label="All pipelines", icon=":material/arrow_back:", width="content")
        return
    numbers: dict[Any, Any] = table.iloc[0].to_dict()
    own: Parameters = {"pipeline": pipeline_label(numbers), "window": view.window, "branch": view.scope.branch}
    with heading:
        pipeline_head.heading(numbers, own)
        notices.simulated_label(fresh)
    pipeline_head.tiles(numbers, view.window)
    _over_time(fresh, pipeline_id, view, own, now)
    _where_time_goes(fresh, pipeline_id, view, window)
    _grid(fresh, pipeline_id, view)
    _branches(fresh, pipeline_id, view, window, own, now)


def _filters(fresh: Freshness, pipeline_id: str, now: datetime) -> View:
    """The window, and one of the pipeline's own branches."""
    known = reads.branches(fresh, pipeline_id, all_reads.Window(timedelta(days=90), now))["branch"].dropna().tolist()
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom", key="filters"):
        branch = filters.choice("branch", "Branch", known)
        window = st.segmented_control(
            "Window", list(WINDOWS), default=DEFAULT_WINDOW, key="window", bind="query-params", required=True
        )
    return filters.view_of(Scope(branch=branch), window or DEFAULT_WINDOW)


def _over_time(fresh: Freshness, pipeline_id: str, view: View, own: Parameters, now: datetime) -> None:
    days = charts.days_until(now, view.zone, view.chart_days)
    start = charts.chart_start(days, view.zone)
    daily = reads.by_day(reads.days(fresh, pipeline_id, view.scope.branch, zone=view.zone, chart_start=start), days)
    left, right = st.columns([11, 9], gap="small")
    with left, st.container(border=True, key="over_time"):
        st.header(
            "Duration over time", anchor=False,
            help="Each point is a run that succeeded or failed; click one to open it. The band: from the median to the "
            "95th percentile of each day.",
        )  # fmt: skip
        points = reads.points(fresh, pipeline_id, view.scope.branch, chart_start=start)
        if points.empty:
            notices.nothing_matches()
        else:
            pipeline_charts.draw_durations(daily, points, view.zone)
    with right, st.container(border=True, key="by_day"):
        st.header("Outcome by day", anchor=False, help="Runs by the day on which they finished. Click a bar.")
        pipeline_charts.draw_outcomes(daily, own)


def _where_time_goes(fresh: Freshness, pipeline_id: str, view: View, window: all_reads.Window) -> None:
    left, right = st.columns(2, gap="small")
    with left, st.container(border=True, key="slow_jobs"):
        pipeline_tables.draw_jobs(reads.job_times(fresh, pipeline_id, view.scope.branch, window))
    with right, st.container(border=True, key="slow_steps"):
        pipeline_tables.draw_steps(reads.step_times(fresh, pipeline_id, view.scope.branch, window))


def _grid(fresh: Freshness, pipeline_id: str, view: View) -> None:
    grid = reads.grid(fresh, pipeline_id, view.scope.branch)
    with st.container(border=True, key="grid"):
        st.header(
            f"Jobs of the newest {grid['attempt_id'].nunique()} attempts", anchor=False,
            help="Newest left, re-runs too; what fails most is on top. Click a cell to open its attempt.",
        )  # fmt: skip
        if grid["job"].notna().any():
            job_grid.draw(grid, view.zone)
        else:
            st.caption("No jobs are known of these runs.")
    with_jobs = grid.dropna(subset="job").drop_duplicates("attempt_id").set_index("attempt_id")
    if with_jobs.empty:
        return
    with st.container(border=True, key="one_run"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.header("One run in time", anchor=False, width="content")
            chosen = st.selectbox(
                "Run", with_jobs.index.tolist(), key="run", bind="query-params", label_visibility="collapsed",
                width=340, format_func=lambda attempt: _run_name(with_jobs.loc[attempt].to_dict()),
            )  # fmt: skip
        pipeline_charts.draw_gantt(data.jobs(chosen))


def _run_name(run: dict[Any, Any]) -> str:
    number = "" if missing(run["run_number"]) else f"#{int(run['run_number'])}"
    again = f"attempt {int(run['run_attempt'])}" if int(run["run_attempt"]) > 1 else ""
    status = text(run["status"])
    return " · ".join(
        part for part in (f"{STATUS_ICONS.get(status, '')} {number}", again, text(run["branch"])[:60]) if part
    )


def _branches(
    fresh: Freshness, pipeline_id: str, view: View, window: all_reads.Window, own: Parameters, now: datetime
) -> None:
    left, right = st.columns([11, 9], gap="small")
    with left, st.container(border=True, key="branches"):
        pipeline_tables.draw_branches(reads.branches(fresh, pipeline_id, window), own, now, view.zone)
    with right, st.container(border=True, key="breakages"):
        pipeline_tables.draw_breakages(reads.breakages(fresh, pipeline_id), now, view.zone)


pipeline()
