"""The log of a job, as the log page reads it: got whole and packed once, then looked into here by the window."""

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from core.logs.opened import Hits, OpenLog, StepStart
from dashboard.data import ask_service
from dashboard.parts.formats import missing, text

# The service may have to fetch it from the CI system first.
PATIENCE_SECONDS = 120.0
MOST_OPEN = 8


@dataclass(frozen=True, slots=True)
class JobLog:
    """`size_bytes` is what the CI system sent; `is_cut` says that its middle isn't kept."""

    log: OpenLog
    size_bytes: int
    is_cut: bool
    first_error: int | None


@st.cache_resource(ttl=600, max_entries=MOST_OPEN, show_spinner=False)
def job_log(run_id: str, job_id: str, as_of: str) -> JobLog:  # noqa: ARG001 -- `as_of` is the cache's key
    """Fetched by the service first where it isn't kept. Raises as `ask_service`. `as_of` changes while the log grows.

    Open are the last MOST_OPEN logs that somebody read, packed, which takes a tenth of their size.
    """
    answer = ask_service(
        "GET", f"/builds/{run_id}/logs", params={"job": job_id, "format": "gzip"}, timeout=PATIENCE_SECONDS
    )
    log = OpenLog(answer.content)
    first = answer.headers.get("X-Log-First-Error")
    return JobLog(
        log,
        int(answer.headers.get("X-Log-Size", 0)),
        answer.headers.get("X-Log-Cut") == "true",
        int(first) if first else next(iter(log.errors), None),
    )


def step_lines(log: OpenLog, steps: pd.DataFrame) -> list[int | None]:
    """The line with which each step (a row of `attempt_steps`) begins."""
    starts = [
        StepStart(text(step["name"]), None if missing(step["started_at"]) else step["started_at"].to_pydatetime())
        for step in steps.to_dict("records")
    ]
    return log.step_lines(starts)


@st.cache_data(ttl=600, max_entries=50, show_spinner=False)
def search(_log: OpenLog, key: str, words: str) -> Hits:  # noqa: ARG001 -- the key names the log
    """Where the words are; kept, because every window that is read while somebody searches asks again."""
    return _log.search(words)
