"""The list of alerts: a small browser component, because it needs links in place, a selection and logs that unfold.

Texts from outside reach the page as `textContent` only (`alerts_table.js`), so nothing in them can become markup.
"""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from dashboard.parts.component import component, nothing
from dashboard.parts.formats import alert_path, duration, exact, first_line, missing, relative, run_path, text
from dashboard.parts.jobs_list import log_path

LONGEST_TEXT = 200
LONGEST_LOG = 4000

TYPE_NAMES = {
    "pipeline_failure": "Pipeline failure",
    "slow_build": "Slow build",
    "pipeline_down": "Pipeline down",
    "high_failure_rate": "High failure rate",
}
SEVERITY_NAMES = {"critical": "Critical", "warning": "Warning", "info": "Information"}
HELD = {
    "silenced": "no message: silenced",
    "repeated": "no message: told minutes ago",
    "flapping": "no message: comes and goes",
}
ICONS = {"critical": "!", "warning": "!", "info": "i"}

Row = dict[str, Any]


def rows(alerts: pd.DataFrame, *, now: datetime, zone: ZoneInfo) -> list[Row]:
    """The rows of `alert_page` as shown: every value a finished text, every link a page of ours."""
    return [_row(alert, now, zone) for alert in alerts.to_dict("records")]


def _row(alert: dict[Any, Any], now: datetime, zone: ZoneInfo) -> Row:
    ended = text(alert["status"]) == "resolved"
    severity, run_key, times = text(alert["severity"]), text(alert["run_key"]), int(alert["occurrences"])
    state, note = state_of(alert, now, zone)
    place = [text(alert["repository"]), text(alert["pipeline"]), text(alert["branch"])]
    return {
        "id": text(alert["id"]),
        "path": alert_path(alert["id"]),
        "severity": severity,
        "severity_name": SEVERITY_NAMES.get(severity, severity),
        "icon": "✓" if ended else ICONS.get(severity, "i"),
        "ended": ended,
        "message": text(alert["message"])[:LONGEST_TEXT],
        "place": " · ".join(part for part in place if part)[:LONGEST_TEXT],
        "commit": text(alert["head_sha"])[:7],
        "subject": first_line(alert["commit_message"])[:LONGEST_TEXT],
        "author": text(alert["commit_author"])[:LONGEST_TEXT],
        "state": state,
        "note": note[:LONGEST_TEXT],
        "since": relative(alert["resolved_at"] if ended else alert["created_at"], now),
        "since_exact": exact(alert["resolved_at"] if ended else alert["created_at"], zone),
        "times": f"failed {times} times" if times > 1 else "",
        "run": run_key,
        "run_path": run_path(run_key) if run_key else None,
        "excerpt": text(alert["excerpt"])[:LONGEST_LOG],
        "log_path": log_path(run_key, alert["log_job_id"]) if run_key and text(alert["log_job_id"]) else None,
    }


def state_of(alert: dict[Any, Any], now: datetime, zone: ZoneInfo) -> tuple[str, str]:
    """Where an alert is in its life: who and when, and what was noted."""
    note = text(alert["note"])
    match text(alert["status"]):
        case "acknowledged":
            return f"{text(alert['acknowledged_by'])}, {relative(alert['acknowledged_at'], now)}", note
        case "snoozed":
            return f"Snoozed until {_clock(alert['snoozed_until'], now, zone)}", note
        case "resolved":
            lasted = duration(max(0.0, (alert["resolved_at"] - alert["created_at"]).total_seconds()))
            by = text(alert["resolved_by"])
            return ("By itself" if by == "system" else f"By {by}") + f", after {lasted}", note
        case _:
            return "Nobody yet", HELD.get(text(alert["held"]), note)


def _clock(at: Any, now: datetime, zone: ZoneInfo) -> str:
    if missing(at):
        return "–"
    local = at.astimezone(zone)
    return (
        f"{local:%H:%M}" if local.date() == now.astimezone(zone).date() else f"{local:%a} {local.day} {local:%b %H:%M}"
    )


def draw(shown: list[Row], *, selectable: bool, key: str) -> list[str]:
    """The list; returns the ids that are ticked. A click on an alert or a run opens its page in place."""
    result = component("alerts_table")(
        data={"rows": shown, "selectable": selectable}, key=key, default={"selected": []},
        on_opened_change=nothing, on_selected_change=nothing,
    )  # fmt: skip
    kind, _, opened = text(result.get("opened")).partition(" ")
    if kind == "alert" and opened in {row["id"] for row in shown}:
        st.switch_page("views/alert.py", query_params={"id": opened})
    if kind == "run" and opened in {row["run"] for row in shown}:
        st.switch_page("views/run.py", query_params={"id": opened})
    ticked = set(result.get("selected") or [])
    return [row["id"] for row in shown if row["id"] in ticked]
