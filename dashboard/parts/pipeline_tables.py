"""The tables of a pipeline's page: branches, jobs, steps and breakages, each row with its definition and its way on."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from dashboard.parts import metric_table
from dashboard.parts.formats import NOTHING, duration, exact, missing, percentage, relative, text
from dashboard.parts.metric_table import Cell, Column, Row, address

RATE = "Successful ÷ (successful + failed)."
BRANCHES = (
    Column("branch", "Branch", strong=True),
    Column("runs", "Runs", "Runs that finished in the window.", "number"),
    Column("failed", "Failures", "Of them failed.", "number"),
    Column("success_rate", "Success", RATE, "number"),
    Column("p50_seconds", "Median", "Median duration of successful and failed runs.", "number"),
    Column("p95_seconds", "p95", "95th percentile of the duration.", "number"),
    Column("last_at", "Last", "When the newest of them finished.", "number"),
)
JOBS = (
    Column("job", "Job", "Jobs by name, all attempts, that ended in the window as success or failed.", strong=True),
    Column("p50_seconds", "Median", "Median duration.", "number"),
    Column("p95_seconds", "p95", "95th percentile of the duration.", "number"),
    Column("queue_seconds", "Queue", "Median time from the job's creation to its start.", "number"),
    Column("runs", "Runs", "How often it ended as success or failed.", "number"),
    Column("failed", "Failed", "How often it failed, and its success rate.", "number"),
    Column("total_seconds", "Total", "All its durations together; the bar: its share of all jobs'.", "number"),
)
STEPS = (
    Column("step", "Step", "Steps by job and name, all attempts, that ended in the window.", strong=True),
    Column("p50_seconds", "Median", "Median duration.", "number"),
    Column("p95_seconds", "p95", "95th percentile of the duration.", "number"),
    Column("runs", "Runs", "How often it ended as success or failed.", "number"),
    Column("failed", "Failed", "How often it failed.", "number"),
    Column("total_seconds", "Total", "All its durations together; the bar: its share of all steps'.", "number"),
)  # fmt: skip
BREAKAGES = (
    Column("broke_at", "Broke", "The end of the first failed run on the default branch after a success.", strong=True),
    Column("recovered_at", "Recovered", "The end of the next successful run there."),
    Column("seconds", "Time to recovery", "From the one to the other.", "number"),
)
SHOWN = 8


def draw_branches(found: pd.DataFrame, own: dict[str, str | None], now: datetime, zone: ZoneInfo) -> None:
    """`own`: the parameters that make the runs page show this pipeline in this window."""
    st.header("Branches compared", anchor=False)
    if found.empty:
        st.caption("Nothing finished in this window.")
        return
    metric_table.draw(BRANCHES, branches(found, own, now, zone), key="branches_table")


def draw_jobs(found: pd.DataFrame) -> None:
    st.header("Slowest jobs", anchor=False)
    if found.empty:
        st.caption("No jobs are known in this window. They come with the CI system's job events.")
        return
    metric_table.draw(JOBS, jobs(found), key="jobs_table")


def draw_steps(found: pd.DataFrame) -> None:
    st.header("Slowest steps", anchor=False)
    if found.empty:
        st.caption("No steps are known in this window.")
        return
    metric_table.draw(STEPS, steps(found), key="steps_table")


def draw_breakages(found: pd.DataFrame, now: datetime, zone: ZoneInfo) -> None:
    st.header("When the default branch broke", anchor=False)
    if found.empty:
        st.caption("It never did, as far as is known.")
        return
    metric_table.draw(BREAKAGES, breakages(found, now, zone), key="breakages_table")


def branches(table: pd.DataFrame, own: dict[str, str | None], now: datetime, zone: ZoneInfo) -> list[Row]:
    return [
        {
            "branch": _text(
                row["branch"] if text(row["branch"]) else "no branch",
                href=address("runs", **{**own, "branch": text(row["branch"]) or None}),
                sub="default" if row["is_default"] else "",
            ),
            "runs": _text(f"{int(row['runs']):,}"),
            "failed": _text(f"{int(row['failed']):,}"),
            "success_rate": _text(percentage(row["success_rate"])),
            "p50_seconds": _time(row["p50_seconds"]),
            "p95_seconds": _time(row["p95_seconds"]),
            "last_at": _text(relative(row["last_at"], now), title=exact(row["last_at"], zone)),
        }
        for row in table.head(SHOWN).to_dict("records")
    ]


def jobs(table: pd.DataFrame) -> list[Row]:
    total = float(table["total_seconds"].sum()) or 1.0
    return [
        {
            "job": _text(row["job"], title=text(row["job"])),
            "queue_seconds": _time(row["queue_seconds"]),
            "failed": _text(f"{int(row['failed']):,}", sub=f"{percentage(row['success_rate'])} succeed"),
            **_times(row, total),
        }
        for row in table.head(SHOWN).to_dict("records")
    ]


def steps(table: pd.DataFrame) -> list[Row]:
    total = float(table["total_seconds"].sum()) or 1.0
    return [
        {
            "step": _text(row["step"], sub=text(row["job"])[:120], title=text(row["step"])),
            "failed": _text(f"{int(row['failed']):,}"),
            **_times(row, total),
        }
        for row in table.head(SHOWN).to_dict("records")
    ]


def breakages(table: pd.DataFrame, now: datetime, zone: ZoneInfo) -> list[Row]:
    return [
        {
            "broke_at": _text(exact(row["broke_at"], zone), href=address("run", id=row["first_failure_id"])),
            "recovered_at": _text("not yet")
            if missing(row["recovered_at"])
            else _text(exact(row["recovered_at"], zone), href=address("run", id=row["recovered_by"])),
            "seconds": _text(f"broken for {duration((now - row['broke_at']).total_seconds())}")
            if missing(row["seconds"])
            else _time(row["seconds"]),
        }
        for row in table.head(SHOWN).to_dict("records")
    ]


def _times(row: dict[Any, Any], total: float) -> Row:
    seconds = 0.0 if missing(row["total_seconds"]) else float(row["total_seconds"])
    return {
        "p50_seconds": _time(row["p50_seconds"]),
        "p95_seconds": _time(row["p95_seconds"]),
        "runs": _text(f"{int(row['runs']):,}"),
        "total_seconds": _text(duration(seconds)) | {"share": seconds / total},
    }


def _time(seconds: Any) -> Cell:
    return _text(NOTHING if missing(seconds) else duration(float(seconds)))


def _text(value: object, **more: str) -> Cell:
    return {"text": text(value)[:200], **more}
