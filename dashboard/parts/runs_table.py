"""The table of workflow runs: a small browser component, because it needs links in place and a time on hover.

Texts from outside reach the page as `textContent` only (`runs_table.js`), so nothing in them can become markup.
"""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from dashboard.parts.component import component, nothing
from dashboard.parts.formats import (
    STATUS_ICONS,
    commit_url,
    duration,
    exact,
    first_line,
    missing,
    relative,
    run_path,
    safe_url,
    text,
)  # fmt: skip
from dashboard.parts.providers import icon_of, name_of

LONGEST_TEXT = 200

Row = dict[str, str | None]


def rows(runs: pd.DataFrame, *, now: datetime, zone: ZoneInfo) -> list[Row]:
    """The rows of `run_page` as shown: every value a finished text, every link http(s) or a page of ours."""
    return [_row(run, now, zone) for run in runs.to_dict("records")]


def _row(run: dict[Any, Any], now: datetime, zone: ZoneInfo) -> Row:
    status, provider = text(run["status"]), text(run["provider"])
    sha = text(run["head_sha"])
    if status == "running":
        taken = None if missing(run["started_at"]) else (now - run["started_at"]).total_seconds()
        shown_duration = f"{duration(taken)} so far"
    else:
        shown_duration = duration(None if missing(run["duration_seconds"]) else float(run["duration_seconds"]))
    number = "" if missing(run["run_number"]) else f"#{int(run['run_number'])}"
    attempt = f"attempt {int(run['run_attempt'])}" if int(run["run_attempt"]) > 1 else ""
    return {
        "id": text(run["id"]),
        "path": run_path(run["id"]),
        "pipeline": text(run["pipeline"])[:LONGEST_TEXT],
        "number": " · ".join(part for part in (number, attempt) if part),
        "repository": text(run["repository"])[:LONGEST_TEXT],
        "branch": text(run["branch"])[:LONGEST_TEXT],
        "status": status,
        "status_icon": STATUS_ICONS.get(status, "?"),
        "status_title": text(run["conclusion"]).replace("_", " "),
        "duration": shown_duration,
        "commit": sha[:7],
        "commit_url": commit_url(run["repository_url"], sha, provider),
        "message": first_line(run["commit_message"] or run["title"])[:LONGEST_TEXT],
        "author": text(run["commit_author"] or run["actor"])[:LONGEST_TEXT],
        "time": relative(run["begun_at"], now),
        "exact": exact(run["begun_at"], zone),
        "url": safe_url(run["url"]),
        "system": name_of(provider),
        "system_icon": icon_of(provider),
    }


def draw(shown: list[Row], *, key: str) -> None:
    """The table. A click on a run opens its page in place (with Ctrl, in a new tab)."""
    result = component("runs_table")(data={"rows": shown}, key=key, on_opened_change=nothing)
    opened = result.get("opened")
    if opened in {row["id"] for row in shown}:
        st.switch_page("views/run.py", query_params={"id": str(opened)})
