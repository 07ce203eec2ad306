"""The panel of active alerts: what broke, since when, whose change it was, and taking it on."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from core.access import Role
from dashboard import data
from dashboard.data import Scope
from dashboard.parts import acting
from dashboard.parts.formats import alert_path, exact, first_line, plain, relative, run_path, safe_url, text

MOST_SHOWN = 8
SEVERITIES = {
    "critical": (":material/error:", "red"),
    "warning": (":material/warning:", "orange"),
    "info": (":material/info:", "blue"),
}


def draw(alerts: pd.DataFrame, total: int, scope: Scope, *, now: datetime, zone: ZoneInfo, online: bool) -> None:
    """The newest of `total` alerts, at most MOST_SHOWN, each with a button while ingest is online."""
    can_act = online and data.may(Role.OPERATOR)
    with st.container(border=True, height=372, key="alerts"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.header(f"Active alerts ({total})" if total else "Active alerts", anchor=False, width="content")
            with st.container(horizontal=True, vertical_alignment="center", width="content", gap="small"):
                if total and can_act:
                    acting.name_field()
                st.page_link(
                    "views/alerts.py", label="All alerts", icon=":material/arrow_forward:", icon_position="right",
                    query_params=scope.parameters_in_link(), width="content",
                )  # fmt: skip
        acting.notice()
        if not total:
            st.success("Nothing needs attention.", icon=":material/check_circle:")
            return
        for alert in alerts.head(MOST_SHOWN).to_dict("records"):
            _alert(alert, now, zone, can_act)
        if total > MOST_SHOWN:
            st.caption(f"and {total - MOST_SHOWN} more on the page of all alerts")


def _alert(alert: dict[Any, Any], now: datetime, zone: ZoneInfo, can_act: bool) -> None:
    icon, colour = SEVERITIES.get(text(alert["severity"]), SEVERITIES["info"])
    since, run_key = alert["created_at"], text(alert["run_key"])
    times = int(alert["occurrences"])
    facts = [
        plain(alert["repository"]),
        f"since {relative(since, now).removesuffix(' ago')}",
        f"{times} times" if times > 1 else "",
        f"by {plain(alert['commit_author'])}" if text(alert["commit_author"]) else "",
    ]
    links = [
        f"[Run](<{run_path(run_key)}>)" if run_key else "",
        f"[CI system](<{markdown_target(alert['run_url'])}>)" if markdown_target(alert["run_url"]) else "",
    ]
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"alert_{text(alert['id'])}"):
        with st.container(gap=None):
            address = alert_path(alert["id"])
            st.markdown(f":{colour}[{icon}] **[{plain(alert['message'])}](<{address}>)**")
            st.caption(" · ".join(part for part in [*facts, *links] if part), help=_details(alert, zone))
        if can_act:
            st.button(
                "Acknowledge", key=f"acknowledge_{text(alert['id'])}", on_click=_acknowledge, args=(text(alert["id"]),)
            )


def _details(alert: dict[Any, Any], zone: ZoneInfo) -> str:
    subject = first_line(alert["commit_message"])
    lines = [
        f"First seen {plain(exact(alert['created_at'], zone))}",
        f"Last seen {plain(exact(alert['last_seen_at'], zone))}",
    ]
    return "  \n".join([*lines, f"Commit: {plain(subject)}"] if subject else lines)


def markdown_target(url: object) -> str | None:
    """An address that may stand between `<` and `>` in a Markdown link."""
    address = safe_url(url)
    return None if address is None or set(address) & set("<>\\`") else address


def _acknowledge(alert_id: str) -> None:
    """Take the alert on by REST; the outcome is told on the next drawing of the panel."""

    def take_on(by: str) -> str:
        data.acknowledge(alert_id, by)
        return f"Acknowledged by {by}."

    acting.act(take_on)
