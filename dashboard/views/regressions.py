"""Duration regressions: what is slower, since which commit, by how much, and how sure that is."""

from datetime import UTC, datetime

import pandas as pd
import streamlit as st

from dashboard.parts import insight, notices, regression_chart
from dashboard.parts.failure_detail import moment
from dashboard.parts.formats import NOTHING, duration, first_line, relative, text
from dashboard.parts.insight import Figure, Opened
from dashboard.reads import insights as reads

DEFINITION = (
    "Where the durations of successful runs changed for good: cut where the ranks before and after differ more than "
    "chance explains (under 0.5 % for a series without a change), by 5 % or more, with 8 runs or more on either side. "
    "Looked at: the newest 300 runs of the default branch, of all branches where it has fewer than 20; "
    "the branch filter doesn't matter here."
)
RATIO = "How much longer, by the Hodges-Lehmann estimate of the shift, with its 95 % interval."
WEEK = "What it costs: the difference of the medians times the successful runs of the last 7 days."
COLUMNS = {
    "what": st.column_config.TextColumn("Pipeline or job", pinned=True),
    "repository": st.column_config.TextColumn("Repository"),
    "ratio": st.column_config.NumberColumn("Change", help=RATIO),
    "interval": st.column_config.TextColumn("95 % interval", help=RATIO),
    "before_seconds": st.column_config.NumberColumn("Before", help="Median of the runs before."),
    "after_seconds": st.column_config.NumberColumn("After", help="Median of the runs after."),
    "week_seconds": st.column_config.NumberColumn("A week", help=WEEK),
    "since": st.column_config.TextColumn("Since"),
    "commit": insight.run_column(
        "First run after", "The first run that belongs to the slower part. A few runs are as likely."
    ),
    "p_value": st.column_config.NumberColumn(
        "Chance", format="%.1e", help="Of so large a difference without a change."
    ),
}


@notices.explained
def duration_regressions() -> None:
    page = insight.opened("Regressions", DEFINITION)
    if page is None:
        return
    shown = st.segmented_control(
        "Show",
        ["Slower", "Faster", "Over again"],
        default="Slower",
        key="change",
        bind="query-params",
        required=True,
        help="*Over again*: slower for a while, then changed once more.",
    )
    rows = reads.duration_changes(page.view.scope, page.since)
    slower, faster = rows[rows["is_newest"] & (rows["ratio"] > 1)], rows[rows["is_newest"] & (rows["ratio"] < 1)]
    over = rows[~rows["is_newest"] & (rows["ratio"] > 1)]
    _figures(slower, faster, rows)
    chosen = {"Slower": slower, "Faster": faster, "Over again": over}[shown or "Slower"].reset_index(drop=True)
    if chosen.empty:
        st.success(
            f"Nothing is {'faster' if shown == 'Faster' else 'slower'} for good since the window began. "
            "It takes 16 successful runs of a pipeline or job to see a change.",
            icon=":material/check_circle:",
        )
        return
    with st.container(border=True, key="regressions"):
        st.header("Ranked by time a week", anchor=False)
        picked = insight.table(
            _rows(chosen, page),
            COLUMNS,
            {"before_seconds": duration, "after_seconds": duration, "week_seconds": duration, "ratio": change},
            key="regression_table",
            selectable=True,
            most_rows=8,
        )
    regression_chart.draw(chosen.iloc[picked or 0], page)


def _figures(slower: pd.DataFrame, faster: pd.DataFrame, rows: pd.DataFrame) -> None:
    pipelines, jobs = slower[slower["job"] == ""], slower[slower["job"] != ""]
    found_at = rows["found_at"].max() if len(rows) else None
    insight.draw_figures(
        [
            Figure("Slower pipelines", f"{len(pipelines):,}", DEFINITION),
            Figure("Slower jobs", f"{len(jobs):,}", DEFINITION),
            Figure("Time lost a week", duration(float(pipelines["week_seconds"].sum())), f"{WEEK} Of pipelines."),
            Figure(
                "Faster pipelines and jobs", f"{len(faster):,}", "The same the other way round.",
                None if found_at is None else f"looked at {relative(found_at, datetime.now(UTC))}",
            ),
        ],
        key="regression_tiles",
    )  # fmt: skip


def change(ratio: float | None) -> str:
    """A ratio as people say it: `+25 %`."""
    return NOTHING if ratio is None else f"{(ratio - 1) * 100:+.0f} %"


def _rows(rows: pd.DataFrame, page: Opened) -> pd.DataFrame:
    records = rows.to_dict("records")
    return rows.assign(
        what=[f"{row['pipeline']} › {row['job']}" if row["job"] else row["pipeline"] for row in records],
        interval=[f"{change(row['ratio_low'])} to {change(row['ratio_high'])}" for row in records],
        since=[moment(row["changed_at"], page.view.zone) for row in records],
        commit=[
            insight.run_link(row["attempt_id"], f"{text(row['head_sha'])[:7]} {first_line(row['commit_message'])}"[:80])
            for row in records
        ],
    )


duration_regressions()
