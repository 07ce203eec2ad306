"""What a person can do with alerts: take on, put aside, end, each with a note."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import streamlit as st

from core.errors import DashboardError
from dashboard.parts import acting, filters
from dashboard.parts.formats import count, text
from dashboard.reads import alerts as reads

SNOOZES = ("1 hour", "4 hours", "Until tomorrow, 9:00", "Until Monday, 9:00")


def bar(alert_ids: Sequence[str], state: str, *, key: str = "bar") -> None:
    """The buttons for the chosen alerts; they are off while none is chosen."""
    none, note = not alert_ids, f"note_{key}"
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"actions_{key}"):
        acting.name_field()
        st.text_input(
            "Note", key=note, placeholder="Note (optional)", max_chars=2000, width=260, label_visibility="collapsed"
        )
        if state != "acknowledged":
            st.button(
                "Acknowledge", icon=":material/back_hand:", type="primary", disabled=none, key=f"acknowledge_{key}",
                on_click=_acknowledge, args=(list(alert_ids), note),
            )  # fmt: skip
        with st.popover("Snooze", icon=":material/snooze:", disabled=none, key=f"snooze_{key}"):
            for words in SNOOZES:
                st.button(
                    words, key=f"snooze_{words}_{key}", type="tertiary", on_click=_snooze,
                    args=(list(alert_ids), note, words),
                )  # fmt: skip
        st.button(
            "Resolve", icon=":material/check:", disabled=none, key=f"resolve_{key}", on_click=_resolve,
            args=(list(alert_ids), note), help="End it by hand. The next failure raises a new alert.",
        )  # fmt: skip
        if key == "bar":
            st.caption(
                count(len(alert_ids), "alert chosen", "alerts chosen") if alert_ids else "Tick alerts to act on them"
            )


def length_of(words: str, now: datetime, zone: ZoneInfo) -> timedelta:
    """How long a snooze of SNOOZES is from now, by the clock of the viewer."""
    if words.endswith(("hour", "hours")):
        return timedelta(hours=int(words.split()[0]))
    local = now.astimezone(zone)
    days = 1 if "tomorrow" in words else 7 - local.weekday()
    until = (local + timedelta(days=days)).replace(hour=9, minute=0, second=0, microsecond=0)
    return until.astimezone(UTC) - now


def _acknowledge(alert_ids: list[str], note: str) -> None:
    def take_on(by: str) -> str:
        refused = reads.acknowledge(alert_ids, by, _note(note))
        done = len(alert_ids) - len(refused)
        words = f"{count(done, 'alert', 'alerts')} acknowledged by {by}." if done else ""
        return " ".join([words, *dict.fromkeys(refused)]).strip()

    if acting.act(take_on):
        st.session_state[note] = ""


def _snooze(alert_ids: list[str], note: str, words: str) -> None:
    length = length_of(words, datetime.now(UTC), filters.viewer_zone(st.context.timezone))
    _each(alert_ids, note, "snoozed", lambda alert_id, by: reads.snooze(alert_id, by, _note(note), length))


def _resolve(alert_ids: list[str], note: str) -> None:
    _each(alert_ids, note, "resolved", lambda alert_id, by: reads.resolve(alert_id, by, _note(note)))


def _each(alert_ids: list[str], note: str, words: str, action: Callable[[str, str], None]) -> None:
    """Do it to one after the other; one that somebody else changed meanwhile doesn't stop the others."""

    def do_all(by: str) -> str:
        problems: list[DashboardError] = []
        for alert_id in alert_ids:
            try:
                action(alert_id, by)
            except DashboardError as error:
                problems.append(error)
        done = len(alert_ids) - len(problems)
        if not done:
            raise problems[0]
        told = f"{count(done, 'alert', 'alerts')} {words} by {by}."
        return " ".join([told, *dict.fromkeys(problem.message for problem in problems)])

    if acting.act(do_all):
        st.session_state[note] = ""


def _note(key: str) -> str | None:
    return text(st.session_state.get(key)).strip() or None
