"""What happened to an alert, and what became of the messages about it."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from dashboard.parts.formats import exact, plain, relative, text

MOST_SHOWN = 100
EVENTS = {
    "raised": (":material/error:", "Raised"),
    "repeated": (":material/replay:", "Failed again"),
    "acknowledged": (":material/back_hand:", "Acknowledged"),
    "snoozed": (":material/snooze:", "Snoozed"),
    "woken": (":material/alarm:", "Active again: the snooze is over"),
    "resolved": (":material/check_circle:", "Resolved"),
    "held_silenced": (":material/notifications_off:", "No message: silenced"),
    "held_repeated": (":material/notifications_off:", "No message: told minutes ago"),
    "held_flapping": (":material/notifications_off:", "No message: it comes and goes"),
    "released": (":material/notifications:", "Nothing holds the message any more"),
}
MESSAGES = {
    "sent": (":material/check:", "green"),
    "failed": (":material/close:", "red"),
    "pending": (":material/schedule:", "orange"),
    "sending": (":material/schedule:", "orange"),
}


def draw_events(events: pd.DataFrame, now: datetime, zone: ZoneInfo) -> None:
    """Newest first; the first and the last ones where there are very many."""
    shown = events.tail(MOST_SHOWN).iloc[::-1]
    for event in shown.to_dict("records"):
        icon, words = EVENTS.get(text(event["kind"]), (":material/circle:", plain(event["kind"])))
        actor = text(event["actor"])
        by = f" by **{plain(actor)}**" if actor and actor != "system" else ""
        note = f"  \n“{plain(event['note'])}”" if text(event["note"]) else ""
        _line(f"{icon} {words}{by}{note}", event["occurred_at"], now, zone)
    if len(events) > MOST_SHOWN:
        st.caption(f"and {len(events) - MOST_SHOWN} earlier ones")


def draw_messages(messages: pd.DataFrame, now: datetime, zone: ZoneInfo) -> None:
    if messages.empty:
        st.caption("No message went out about this alert. Channels and severities are set under Alert settings.")
    for message in messages.to_dict("records"):
        icon, colour = MESSAGES.get(text(message["status"]), MESSAGES["pending"])
        kind = "about the alert" if text(message["kind"]) == "raised" else "about its end"
        words = f":{colour}[{icon}] **{plain(message['channel'])}** {kind}: {plain(message['status'])}"
        error = f"  \n:gray[{plain(message['error'])}]" if text(message["error"]) else ""
        at = message["sent_at"] if text(message["status"]) == "sent" else message["created_at"]
        _line(f"{words}{error}", at, now, zone)


def _line(words: str, at: Any, now: datetime, zone: ZoneInfo) -> None:
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="top", gap="small"):
        st.markdown(words, width="content")
        st.caption(relative(at, now), help=plain(exact(at, zone)), width="content")
