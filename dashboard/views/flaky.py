"""Flaky jobs: which jobs fail and pass on the same commit, what that costs, and the tries that prove it."""

from datetime import date

import pandas as pd
import streamlit as st

from core.insights import flaky
from dashboard.parts import charts, flaky_evidence, insight, notices
from dashboard.parts.filters import midnight
from dashboard.parts.formats import count, duration, exact, percentage
from dashboard.parts.insight import Figure, Opened
from dashboard.reads import insights as reads

WEEKS = 12
NAMED = 5  # jobs with a colour of their own; the others are one
DEFINITION = (
    "A job is flaky on a commit when it both failed and succeeded there, in different attempts or runs. "
    "Nothing in the code changed in between, so each such failure was wasted."
)
WASTED = (
    "Machine time of all tries on such commits but the one success that each run needed. Jobs that a re-run only "
    "carried over don't count."
)
WAITED = "From a run's first failed try to the success of its re-run, added up: how long people waited for green."
COLUMNS = {
    "job": st.column_config.TextColumn("Job", pinned=True),
    "pipeline": st.column_config.TextColumn("Pipeline"),
    "repository": st.column_config.TextColumn("Repository"),
    "wasted_seconds": st.column_config.NumberColumn("Wasted", help=WASTED),
    "waited_seconds": st.column_config.NumberColumn("Waited", help=WAITED),
    "rate": st.column_config.NumberColumn("Flaky commits", help="Of all commits on which the job ended."),
    "of": st.column_config.TextColumn("Commits", help="Commits on which it was flaky, of those on which it ended."),
    "failures": st.column_config.NumberColumn("Failed tries", help="On the commits on which it also passed."),
    "course": st.column_config.BarChartColumn(
        f"Wasted, {WEEKS} weeks", help="One bar a week, Monday to Sunday in your time zone.", y_min=0
    ),
    "last_at": st.column_config.TextColumn("Last failure"),
}


@notices.explained
def flaky_jobs() -> None:
    page = insight.opened("Flaky jobs", DEFINITION)
    if page is None:
        return
    jobs = reads.flaky_jobs(page.view.scope, page.since, page.until)
    _figures(jobs)
    if jobs.empty:
        st.success(
            "No job both failed and succeeded on the same commit in this window. It takes jobs and commits to see one: "
            "send `workflow_job` events, or poll.",
            icon=":material/check_circle:",
        )
        return
    mondays = flaky.mondays(page.until.astimezone(page.view.zone).date(), WEEKS)
    begin = midnight(mondays[0], page.view.zone)
    course = flaky.course(reads.flaky_weeks(page.view.scope, begin, page.until, page.view.zone.key), mondays)
    with st.container(border=True, key="flaky_jobs"):
        st.header("Ranked by wasted time", anchor=False)
        picked = insight.table(
            _rows(jobs, course, page), COLUMNS,
            {"wasted_seconds": duration, "waited_seconds": duration, "rate": percentage},
            key="flaky_table", selectable=True, most_rows=10,
        )  # fmt: skip
    left, right = st.columns([9, 11], gap="small")
    with left, st.container(border=True, height=400, key="flaky_weeks"):
        st.header("Wasted time by week", anchor=False, help=WASTED)
        _draw_course(jobs, course, mondays)
    with right, st.container(border=True, height=400, key="flaky_evidence"):
        flaky_evidence.draw(jobs.iloc[picked or 0], page)


def _figures(jobs: pd.DataFrame) -> None:
    flaky_commits, failures = int(jobs["flaky_commits"].sum()), int(jobs["failures"].sum())
    insight.draw_figures(
        [
            Figure("Flaky jobs", f"{len(jobs):,}", DEFINITION),
            Figure("Machine time wasted", duration(float(jobs["wasted_seconds"].sum())), WASTED),
            Figure("Waited for re-runs", duration(float(jobs["waited_seconds"].sum())), WAITED),
            Figure(
                "Failed for nothing", f"{failures:,}", "Failed tries of a job on commits on which it also passed.",
                f"on {count(flaky_commits, 'commit', 'commits')}",
            ),
        ],
        key="flaky_tiles",
    )  # fmt: skip


def _rows(jobs: pd.DataFrame, course: dict[tuple[str, str], list[int]], page: Opened) -> pd.DataFrame:
    names = list(zip(jobs["pipeline_id"], jobs["job"], strict=True))
    return jobs.assign(
        rate=jobs["flaky_commits"] / jobs["commits"],
        of=[f"{some:,} of {all_:,}" for some, all_ in zip(jobs["flaky_commits"], jobs["commits"], strict=True)],
        course=pd.Series([course.get(name, [0] * WEEKS) for name in names], index=jobs.index, dtype=object),
        last_at=[exact(at, page.view.zone) for at in jobs["last_at"]],
    )


def _draw_course(jobs: pd.DataFrame, course: dict[tuple[str, str], list[int]], mondays: list[date]) -> None:
    weeks = [f"{monday:%Y-%m-%d}" for monday in mondays]
    rows = {(row["pipeline_id"], row["job"]): f"{row['repository']}: {row['job']}" for _, row in jobs.iterrows()}
    named = list(rows)[:NAMED]
    rest = [sum(values[week] for name, values in course.items() if name not in named) for week in range(len(weeks))]
    series = [(rows[name], course.get(name, [0] * len(weeks))) for name in named]
    series += [("All others", rest)] if any(rest) else []
    traces = [
        {
            "type": "bar", "name": charts.label(name), "x": weeks, "y": [seconds / 60 for seconds in values],
            "marker": {"color": charts.SERIES[index]}, "customdata": [duration(seconds) for seconds in values],
            "hovertemplate": "Week of %{x|%-d %b}: <b>%{customdata}</b><extra></extra>",
        }
        for index, (name, values) in enumerate(series)
    ]  # fmt: skip
    total = duration(sum(sum(values) for _, values in series))
    charts.draw(
        charts.figure(
            traces,
            height=318,
            barmode="stack",
            bargap=0.3,
            xaxis={"type": "date", "tickformat": "%-d %b", "tickvals": weeks[::2]},
            yaxis={"ticksuffix": " min"},
        ),
        key="flaky_course",
        alt=f"Wasted time by week for {WEEKS} weeks, {total} in all",
    )


flaky_jobs()
