"""The log of one job. `?id=` names the run, `&job=` the job, `&line=` lines (`120`, `120-130`) or `&step=` a step."""

import re
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.errors import DashboardError, StoreUnavailable
from core.logs.opened import text_of
from core.model import FINISHED
from dashboard import data
from dashboard.parts import log_viewer, notices
from dashboard.parts.formats import STATUS_ICONS, duration, missing, plain, safe_url, size, text
from dashboard.parts.providers import name_of
from dashboard.reads.logs import JobLog, job_log, step_lines

Row = dict[Any, Any]
JOB = "job"
# How long a part of a running job's log is good enough.
GROWS_SECONDS = 10


@notices.explained
def log() -> None:
    """The heading with the way back, the choice of a job, its log or why there is none."""
    fresh = data.freshness()
    notices.offline_banner(data.source())
    run_id = st.query_params.get("id", "")
    attempts = data.attempts(run_id) if run_id else pd.DataFrame()
    if attempts.empty:
        st.title("There is no such run", anchor=False)
        st.markdown("The link may be old, or the run was removed when its retention time ended.")
        st.page_link("views/runs.py", label="All runs", icon=":material/arrow_back:", width="content")
        return
    attempt, jobs = _attempt(attempts, st.query_params.get("job", ""), run_id)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        _heading(attempt)
        notices.simulated_label(fresh)
    if jobs.empty:
        st.info("No jobs are known for this run. They come with the webhook event *Workflow jobs*.")
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="job_row"):
        job = _choice(jobs)
        facts = st.container(horizontal=True, vertical_alignment="center", gap="small", width="content")
    _log(attempt, job, facts)


def _attempt(attempts: pd.DataFrame, job: str, run_id: str) -> tuple[Row, pd.DataFrame]:
    """The attempt that has the job, else the one that is named, else the newest; with its jobs."""
    rows = sorted(attempts.to_dict("records"), key=lambda row: row["attempt_id"] != run_id)
    for row in rows:
        jobs = data.jobs(text(row["attempt_id"]))
        if not job or job in set(jobs["id"]):
            return row, jobs
    return rows[0], data.jobs(text(rows[0]["attempt_id"]))


def _heading(attempt: Row) -> None:
    number = "" if missing(attempt["run_number"]) else f" #{int(attempt['run_number'])}"
    again = f", attempt {int(attempt['run_attempt'])}" if int(attempt["run_attempt"]) > 1 else ""
    back = plain(f"{text(attempt['pipeline'])}{number}{again}")
    query = {"id": text(attempt["id"]), "attempt": str(int(attempt["run_attempt"]))}
    st.page_link("views/run.py", label=back, icon=":material/arrow_back:", query_params=query)
    st.caption(plain(attempt["repository"]), width="content")


def _choice(jobs: pd.DataFrame) -> Row:
    """The job that the URL names, else the first that failed."""
    by_id = {text(job["id"]): job for job in jobs.to_dict("records")}
    failed = next((name for name, job in by_id.items() if job["status"] == "failed"), next(iter(by_id)))
    linked = st.query_params.get("job")
    if st.session_state.get(JOB) not in by_id or (linked in by_id and linked != st.session_state[JOB]):
        st.session_state[JOB] = linked if linked in by_id else failed
    chosen = st.selectbox(
        "Job",
        list(by_id),
        key=JOB,
        label_visibility="collapsed",
        format_func=lambda name: _label(by_id[name]),
        on_change=_chosen,
        width=420,
    )
    return by_id[chosen]


def _label(job: Row) -> str:
    took = None if missing(job["duration_seconds"]) else float(job["duration_seconds"])
    return f"{STATUS_ICONS.get(text(job['status']), '?')} {text(job['name'])} · {duration(took)}"


def _chosen() -> None:
    """The address names the job; a line and a step belong to the log of another."""
    st.query_params["job"] = st.session_state[JOB]
    for name in ("line", "step"):
        st.query_params.pop(name, None)


def _log(attempt: Row, job: Row, facts: DeltaGenerator) -> None:
    run_id, job_id = text(attempt["attempt_id"]), text(job["id"])
    has_ended = text(job["status"]) in FINISHED
    try:
        with st.spinner("Getting the log…", show_time=True):
            found = job_log(run_id, job_id, "" if has_ended else f"{datetime.now(UTC).timestamp() // GROWS_SECONDS}")
    except DashboardError as error:
        _no_log(attempt, job, error)
        return
    steps = data.steps(run_id)
    with facts:
        _facts(found, text(job["name"]), has_ended=has_ended)
    _viewer(found, steps[steps["job_id"] == job_id], f"log_{job_id}", has_ended)


def _no_log(attempt: Row, job: Row, error: DashboardError) -> None:
    system = name_of(text(attempt["provider"]))
    if isinstance(error, StoreUnavailable):
        words = f"**Logs are read through the ingest service, which can't be reached.** {plain(error.hint)}"
        st.warning(words, icon=":material/cloud_off:")
    elif text(job["status"]) not in FINISHED:
        st.info(f"This job hasn't ended. {plain(system)} hands out its log when it has.", icon=":material/pending:")
    else:
        hint = f" {plain(error.hint)}" if error.hint else ""
        st.warning(f"**{plain(error.message)}**{hint}", icon=":material/description:")
    address = safe_url(job["url"]) or safe_url(attempt["url"])
    if address:
        st.link_button(f"Open the job in {system}", address, icon=":material/open_in_new:")
    if st.button("Try again", icon=":material/refresh:"):
        st.rerun()


def _facts(found: JobLog, name: str, *, has_ended: bool) -> None:
    cut = ", the middle of which isn't kept" if found.is_cut else ""
    so_far = "" if has_ended else " so far: the job still runs"
    st.caption(f"{found.log.total:,} lines · {size(found.size_bytes)}{cut}{so_far}", width="content")
    if not has_ended and st.button("Refresh", icon=":material/refresh:", type="tertiary"):
        st.rerun()
    st.download_button(
        "Download",
        lambda: b"".join(text_of(found.log.content)),
        file_name=f"{re.sub(r'[^A-Za-z0-9._-]+', '-', name)[:80] or 'job'}.log",
        mime="text/plain",
        icon=":material/download:",
        on_click="ignore",
        type="tertiary",
    )


@st.fragment
def _viewer(found: JobLog, steps: pd.DataFrame, key: str, has_ended: bool) -> None:
    step = st.query_params.get("step", "")
    target = _target(st.query_params.get("line", "")) or (_step(found, steps, int(step)) if step.isdigit() else None)
    log_viewer.draw(found, steps, target=target, key=key, at_end=not has_ended)


def _step(found: JobLog, steps: pd.DataFrame, number: int) -> tuple[int, int] | None:
    """The line with which a step begins."""
    lines = dict(zip(steps["number"], step_lines(found.log, steps), strict=True))
    line = lines.get(number)
    return (line, line) if line else None


def _target(line: str) -> tuple[int, int] | None:
    """`120` and `120-130` as the first and last line."""
    match = re.fullmatch(r"(\d{1,9})(?:-(\d{1,9}))?", line)
    if not match or int(match[1]) < 1:
        return None
    first, last = int(match[1]), int(match[2] or match[1])
    return min(first, last), max(first, last)


log()
