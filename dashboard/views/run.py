"""One run: its fields, its attempts, their jobs and steps."""

from datetime import UTC, datetime
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import data
from dashboard.parts import filters, notices
from dashboard.parts.formats import (
    NOTHING,
    STATUS_ICONS,
    commit_url,
    duration,
    exact,
    first_line,
    missing,
    plain,
    relative,
    safe_url,
    text,
)
from dashboard.parts.jobs_list import draw as draw_jobs
from dashboard.parts.jobs_list import status_colour
from dashboard.parts.providers import name_of

Run = dict[Any, Any]


@notices.explained
def run() -> None:
    """The run's heading, the attempt's fields, its jobs with why they failed."""
    fresh = data.freshness()
    notices.offline_banner(data.source())
    run_id = st.query_params.get("id", "")
    attempts = data.attempts(run_id) if run_id else pd.DataFrame()
    if attempts.empty:
        st.title("There is no such run", anchor=False)
        notices.simulated_label(fresh)
        st.markdown(
            "The link may be old, or the run was removed when its retention time ended. Choose one from the list."
        )
        st.page_link("views/runs.py", label="All runs", icon=":material/arrow_back:", width="content")
        return
    heading = st.container(horizontal=True, vertical_alignment="center", gap="small", key="heading")
    subject = st.container()
    run = _chosen(attempts)
    with heading:
        _heading(run)
        notices.simulated_label(fresh)
    message = run["commit_message"] if text(run["commit_message"]) else run["title"]
    subject.text(first_line(message) or "No commit message")
    _fields(run)
    st.header("Jobs", anchor=False)
    attempt_id = text(run["attempt_id"])
    draw_jobs(data.jobs(attempt_id), data.steps(attempt_id), attempt_id=attempt_id, now=datetime.now(UTC))


def _chosen(attempts: pd.DataFrame) -> Run:
    """The attempt to show: the newest, unless the URL or the switch above the fields names another."""
    by_number = {int(run["run_attempt"]): run for run in attempts.to_dict("records")}
    if len(by_number) == 1:
        return next(iter(by_number.values()))
    number = st.segmented_control(
        "Attempt",
        list(by_number),
        default=max(by_number),
        key="attempt",
        bind="query-params",
        required=True,
        format_func=lambda each: f"{STATUS_ICONS.get(by_number[each]['status'], '')} Attempt {each}",
    )
    return by_number[number or max(by_number)]


def _heading(run: Run) -> None:
    number = "" if missing(run["run_number"]) else f" \\#{int(run['run_number'])}"
    status = text(run["status"])
    st.title(f"{plain(run['pipeline'])}{number}", anchor=False, width="content")
    st.badge(f"{STATUS_ICONS.get(status, '')} {plain(status.capitalize())}", color=status_colour(status))
    address = safe_url(run["url"])
    if address:
        st.link_button(f"Open in {_system(run)}", address, icon=":material/open_in_new:")


def _fields(run: Run) -> None:
    now, zone = datetime.now(UTC), filters.viewer_zone(st.context.timezone)
    sha = text(run["head_sha"])
    address = commit_url(run["repository_url"], sha, text(run["provider"]))
    commit = f"[{sha[:7]}]({address})" if address else plain(sha[:7])
    took = run["duration_seconds"]
    if text(run["status"]) == "running" and not missing(run["started_at"]):
        took = (now - run["started_at"]).total_seconds()
    shown = {
        "Repository": plain(run["repository"]),
        "Branch": plain(run["branch"]) + (" → " + plain(run["base_branch"]) if text(run["base_branch"]) else ""),
        "Commit": commit,
        "Author": plain(run["commit_author"]),
        "Started by": plain(run["actor"]),
        "Event": plain(run["event"]),
        "Result at the CI system": plain(text(run["conclusion"]).replace("_", " ")),
        "Duration": duration(took),
        "Created": _moment(run["created_at"], now, zone),
        "Started": _moment(run["started_at"], now, zone),
        "Finished": _moment(run["finished_at"], now, zone),
        "Fork": plain(run["head_repository"]) if bool(run["is_fork"]) else "",
    }
    with st.container(border=True, key="fields"), st.grid(4, min_column_width=135, gap="small"):
        for label, value in shown.items():
            if value or label != "Fork":
                st.markdown(f":gray[{label}]  \n{value or NOTHING}")


def _moment(at: Any, now: datetime, zone: Any) -> str:
    return NOTHING if missing(at) else f"{plain(exact(at, zone))} ({plain(relative(at, now))})"


def _system(run: Run) -> str:
    return name_of(text(run["provider"]))


run()
