"""The channels, a test of each, and what became of the messages."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from core.access import Role
from core.errors import DashboardError
from dashboard import data
from dashboard.parts import acting, alert_routes, filters
from dashboard.parts.alerts_table import SEVERITY_NAMES
from dashboard.parts.formats import count, exact, missing, plain, relative, text
from dashboard.reads import alert_settings as reads
from dashboard.reads import alerts

ANSWERS = "channel_answers"
PER_PAGE = 100
STATUS_NAMES = {"failed": "Failed", "pending": "Waiting", "sent": "Sent"}
ICONS = {"sent": "✓", "failed": "✕", "pending": "◷", "sending": "▶"}


def draw() -> None:
    """A card for each channel, then the messages."""
    now, zone = datetime.now(UTC), filters.viewer_zone(st.context.timezone)
    channels = _channels()
    if channels:
        with st.grid(3, min_column_width=300, gap="small"):
            for channel in channels:
                _card(channel, now)
    elif data.source() == "live":
        alert_routes.no_channels()
    with st.container(border=True, key="messages"):
        _messages(now, zone)


def _channels() -> list[dict[str, Any]]:
    return reads.channels() if data.source() == "live" else []


def _card(channel: dict[str, Any], now: datetime) -> None:
    name = channel["name"]
    with st.container(border=True, height="stretch", key=f"channel_{name}"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.header(plain(name), anchor=False, width="content")
            _badge(channel)
        last = channel["last_sent_at"]
        facts = [
            plain(channel["target"]),
            f"from {SEVERITY_NAMES[channel['least']].lower()} on",
            f"last message {relative(datetime.fromisoformat(last), now)}" if last else "nothing sent yet",
            f"{channel['sent']:,} sent in 7 days",
            f"{channel['failed']:,} failed" if channel["failed"] else "",
        ]
        st.caption(" · ".join(fact for fact in facts if fact))
        if channel["error"]:
            st.markdown(f":orange[:material/schedule: {plain(channel['error'])}]")
        if channel["is_configured"] and data.may(Role.OPERATOR):
            st.button("Send a test", icon=":material/send:", key=f"test_{name}", on_click=_test, args=(name,))
            answer = st.session_state.get(ANSWERS, {}).get(name)
            if answer:
                colour, icon, words = answer
                st.markdown(f":{colour}[{icon} {plain(words)}]")


def _badge(channel: dict[str, Any]) -> None:
    if not channel["is_configured"]:
        st.badge("Not configured", color="gray")
    elif channel["error"]:
        st.badge(f"{channel['waiting']} waiting", icon=":material/error:", color="orange")
    elif channel["failed"]:
        st.badge(f"{channel['failed']} failed", icon=":material/error:", color="red")
    else:
        st.badge(
            "Fine" if channel["last_sent_at"] else "Not tried", color="green" if channel["last_sent_at"] else "gray"
        )


def _test(name: str) -> None:
    """Send for real; what the channel said stands on its card."""
    try:
        answer = ("green", ":material/check:", f"It answered: {reads.test(name)}")
    except DashboardError as error:
        answer = ("red", ":material/error:", str(error))
    st.session_state[ANSWERS] = st.session_state.get(ANSWERS, {}) | {name: answer}


def _messages(now: datetime, zone: ZoneInfo) -> None:
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.header("Messages", anchor=False, width="content")
        filters.take_code("message_status", list(STATUS_NAMES))
        status = st.segmented_control(
            "Status", list(STATUS_NAMES), key="message_status", bind="query-params", label_visibility="collapsed",
            format_func=STATUS_NAMES.__getitem__,
        )  # fmt: skip
    rows = alerts.messages(status=status, limit=PER_PAGE)
    if rows.empty:
        st.caption("No message has this status." if status else "No message has been sent yet.")
        return
    can_act = data.source() == "live" and data.may(Role.OPERATOR)
    state: Any = st.dataframe(
        _table(rows, now, zone), hide_index=True, width="stretch", height=min(600, 35 * (len(rows) + 1) + 3),
        key=f"message_table_{status}", on_select="rerun" if can_act else "ignore", selection_mode="multi-row",
    )  # fmt: skip
    if len(rows) == PER_PAGE:
        st.caption(f"The newest {PER_PAGE}.")
    if can_act:
        picked = [rows.iloc[place] for place in state["selection"]["rows"] if place < len(rows)]
        again = [text(row["id"]) for row in picked if text(row["status"]) in ("failed", "pending")]
        st.button(
            f"Try {count(len(again), 'message', 'messages')} again" if again else "Try again",
            icon=":material/replay:", disabled=not again, key="retry", on_click=_retry, args=(again,),
            help="Choose messages that failed or wait. They keep their ids.",
        )  # fmt: skip


def _table(rows: pd.DataFrame, now: datetime, zone: ZoneInfo) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Status": [f"{ICONS.get(status, '?')} {status.capitalize()}" for status in rows["status"]],
            "Channel": rows["channel"],
            "Message": [
                f"{'Recovered: ' if kind == 'resolved' else ''}{text(message)}"
                for kind, message in zip(rows["kind"], rows["message"], strict=True)
            ],
            "Repository": [text(repository) for repository in rows["repository"]],
            "Made": [exact(at, zone) for at in rows["created_at"]],
            "Sent": ["" if missing(at) else relative(at, now) for at in rows["sent_at"]],
            "Attempts": rows["attempts"],
            "What the channel said": [text(error) for error in rows["error"]],
        }
    )


def _retry(message_ids: list[str]) -> None:
    def again(_: str) -> str:
        for message_id in message_ids:
            reads.retry(message_id)
        return f"{count(len(message_ids), 'message', 'messages')} on the way again."

    acting.set_up(again)
