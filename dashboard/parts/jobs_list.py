"""The jobs of one attempt, each an expander with its steps."""

from datetime import datetime
from typing import Any, Literal

import pandas as pd
import streamlit as st

from dashboard.parts.formats import STATUS_ICONS, count, duration, missing, plain, safe_url, text

Colour = Literal["green", "red", "blue", "gray"]
MOST_SHOWN = 100


def status_colour(status: str) -> Colour:
    """The colour of a status in Streamlit's palette, which the theme keeps colour-blind safe."""
    colours: dict[str, Colour] = {"success": "green", "failed": "red", "running": "blue"}
    return colours.get(status, "gray")


def draw(jobs: pd.DataFrame, steps: pd.DataFrame, *, now: datetime) -> None:
    """Failed jobs open, the others closed; at most MOST_SHOWN, because a matrix may have hundreds."""
    if jobs.empty:
        st.caption("No jobs are known for this attempt. They come with the webhook event *Workflow jobs*.")
        return
    by_job = dict(iter(steps.groupby("job_id", sort=False)))
    # Where not all fit, the failed ones come first.
    order = jobs if len(jobs) <= MOST_SHOWN else jobs.sort_values("status", key=lambda s: s != "failed", kind="stable")
    for job in order.head(MOST_SHOWN).to_dict("records"):
        _job(job, by_job.get(job["id"]), now)
    if len(jobs) > MOST_SHOWN:
        st.caption(f"and {count(len(jobs) - MOST_SHOWN, 'job', 'jobs')} more at the CI system")


def _job(job: dict[Any, Any], steps: pd.DataFrame | None, now: datetime) -> None:
    status = text(job["status"])
    took = job["duration_seconds"]
    if status == "running" and not missing(job["started_at"]):
        took = (now - job["started_at"]).total_seconds()
    icon = STATUS_ICONS.get(status, "?")
    label = f":{status_colour(status)}[{icon} {plain(status.capitalize())}] **{plain(job['name'])}** · {duration(took)}"
    if not missing(job["queue_seconds"]):
        label += f" · queued {duration(job['queue_seconds'])}"
    with st.expander(label, expanded=status == "failed"):
        facts = [f"Runner {plain(job['runner_name'])}" if text(job["runner_name"]) else "", plain(job["labels"])]
        address = safe_url(job["url"])
        if address and not set(address) & set("<>\\"):
            facts.append(f"[Open the job](<{address}>)")
        st.caption(" · ".join(fact for fact in facts if fact) or "No details known")
        if steps is None:
            st.caption("No steps are known for this job.")
            return
        st.dataframe(_steps(steps), hide_index=True, row_height=30, width="stretch")


def _steps(steps: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "#": steps["number"],
            "Status": [f"{STATUS_ICONS.get(status, '?')} {status.capitalize()}" for status in steps["status"]],
            "Step": steps["name"],
            "Duration": [
                duration(None if missing(seconds) else float(seconds)) for seconds in steps["duration_seconds"]
            ],
        }
    )
