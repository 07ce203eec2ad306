"""DORA: how often changes reach production, how fast, how many fail there, how fast that is mended."""

import pandas as pd
import streamlit as st

from core.insights import dora
from core.insights.dora import Keys
from dashboard.parts import charts, deployment_marks, dora_tables, insight, notices
from dashboard.parts.filters import View
from dashboard.parts.formats import count, duration, percentage
from dashboard.parts.insight import Figure
from dashboard.reads import insights as reads


@notices.explained
def dora_metrics() -> None:
    page = insight.opened("DORA metrics", dora_tables.DEFINITION)
    if page is None:
        return
    zone = page.view.zone.key
    deployments = reads.deployments(page.view.scope, page.since, page.until)
    if deployments.empty:
        st.info(
            "**No deployment in this window.** Say below which runs deploy: by their workflow's name, by the event "
            "that starts them, or by a job that is named for an environment.",
            icon=":material/rocket_launch:",
        )
        deployment_marks.draw(reads.marks(), is_open=True)
        return
    if len(deployments) == dora.MOST_ROWS:
        st.warning(
            f"Only the newest {dora.MOST_ROWS:,} deployments are counted: choose a shorter window or a repository.",
            icon=":material/filter_alt:",
        )
    leads = reads.lead_times(page.view.scope, page.since, page.until, zone)
    total, *repositories = dora.report(deployments, leads, page.view.length.total_seconds() / dora.DAY)
    _figures(total)
    left, right = st.columns(2, gap="small")
    with left, st.container(border=True, height=330, key="dora_frequency"):
        _frequency(dora.by_day(deployments, zone))
    with right, st.container(border=True, height=330, key="dora_lead"):
        _lead(leads, page.view)
    with st.container(border=True, key="dora_repositories"):
        st.header("By repository", anchor=False, help=dora_tables.REPORT)
        dora_tables.repositories(repositories)
    with st.container(border=True, key="dora_deployments"):
        st.header("Newest deployments", anchor=False)
        dora_tables.newest(deployments.head(100), page.view)
    deployment_marks.draw(reads.marks())


def _figures(total: Keys) -> None:
    open_now = f", {total.unrecovered} still failing" if total.unrecovered else ""
    insight.draw_figures(
        [
            Figure(
                "Deployment frequency",
                f"{total.successful_per_day:,.1f} a day",
                dora_tables.FREQUENCY,
                count(total.deployments - total.failed, "deployment", "deployments"),
            ),
            Figure(
                "Lead time for changes",
                duration(total.lead_time_p50_seconds),
                dora_tables.LEAD,
                dora_tables.level(total.lead_time_level),
            ),
            Figure(
                "Change failure rate",
                percentage(total.change_failure_rate),
                dora_tables.FAILURE,
                f"{total.failed:,} of {total.deployments:,}",
            ),
            Figure(
                "Failed deployment recovery",
                duration(total.recovery_p50_seconds),
                dora_tables.RECOVERY,
                f"{dora_tables.level(total.recovery_level)}{open_now}".strip(", ") or None,
            ),
        ],
        key="dora_tiles",
    )


def _frequency(days: pd.DataFrame) -> None:
    st.header("Deployments by day", anchor=False)
    traces = [
        {
            "type": "bar", "name": charts.NAMES[status], "x": [f"{day:%Y-%m-%d}" for day in days["day"]],
            "y": days[status].tolist(), "marker": {"color": charts.COLOURS[status]},
            "hovertemplate": "%{x|%a %-d %b}: <b>%{y}</b> " + status + "<extra></extra>",
        }
        for status in ("success", "failed")
    ]  # fmt: skip
    shown = charts.figure(traces, height=250, barmode="stack", xaxis={"type": "date", "tickformat": "%-d %b"})
    charts.draw(shown, key="dora_days", alt=f"Deployments by day, {int(days['success'].sum())} successful")


def _lead(leads: pd.DataFrame, view: View) -> None:
    st.header("Lead time by day of deployment", anchor=False, help=dora_tables.LEAD)
    days = leads[leads["day"].notna()]
    traces = [
        {
            "type": "scatter", "mode": "lines+markers", "name": name, "x": [f"{day:%Y-%m-%d}" for day in days["day"]],
            "y": (days[column] / 3600).tolist(), "customdata": [duration(seconds) for seconds in days[column]],
            "marker": {"color": charts.SERIES[index], "size": 5}, "line": {"width": 1.5, "dash": dash},
            "hovertemplate": "%{x|%a %-d %b}: <b>%{customdata}</b><extra></extra>",
        }
        for index, (name, column, dash) in enumerate(
            (("Median", "p50_seconds", "solid"), ("90th percentile", "p90_seconds", "dot"))
        )
    ]  # fmt: skip
    shown = charts.figure(
        traces, height=250, xaxis={"type": "date", "tickformat": "%-d %b"}, yaxis={"ticksuffix": " h"}
    )
    charts.draw(shown, key="dora_leads", alt=f"Lead times of the last {view.length.days} days by day of deployment")


dora_metrics()
