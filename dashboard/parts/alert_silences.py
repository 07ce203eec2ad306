"""Silences and maintenance windows: those there are, and a new one."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from core.access import Role
from core.silences import Silence
from dashboard import data
from dashboard.parts import acting, filters
from dashboard.parts.alerts_table import TYPE_NAMES
from dashboard.parts.formats import missing, plain, text
from dashboard.reads import alert_settings as reads
from dashboard.reads import alerts

LENGTHS = {"1 hour": 1, "4 hours": 4, "1 day": 24, "1 week": 168}
REPEATS = {"daily": "Every day", "weekly": "Every week"}
NEW = "new_silence_"


def draw() -> None:
    """The list, and the fields of a new one beside it."""
    now, zone = datetime.now(UTC), filters.viewer_zone(st.context.timezone)
    names = reads.names_of(alerts.pipelines())
    can_act = data.source() == "live" and data.may(Role.OPERATOR)
    left, right = st.columns([8, 5], gap="small")
    with left, st.container(border=True, key="silences"):
        st.header("Silences and maintenance windows", anchor=False)
        st.caption(
            "While one is in force, alerts come and go as always, but send no messages. "
            "What is still wrong when it is over is told then."
        )
        _list(alerts.silences(now), names, now, zone, can_act=can_act)
    if can_act:
        with right, st.container(border=True, key="new_silence"):
            _new(names, now, zone)


def _list(rows: pd.DataFrame, names: dict[str, str], now: datetime, zone: ZoneInfo, *, can_act: bool) -> None:
    if rows.empty:
        st.success("Nothing is silenced.", icon=":material/notifications_active:")
    for row in rows.to_dict("records"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"silence_{row['id']}"):
            with st.container(gap=None):
                in_force, when = _when(row, now, zone)
                badge = ":orange-badge[In force]" if in_force else ":gray-badge[To come]"
                st.markdown(f"{badge} **{plain(_what(row, names))}** · {plain(when)}")
                st.caption(f"{plain(row['reason'])} · by {plain(row['created_by'])}")
            if can_act:
                st.button("End", key=f"end_{row['id']}", on_click=_end, args=(text(row["id"]),))


def _what(row: dict[Any, Any], names: dict[str, str]) -> str:
    parts = [
        names.get(text(row["pipeline_id"]), text(row["pipeline_id"])),
        text(row["repository"]),
        f"branch {text(row['branch'])}" if text(row["branch"]) else "",
        TYPE_NAMES.get(text(row["type"]), text(row["type"])),
    ]
    return ", ".join(part for part in parts if part) or "Everything"


def _when(row: dict[Any, Any], now: datetime, zone: ZoneInfo) -> tuple[bool, str]:
    """Whether it is in force, and its window in words, by the viewer's clock."""
    repeats = None if missing(row["repeats"]) else text(row["repeats"])
    silence = Silence(
        "", row["starts_at"].to_pydatetime(), row["ends_at"].to_pydatetime(), repeats=repeats,
        zone=None if missing(row["zone"]) else text(row["zone"]),
    )  # fmt: skip
    window = silence.next_window(now)
    if window is None:
        return False, "over"
    starts, ends = window
    again = f", then {REPEATS.get(repeats or '', '').lower()} ({silence.zone or 'UTC'})" if repeats else ""
    if starts <= now:
        return True, f"until {_moment(ends, zone)}{again}"
    return False, f"{_moment(starts, zone)} to {_moment(ends, zone)}{again}"


def _moment(at: datetime, zone: ZoneInfo) -> str:
    local = at.astimezone(zone)
    return f"{local:%a} {local.day} {local:%b %H:%M}"


def _new(names: dict[str, str], now: datetime, zone: ZoneInfo) -> None:
    st.header("New silence", anchor=False)
    st.selectbox(
        "Pipeline", list(names), index=None, placeholder="Any", key=f"{NEW}pipeline", format_func=names.__getitem__
    )
    with st.container(horizontal=True, gap="small"):
        st.text_input("Repository", placeholder="Any, or acme/*", key=f"{NEW}repository", max_chars=300)
        st.text_input("Branch", placeholder="Any, or release-*", key=f"{NEW}branch", max_chars=300)
    st.selectbox(
        "Type of alert",
        list(TYPE_NAMES),
        index=None,
        placeholder="Any",
        key=f"{NEW}type",
        format_func=TYPE_NAMES.__getitem__,
    )
    planned = st.segmented_control("When", ["From now", "Planned"], default="From now", required=True, key=f"{NEW}when")
    if planned == "Planned":
        local = now.astimezone(zone).replace(second=0, microsecond=0, tzinfo=None)
        start = local + timedelta(minutes=60 - local.minute)
        with st.container(horizontal=True, gap="small"):
            st.datetime_input(f"From ({zone.key})", start, key=f"{NEW}from")
            st.datetime_input("Until", start + timedelta(hours=2), key=f"{NEW}until")
        st.selectbox(
            "Repeats",
            list(REPEATS),
            index=None,
            placeholder="Never",
            key=f"{NEW}repeats",
            format_func=REPEATS.__getitem__,
        )
    else:
        st.segmented_control("For", list(LENGTHS), default="1 hour", required=True, key=f"{NEW}length")
    st.text_input("Reason", placeholder="What is going on", key=f"{NEW}reason", max_chars=500)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        acting.name_field()
        st.button("Silence", icon=":material/notifications_off:", type="primary", key=f"{NEW}save", on_click=_make)


def _make() -> None:
    state, zone = st.session_state, filters.viewer_zone(st.context.timezone)
    reason = text(state.get(f"{NEW}reason")).strip()
    if not reason:
        acting.say("Write a reason, so that others know why it is quiet.", ":material/edit:")
        return
    now = datetime.now(UTC)
    wanted: dict[str, Any] = {
        name: text(state.get(f"{NEW}{name}")).strip() or None for name in ("repository", "branch")
    }
    wanted |= {"pipeline_id": state.get(f"{NEW}pipeline"), "type": state.get(f"{NEW}type"), "reason": reason}
    if state.get(f"{NEW}when") == "Planned":
        starts, ends = (state[f"{NEW}{name}"].replace(tzinfo=zone) for name in ("from", "until"))
        wanted |= {"repeats": state.get(f"{NEW}repeats"), "zone": zone.key}
    else:
        starts, ends = now, now + timedelta(hours=LENGTHS[state.get(f"{NEW}length") or "1 hour"])
    wanted |= {"starts_at": starts.isoformat(), "ends_at": ends.isoformat()}

    def silence(by: str) -> str:
        reads.silence(wanted, by)
        return "Silenced."

    if acting.act(silence):
        state[f"{NEW}reason"] = ""


def _end(silence_id: str) -> None:
    def end(_: str) -> str:
        reads.end_silence(silence_id)
        return "Ended. Messages about what is still wrong go out now."

    acting.act(end)
