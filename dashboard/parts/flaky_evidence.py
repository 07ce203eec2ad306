"""The evidence of a flaky job: each failed try beside one that passed on the same commit."""

import pandas as pd
import streamlit as st

from core.insights import flaky
from dashboard.parts import insight
from dashboard.parts.formats import duration, exact, first_line, plain, text
from dashboard.parts.insight import Opened
from dashboard.reads import insights as reads


def draw(job: "pd.Series[str]", page: Opened) -> None:
    """The pairs of `job`, a row of flaky_jobs, with links to their runs."""
    st.header("Evidence", anchor=False, help="Each failed try, and the try that passed on the same commit.")
    st.caption(plain(f"{job['job']} in {job['repository']} {job['pipeline']}; choose another job in the table above."))
    tries = reads.flaky_tries(job["pipeline_id"], job["job"], page.view.scope.branch, page.since, page.until)
    pairs = flaky.pairs(tries)
    rows = pd.DataFrame(
        {
            "commit": [
                f"{text(sha)[:7]} {first_line(message)}"
                for sha, message in zip(pairs["head_sha"], pairs["commit_message"], strict=True)
            ],
            "failed": [
                insight.run_link(run, name) for run, name in zip(pairs["failed_id"], pairs["failed_run"], strict=True)
            ],
            "failed_seconds": pairs["failed_seconds"],
            "passed": [
                insight.run_link(run, name) for run, name in zip(pairs["passed_id"], pairs["passed_run"], strict=True)
            ],
            "gap": (pairs["passed_at"] - pairs["failed_at"]).dt.total_seconds() if len(pairs) else [],
            "at": [exact(at, page.view.zone) for at in pairs["failed_at"]],
        }
    )
    insight.table(
        rows,
        {
            "failed": insight.run_column("Failed in"),
            "passed": insight.run_column("Passed in"),
            "failed_seconds": st.column_config.NumberColumn("Took", help="Duration of the failed try."),
            "gap": st.column_config.NumberColumn("Passed after", help="Negative: it had passed before."),
            "commit": st.column_config.TextColumn("Commit"),
            "at": st.column_config.TextColumn("Failed at"),
        },
        {"failed_seconds": duration, "gap": duration},
        key="flaky_pairs", most_rows=7,
    )  # fmt: skip
