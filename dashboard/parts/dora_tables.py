"""The tables of the DORA page, and the definitions of its numbers."""

from dataclasses import asdict

import pandas as pd
import streamlit as st

from core.insights.dora import Keys
from dashboard.parts import insight
from dashboard.parts.filters import View
from dashboard.parts.formats import duration, exact, first_line, percentage, text

REPORT = "Levels are those of DORA's report of 2024, which gives them for one application or service."
DEFINITION = f"DORA's four keys, from runs marked as deployments: the marks are at the end of this page. {REPORT}"
FREQUENCY = (
    "Successful deployments a day. Elite: on demand, high: once a week or more, medium: once a month or more. "
    "A level stands beside each repository, not beside their sum."
)
LEAD = (
    "Median time from the first run of a commit to the end of the first successful deployment that contains it. CI "
    "systems don't all tell when a commit was made, so the clock starts when it was first built. "
    "Elite: under a day, high: a week, medium: a month."
)
FAILURE = (
    "Failed deployments of all that ended. DORA counts changes that degrade service and need a fix; a CI system knows "
    "of those that failed to deploy. In 2024 elite teams reported 5 %, high 20 %, medium 10 %, low 40 %: no ladder, so "
    "no level."
)
RECOVERY = (
    "Median time from a pipeline's first failed deployment to its next successful one. "
    "Elite: under an hour, high: a day, medium: a week."
)


def level(word: str | None) -> str:
    """A level as shown: `Elite`; nothing where there is none."""
    return word.capitalize() if isinstance(word, str) else ""


def repositories(found: list[Keys]) -> None:
    """A row for each repository, with DORA's levels."""
    rows = pd.DataFrame([asdict(keys) for keys in found])
    for name in ("frequency_level", "lead_time_level", "recovery_level"):
        rows[name] = [level(word) for word in rows[name]]
    columns = {
        "repository": st.column_config.TextColumn("Repository", pinned=True),
        "successful_per_day": st.column_config.NumberColumn("Deployments a day", format="%.2f", help=FREQUENCY),
        "frequency_level": st.column_config.TextColumn("Level"),
        "lead_time_p50_seconds": st.column_config.NumberColumn("Lead time", help=LEAD),
        "lead_time_level": st.column_config.TextColumn("Level "),
        "changes": st.column_config.NumberColumn("Changes"),
        "change_failure_rate": st.column_config.NumberColumn("Failure rate", help=FAILURE),
        "recovery_p50_seconds": st.column_config.NumberColumn("Recovery", help=RECOVERY),
        "recovery_level": st.column_config.TextColumn("Level  "),
        "unrecovered": st.column_config.NumberColumn("Still failing", help="Pipelines whose newest deployment failed."),
    }
    formats = {"lead_time_p50_seconds": duration, "recovery_p50_seconds": duration, "change_failure_rate": percentage}
    insight.table(rows, columns, formats, key="dora_by_repository", most_rows=10)


def newest(deployments: pd.DataFrame, view: View) -> None:
    """Deployments with links to their runs."""
    rows = deployments.assign(
        run=[
            insight.run_link(run, f"{'✓' if status == 'success' else '✕'} {status}")
            for run, status in zip(deployments["attempt_id"], deployments["status"], strict=True)
        ],
        commit=[
            f"{text(sha)[:7]} {first_line(message)}"
            for sha, message in zip(deployments["head_sha"], deployments["commit_message"], strict=True)
        ],
        seconds=(deployments["finished_at"] - deployments["started_at"]).dt.total_seconds(),
        at=[exact(at, view.zone) for at in deployments["finished_at"]],
    )
    columns = {
        "run": insight.run_column("Outcome"),
        "repository": st.column_config.TextColumn("Repository"),
        "pipeline": st.column_config.TextColumn("Pipeline"),
        "commit": st.column_config.TextColumn("Commit"),
        "seconds": st.column_config.NumberColumn("Took"),
        "at": st.column_config.TextColumn("Ended"),
    }
    insight.table(rows, columns, {"seconds": duration}, key="dora_newest", most_rows=8)
