"""One alert: what it says, why the run failed, what can be done, and what happened so far."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st

from core.access import Role
from dashboard import data
from dashboard.parts import acting, alert_actions, alert_history, filters, notices
from dashboard.parts.alerts_panel import SEVERITIES
from dashboard.parts.alerts_table import TYPE_NAMES, state_of
from dashboard.parts.formats import NOTHING, commit_url, exact, first_line, missing, plain, relative, safe_url, text
from dashboard.reads import alerts as reads

STATE_COLOURS = {"active": "red", "acknowledged": "blue", "snoozed": "gray", "resolved": "green"}


@notices.explained
def alert() -> None:
    """The heading, the actions, the facts beside the log, the history beside the messages."""
    fresh, alert_id = data.freshness(), st.query_params.get("id", "")
    notices.offline_banner(data.source())
    acting.notice()
    found = reads.one(alert_id) if alert_id else None
    if found is None:
        st.title("There is no such alert", anchor=False)
        st.markdown("The link may be old. Choose one from the list.")
        st.page_link("views/alerts.py", label="All alerts", icon=":material/arrow_back:", width="content")
        return
    now, zone = datetime.now(UTC), filters.viewer_zone(st.context.timezone)
    st.page_link("views/alerts.py", label="All alerts", icon=":material/arrow_back:", width="content")
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        _heading(found)
        notices.simulated_label(fresh)
    if text(found["status"]) != "resolved" and data.source() == "live" and data.may(Role.OPERATOR):
        alert_actions.bar([alert_id], text(found["status"]), key="one")
    _facts(found, now, zone)
    _log(found)
    left, right = st.columns(2, gap="small")
    with left, st.container(border=True, key="events"):
        st.header("What happened", anchor=False)
        alert_history.draw_events(reads.events(alert_id), now, zone)
    with right, st.container(border=True, key="messages"):
        st.header("Messages", anchor=False)
        alert_history.draw_messages(reads.messages(alert_id=alert_id, limit=50), now, zone)


def _heading(found: dict[Any, Any]) -> None:
    icon, colour = SEVERITIES.get(text(found["severity"]), SEVERITIES["info"])
    status = text(found["status"])
    st.title(f":{colour}[{icon}] {plain(found['message'])}", anchor=False, width="content")
    st.badge(status.capitalize(), color=STATE_COLOURS.get(status, "gray"))  # type: ignore[arg-type]


def _facts(found: dict[Any, Any], now: datetime, zone: ZoneInfo) -> None:
    state, note = state_of(found, now, zone)
    sha, subject = text(found["head_sha"]), plain(first_line(found["commit_message"]))
    address = commit_url(found["repository_url"], sha, text(found["provider"]))
    commit = f"[{sha[:7]}]({address})" if address else plain(sha[:7])
    times = int(found["occurrences"])
    shown = {
        "State": plain(state),
        "Note": plain(note),
        "Type": TYPE_NAMES.get(text(found["type"]), plain(found["type"])),
        "Repository": plain(found["repository"]),
        "Pipeline": plain(found["pipeline"]),
        "Branch": plain(found["branch"]),
        "Last change": " ".join(part for part in (commit, subject) if part),
        "Author": plain(found["commit_author"]),
        "First seen": _moment(found["created_at"], now, zone),
        "Last seen": _moment(found["last_seen_at"], now, zone) + (f", {times} times" if times > 1 else ""),
    }
    with st.container(border=True, key="facts"):
        with st.grid(5, min_column_width=170, gap="small"):
            for label, value in shown.items():
                if value or label not in ("Note", "Branch"):
                    st.markdown(f":gray[{label}]  \n{value or NOTHING}")
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            _run_link(found["run_key"], "Open the run", ":material/play_circle:")
            _run_link(found["resolved_run_key"], "Open the run that ended it", ":material/check_circle:")
            outside = safe_url(found["run_url"])
            if outside:
                st.link_button("Open at the CI system", outside, icon=":material/open_in_new:", type="tertiary")


def _run_link(run_key: object, label: str, icon: str) -> None:
    if text(run_key):
        st.page_link("views/run.py", label=label, icon=icon, query_params={"id": text(run_key)}, width="content")


def _log(found: dict[Any, Any]) -> None:
    with st.container(border=True, key="log"):
        st.header("Why it failed", anchor=False)
        if text(found["excerpt"]):
            st.code(text(found["excerpt"]), language=None, wrap_lines=True)
            query = {"id": text(found["run_key"]), "job": text(found["log_job_id"])}
            st.page_link("views/log.py", label="Open log", icon=":material/article:", query_params=query)
        else:
            st.caption("No kept log says why. Open the run to read its logs.")


def _moment(at: Any, now: datetime, zone: ZoneInfo) -> str:
    return NOTHING if missing(at) else f"{plain(relative(at, now))} ({plain(exact(at, zone))})"


alert()
