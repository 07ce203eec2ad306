"""The jobs of one attempt: when each ran, and of each its steps, why it failed, and the way to its log."""

from datetime import datetime
from typing import Any, Literal
from urllib.parse import quote

import pandas as pd
import streamlit as st

from dashboard.parts import timeline
from dashboard.parts.formats import STATUS_ICONS, count, duration, missing, plain, safe_url, text

Colour = Literal["green", "red", "blue", "gray"]
MOST_SHOWN = 100


def status_colour(status: str) -> Colour:
    """The colour of a status in Streamlit's palette, which the theme keeps colour-blind safe."""
    colours: dict[str, Colour] = {"success": "green", "failed": "red", "running": "blue"}
    return colours.get(status, "gray")


def draw(jobs: pd.DataFrame, steps: pd.DataFrame, *, attempt_id: str, now: datetime) -> None:
    """Failed jobs open, the others closed; at most MOST_SHOWN, because a matrix may have hundreds."""
    if jobs.empty:
        st.caption("No jobs are known for this attempt. They come with the webhook event *Workflow jobs*.")
        return
    if len(jobs) > 1:
        rows = timeline.rows(jobs, now, lambda job: log_path(attempt_id, job["id"]) if _has_log(job) else "")
        with st.container(border=True, key="job_times"):
            timeline.draw(rows, label="When each job ran", key="job_timeline")
    by_job = dict(iter(steps.groupby("job_id", sort=False)))
    # Where not all fit, the failed ones come first.
    order = jobs if len(jobs) <= MOST_SHOWN else jobs.sort_values("status", key=lambda s: s != "failed", kind="stable")
    for job in order.head(MOST_SHOWN).to_dict("records"):
        _job(job, by_job.get(job["id"]), attempt_id, now)
    if len(jobs) > MOST_SHOWN:
        st.caption(f"and {count(len(jobs) - MOST_SHOWN, 'job', 'jobs')} more at the CI system")


def log_path(attempt_id: object, job_id: object, step: int | None = None) -> str:
    """The address of a job's log, relative to any other page of the dashboard."""
    path = f"log?id={quote(text(attempt_id), safe='')}&job={quote(text(job_id), safe='')}"
    return path if step is None else f"{path}&step={step}"


def _has_log(job: dict[Any, Any]) -> bool:
    return text(job["status"]) not in ("queued", "skipped", "blocked")


def _job(job: dict[Any, Any], steps: pd.DataFrame | None, attempt_id: str, now: datetime) -> None:
    status = text(job["status"])
    took = job["duration_seconds"]
    if status == "running" and not missing(job["started_at"]):
        took = (now - job["started_at"]).total_seconds()
    icon = STATUS_ICONS.get(status, "?")
    label = f":{status_colour(status)}[{icon} {plain(status.capitalize())}] **{plain(job['name'])}** · {duration(took)}"
    if not missing(job["queue_seconds"]):
        label += f" · queued {duration(job['queue_seconds'])}"
    with st.expander(label, expanded=status == "failed"):
        if text(job["excerpt"]):
            st.code(text(job["excerpt"]), language=None, wrap_lines=True)
        _links(job, attempt_id)
        if steps is None:
            st.caption("No steps are known for this job.")
            return
        rows = timeline.rows(steps, now, lambda step: log_path(attempt_id, job["id"], int(step["number"])))
        timeline.draw(rows, label=f"Steps of {text(job['name'])}", key=f"steps_{text(job['id'])}")


def _links(job: dict[Any, Any], attempt_id: str) -> None:
    facts = [f"Runner {plain(job['runner_name'])}" if text(job["runner_name"]) else "", plain(job["labels"])]
    address = safe_url(job["url"])
    if address and not set(address) & set("<>\\"):
        facts.append(f"[Open at the CI system](<{address}>)")
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if _has_log(job):
            st.page_link(
                "views/log.py",
                label="Open log",
                icon=":material/article:",
                query_params={"id": attempt_id, "job": text(job["id"])},
            )
        st.caption(" · ".join(fact for fact in facts if fact), width="content")
