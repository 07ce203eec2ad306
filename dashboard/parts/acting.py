"""In whose name a visitor acts, and telling how it went."""

from collections.abc import Callable

import streamlit as st

from core.errors import Conflict, DashboardError
from dashboard import data
from dashboard.parts.formats import plain, text

NAME = "your_name"
NOTICE = "action_notice"


def name_field() -> None:
    """Ask somebody who didn't sign in what he is called."""
    if not data.signed_in_name():
        st.text_input(
            "Your name", key=NAME, placeholder="Your name", max_chars=100, width=150, persist_state="session",
            label_visibility="collapsed", autocomplete="name",
        )  # fmt: skip


def name() -> str:
    """Who acts; empty while nobody said."""
    return data.signed_in_name() or text(st.session_state.get(NAME)).strip()


def act(action: Callable[[str], str]) -> bool:
    """Do `action(by)`, which returns what to say, or keep what went wrong; `notice` tells. Whether it was done."""
    by = name()
    if not by:
        say("Enter your name first, so that others see who it was.", ":material/person:")
        return False
    return _done(action, by)


def set_up(action: Callable[[str], str]) -> bool:
    """Like `act`, for what is written down without a name: settings, and sending again."""
    return _done(action, name())


def say(words: str, icon: str) -> None:
    """Tell this on the next drawing of the page."""
    st.session_state[NOTICE] = (plain(words), icon)


def _done(action: Callable[[str], str], by: str) -> bool:
    try:
        say(action(by), ":material/check:")
    except Conflict as error:
        say(error.message, ":material/group:")
    except DashboardError as error:
        say(str(error), ":material/error:")
    else:
        return True
    return False


def notice() -> None:
    """Tell how the last action went, once."""
    told = st.session_state.pop(NOTICE, None)
    if told:
        message, icon = told
        st.toast(message, icon=icon, duration="long")
