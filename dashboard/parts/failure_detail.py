"""One failure cluster: a sentence, its log's lines, and the runs that it broke."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from core.insights.failures import Cluster
from dashboard.parts import insight
from dashboard.parts.formats import count, exact, first_line, missing, plain, text
from dashboard.parts.insight import Opened
from dashboard.reads import insights as reads

MOST_EXAMPLES = 50


def moment(at: datetime, zone: ZoneInfo) -> str:
    """A moment to the minute: `Tue 17 Nov, 14:05`."""
    local = at.astimezone(zone)
    return f"{local:%a} {local.day} {local:%b, %H:%M}"


def commit(firsts: pd.DataFrame, cluster: Cluster) -> str:
    """The commit at which it was first seen. `firsts`: rows of failure_examples by job_id."""
    return text(firsts.loc[cluster.first_job, "head_sha"])[:7]


def draw(cluster: Cluster, firsts: pd.DataFrame, page: Opened) -> None:
    """The chosen error in a sentence, its excerpt, and the runs that it broke."""
    zone = page.view.zone
    jobs = reads.failure_jobs(cluster, page.view.scope, page.since, page.until, MOST_EXAMPLES)
    with st.container(border=True, key="failure_one"):
        st.header(plain(cluster.line), anchor=False)
        st.markdown(
            f"**{count(cluster.runs, 'run', 'runs')}**, **{count(cluster.pipelines, 'pipeline', 'pipelines')}**, since "
            f"**{plain(moment(cluster.first_at, zone))}**, first at commit **{plain(commit(firsts, cluster))}** "
            f"{plain(first_line(firsts.loc[cluster.first_job, 'commit_message']))}",
            help=plain(f"First seen {exact(cluster.first_at, zone)}."),
        )
        left, right = st.columns([9, 11], gap="small")
        with left:
            newest = jobs.iloc[0]
            st.caption(plain(f"The log of {newest['job']} in {newest['repository']}, its lines that say why"))
            st.code(text(newest["excerpt"]) or text(newest["line"]), language=None, wrap_lines=True, height=300)
        with right:
            st.caption(f"The newest {MOST_EXAMPLES} of its runs in this window, and the first of all")
            rows = jobs.assign(
                run=[
                    insight.run_link(run, _name(row))
                    for run, row in zip(jobs["attempt_id"], jobs.to_dict("records"), strict=True)
                ],
                commit=[
                    f"{text(sha)[:7]} {first_line(message)}"
                    for sha, message in zip(jobs["head_sha"], jobs["commit_message"], strict=True)
                ],
                at=[moment(at, zone) for at in jobs["failed_at"]],
            )
            columns = {
                "run": insight.run_column("Run"),
                "repository": st.column_config.TextColumn("Repository"),
                "job": st.column_config.TextColumn("Job"),
                "at": st.column_config.TextColumn("Failed"),
                "branch": st.column_config.TextColumn("Branch"),
                "commit": st.column_config.TextColumn("Commit"),
            }
            insight.table(rows, columns, key="failure_runs", most_rows=8)


def _name(row: dict[Any, Any]) -> str:
    number = text(row["run_id"]) if missing(row["run_number"]) else f"#{int(row['run_number'])}"
    return f"{row['pipeline']} {number}"
