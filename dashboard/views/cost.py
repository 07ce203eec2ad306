"""Cost and capacity: where machine time goes, what is lost, how long jobs queue, how many run at once."""

from typing import Any

import pandas as pd
import streamlit as st

from core.insights import cost
from core.insights.cost import Prices
from dashboard.parts import capacity, insight, notices, price_table
from dashboard.parts.formats import count, duration, percentage
from dashboard.parts.insight import Figure, Opened
from dashboard.reads import insights as reads

DEFINITION = (
    "Machine time is the duration of all jobs that ended in the window, however they ended. "
    "Jobs that a re-run only carried over don't count again."
)
BILLED = "Started minutes (each job rounded up by itself, as GitHub bills) times the price of a minute on its runner."
LOST = "The three overlap: a flaky job's failure is also a failure, and its re-run a re-run."


@notices.explained
def cost_and_capacity() -> None:
    page = insight.opened("Cost and capacity", DEFINITION)
    if page is None:
        return
    prices = reads.prices()
    jobs = reads.cost_jobs(page.view.scope, page.since, page.until)
    if jobs.empty:
        st.info(
            "No job ended in this window, and machine time is counted by job. GitHub sends jobs as `workflow_job` "
            "events; polling reads them by itself.",
            icon=":material/filter_alt_off:",
        )
        return
    _figures(jobs, prices, page)
    left, right = st.columns([12, 8], gap="small")
    with left, st.container(border=True, height=430, key="cost_pipelines"):
        pipeline_id = _pipelines(jobs, prices)
    with right, st.container(border=True, height=430, key="cost_groups"):
        _groups(jobs[jobs["pipeline_id"] == pipeline_id] if pipeline_id else jobs, prices, bool(pipeline_id))
    left, right = st.columns(2, gap="small")
    with left, st.container(border=True, height=380, key="queue"):
        capacity.queue_heat(reads.queue_hours(page.view.scope, page.since, page.until, page.view.zone.key))
    with right, st.container(border=True, height=380, key="load"):
        capacity.load_over_time(reads.load(page.view.scope, page.since, page.until), page.view.zone)
    price_table.draw(prices)


def _figures(jobs: pd.DataFrame, prices: Prices, page: Opened) -> None:
    seconds = float(jobs["seconds"].sum())
    flaky = float(reads.flaky_jobs(page.view.scope, page.since, page.until)["wasted_seconds"].sum())
    unpriced = float(jobs.loc[jobs["per_minute"].isna(), "seconds"].sum())
    without = f"{percentage(unpriced / seconds)} has no price" if unpriced else None
    insight.draw_figures(
        [
            Figure("Machine time", duration(seconds), DEFINITION, count(int(jobs["jobs"].sum()), "job", "jobs")),
            Figure("Cost", money(float(jobs["cost"].sum()), prices), BILLED, without),
            _lost("Lost to failures", jobs["failed_seconds"].sum(), seconds, "Machine time of failed jobs."),
            _lost("Lost to re-runs", jobs["rerun_seconds"].sum(), seconds, "Machine time of attempts after the first."),
            _lost("Lost to flaky jobs", flaky, seconds, "Wasted time of flaky jobs, as their page defines it."),
        ],
        key="cost_tiles",
    )


def _lost(label: str, lost: float, seconds: float, definition: str) -> Figure:
    return Figure(label, duration(float(lost)), f"{definition} {LOST}", f"{percentage(lost / seconds)} of all")


def money(amount: float, prices: Prices) -> str:
    """An amount in the price table's currency: `USD 1,204`, with cents below a hundred."""
    return f"{prices.currency} {amount:,.2f}" if amount < 100 else f"{prices.currency} {amount:,.0f}"


def _columns(first: dict[str, str], prices: Prices) -> dict[str, Any]:
    return {name: st.column_config.TextColumn(label) for name, label in first.items()} | {
        "seconds": st.column_config.NumberColumn("Time", help=DEFINITION),
        "cost": st.column_config.NumberColumn(f"Cost, {prices.currency}", help=BILLED),
        "failed_seconds": st.column_config.NumberColumn("Failed", help="Time of failed jobs."),
        "rerun_seconds": st.column_config.NumberColumn("Re-run", help="Time of attempts after the first."),
        "jobs": st.column_config.NumberColumn("Jobs", format="localized"),
    }


FORMATS = {"seconds": duration, "cost": "{:,.2f}".format, "failed_seconds": duration, "rerun_seconds": duration}


def _pipelines(jobs: pd.DataFrame, prices: Prices) -> str | None:
    """The pipelines; returns the one that was clicked."""
    st.header("By pipeline", anchor=False, help="Choose one to see its jobs and runners alone.")
    rows = cost.summed(jobs, ["pipeline_id", "repository", "pipeline"])
    columns = _columns({"repository": "Repository", "pipeline": "Pipeline"}, prices)
    picked = insight.table(rows, columns, FORMATS, key="cost_by_pipeline", selectable=True, most_rows=9)
    return None if picked is None else str(rows.iloc[picked]["pipeline_id"])


def _groups(jobs: pd.DataFrame, prices: Prices, one: bool) -> None:
    st.header("By runner, system and job" + (" of this pipeline" if one else ""), anchor=False)
    runner, system, job = st.tabs(["Runner", "Operating system", "Job"])
    with runner:
        rows = cost.summed(jobs.assign(labels=jobs["labels"].replace("", "not named")), ["labels"])
        insight.table(rows, _columns({"labels": "Labels"}, prices), FORMATS, key="cost_by_runner", most_rows=7)
    with system:
        rows = cost.summed(jobs, ["os"])
        insight.table(rows, _columns({"os": "System"}, prices), FORMATS, key="cost_by_os", most_rows=7)
    with job:
        rows = cost.summed(jobs, ["job", "repository"]).head(reads.MOST_ROWS)
        columns = _columns({"job": "Job", "repository": "Repository"}, prices)
        insight.table(rows, columns, FORMATS, key="cost_by_job", most_rows=7)


cost_and_capacity()
