"""The head of a pipeline's page: its name, state and links, and its numbers against the window before."""

from typing import Any, Literal

import streamlit as st

from dashboard.parts.formats import NOTHING, STATUS_ICONS, duration, missing, percentage, plain, safe_url, text
from dashboard.parts.jobs_list import status_colour
from dashboard.parts.metric_table import Cell
from dashboard.parts.pipeline_rows import COLUMNS, STATES, points_change, time_change
from dashboard.parts.providers import name_of

TONES: dict[str, Literal["green", "red", "gray"]] = {"good": "green", "bad": "red", "": "gray"}
HELP = {column.id: column.help for column in COLUMNS}


def heading(numbers: dict[Any, Any], own: dict[str, str | None]) -> None:
    """Name, state, and the ways to its runs and its repository. `own`: what makes the runs page show it."""
    status = text(numbers["status"])
    st.title(f"{plain(numbers['repository'])} · {plain(numbers['pipeline'])}", anchor=False, width="content")
    st.badge(f"{STATUS_ICONS.get(status, '')} {STATES.get(status, STATES['none'])}", color=status_colour(status))
    if numbers["running"]:
        st.badge("Running", icon=":material/play_arrow:", color="blue")
    st.page_link(
        "views/runs.py", label="Runs", icon=":material/list:", width="content",
        query_params={name: value for name, value in own.items() if value},
    )  # fmt: skip
    address = safe_url(numbers["repository_url"])
    if address:
        provider = text(numbers["provider"])
        file = text(numbers["path"]).rsplit("/", 1)[-1]
        is_github = provider == "github-actions" and text(numbers["path"]).startswith(".github/workflows/")
        st.link_button(
            f"Open in {name_of(provider)}",
            f"{address.rstrip('/')}/actions/workflows/{file}" if is_github else address,
            icon=":material/open_in_new:",
        )  # fmt: skip


def tiles(numbers: dict[Any, Any], window: str) -> None:
    """Success, durations, queue, flakiness and recovery, with their change against the window before."""
    shown = (
        ("Runs", f"{int(numbers['runs']):,}", _plus(int(numbers["runs"]) - int(numbers["previous_runs"])), "runs"),
        ("Success rate", percentage(numbers["success_rate"]), _points(numbers, "success_rate"), "success_rate"),
        ("Median duration", _time(numbers["p50_seconds"]), _seconds(numbers, "p50_seconds"), "p50_seconds"),
        ("95th percentile", _time(numbers["p95_seconds"]), _seconds(numbers, "p95_seconds"), "p95_seconds"),
        ("Queue", _time(numbers["queue_seconds"]), _seconds(numbers, "queue_seconds"), "queue_seconds"),
        ("Flaky commits", percentage(numbers["flakiness"]), _points(numbers, "flakiness", more=False), "flakiness"),
        ("Recovery", _time(numbers["recovery_seconds"]), _seconds(numbers, "recovery_seconds"), "recovery_seconds"),
    )  # fmt: skip
    with st.grid(len(shown), min_column_width=150, gap="small", key="tiles"):
        for label, value, change, column in shown:
            words = change.get("sub")
            st.metric(
                label, value, words, delta_color=TONES[change.get("tone", "")], delta_arrow="off", help=HELP[column],
                border=True, height="stretch", delta_description=f"vs {window} before" if words else None,
            )  # fmt: skip


def _time(seconds: Any) -> str:
    return NOTHING if missing(seconds) else duration(float(seconds))


def _plus(more: int) -> Cell:
    return {"sub": f"{more:+,}"} if more else {}


def _points(numbers: dict[Any, Any], name: str, *, more: bool = True) -> Cell:
    return points_change(numbers[name], numbers[f"previous_{name}"], good_when_more=more)


def _seconds(numbers: dict[Any, Any], name: str) -> Cell:
    return time_change(numbers[name], numbers[f"previous_{name}"])
