"""Failures by what their logs say: one error that breaks thirty runs is one thing to fix."""

from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from core.insights.failures import Cluster
from dashboard.parts import failure_detail, insight, notices
from dashboard.parts.formats import count, percentage
from dashboard.parts.insight import Figure, Opened
from dashboard.reads import insights as reads

DEFINITION = (
    "Failed jobs are grouped by the line of their log that tells most about the cause, without what differs from run "
    "to run (numbers, paths, names). Only jobs whose log was kept take part."
)
COLUMNS = {
    "template": st.column_config.TextColumn("Error", pinned=True, width="large", help=DEFINITION),
    "runs": st.column_config.NumberColumn("Runs", help="Runs of the window that failed with it."),
    "pipelines": st.column_config.NumberColumn("Pipelines"),
    "since": st.column_config.TextColumn("Since", help="When it was first seen, also before this window."),
    "commit": st.column_config.TextColumn("First at commit"),
    "last": st.column_config.TextColumn("Last seen"),
    "new": st.column_config.TextColumn("New", help="Never seen before this window."),
}


@notices.explained
def failure_clusters() -> None:
    page = insight.opened("Failures", DEFINITION, default_window="7d")
    if page is None:
        return
    clusters = reads.failure_clusters(page.view.scope, page.since, page.until)
    _figures(clusters, page)
    if not clusters:
        st.info(
            "No failed job of this window has a log that says why. Logs are kept for systems that can be asked for "
            "them: set `GITHUB_TOKEN`, or open a failed run's log once.",
            icon=":material/receipt_long:",
        )
        return
    firsts = reads.firsts(clusters).set_index("job_id")
    with st.container(border=True, key="failure_clusters"):
        st.header("What breaks most", anchor=False)
        picked = insight.table(
            _rows(clusters, firsts, page.view.zone), COLUMNS, key="clusters", selectable=True, most_rows=9
        )
    failure_detail.draw(clusters[picked or 0], firsts, page)


def _figures(clusters: list[Cluster], page: Opened) -> None:
    failed, explained = reads.failed_jobs(page.view.scope, page.since, page.until)
    new = sum(cluster.new for cluster in clusters)
    worst = clusters[0] if clusters else None
    insight.draw_figures(
        [
            Figure("Different errors", f"{len(clusters):,}", DEFINITION),
            Figure("New ones", f"{new:,}", "Errors that were never seen before this window, within these filters."),
            Figure(
                "Runs of the most frequent",
                f"{worst.runs:,}" if worst else "–",
                "Runs of the window that failed with the first error of the table.",
                count(worst.pipelines, "pipeline", "pipelines") if worst else None,
            ),
            Figure(
                "Failed jobs explained",
                percentage(explained / failed if failed else None),
                "Failed jobs of the window whose log was kept and says why. The others take no part here.",
                f"{explained:,} of {failed:,}",
            ),
        ],
        key="failure_tiles",
    )


def _rows(clusters: list[Cluster], firsts: pd.DataFrame, zone: ZoneInfo) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "template": [cluster.template for cluster in clusters],
            "runs": [cluster.runs for cluster in clusters],
            "pipelines": [cluster.pipelines for cluster in clusters],
            "since": [failure_detail.moment(cluster.first_at, zone) for cluster in clusters],
            "commit": [failure_detail.commit(firsts, cluster) for cluster in clusters],
            "last": [failure_detail.moment(cluster.last_at, zone) for cluster in clusters],
            "new": ["new" if cluster.new else "" for cluster in clusters],
        }
    )


failure_clusters()
