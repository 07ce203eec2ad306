"""Settings: who has which role, the write key, and what the environment says. Everybody sees them, admins change."""

import pandas as pd
import streamlit as st

from core.access import ROLES, Role
from core.errors import DashboardError
from core.settings import settings
from dashboard import data
from dashboard.parts import notices
from dashboard.parts.formats import plain

NOTICE = "settings_notice"
ROLE_COLUMNS = {
    "name": st.column_config.TextColumn(
        "Person or program", required=True, max_chars=200, help="A token's subject, or a verified e-mail address."
    ),
    "role": st.column_config.SelectboxColumn("Role", options=list(ROLES), required=True),
}


@notices.explained
def draw() -> None:
    fresh = data.freshness()  # reads, and so tells where from
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.title("Settings", anchor=False, width="content")
        notices.simulated_label(fresh)
    if message := st.session_state.pop(NOTICE, None):
        st.toast(message, icon=":material/check:")
    if data.source() != "live":
        notices.offline_banner(data.source())
        return
    shown = data.ask_service("GET", "/settings").json()
    left, right = st.columns([11, 9], gap="small")
    with left, st.container(border=True):
        _roles(shown["roles"])
    with right, st.container(border=True):
        _write_key(shown["write_key"])
    with st.container(border=True):
        _environment(shown["environment"])


def _roles(roles: dict[str, str]) -> None:
    st.header("Who has which role", anchor=False)
    st.caption(
        "Viewers see, operators also act on alerts, admins also change settings. A role here is stronger than the one "
        "that a sign-in or a token names."
    )
    rows = pd.DataFrame(roles.items(), columns=list(ROLE_COLUMNS)).astype("string")
    if not data.may(Role.ADMIN):
        st.dataframe(rows, column_config=ROLE_COLUMNS, hide_index=True, key="roles_shown")
        return
    with st.form("roles_form", border=False):
        edited = st.data_editor(rows, column_config=ROLE_COLUMNS, num_rows="dynamic", hide_index=True, key="roles_rows")
        if st.form_submit_button("Save roles", icon=":material/save:"):
            filled = edited.dropna()
            _change({"roles": dict(zip(filled["name"].str.strip(), filled["role"], strict=True))}, "Roles saved.")


def _write_key(key: dict[str, str | None]) -> None:
    st.header("Write key", anchor=False)
    if not key["is_set"]:
        st.caption("None is set: whoever reaches the service may write. It answers on loopback only.")
    else:
        st.caption(f"Changed {plain(key['changed_at'])} by {plain(key['changed_by'])}. Kept as a hash.")
    if key["previous_valid_until"]:
        st.caption(f"The key before it is good until {plain(key['previous_valid_until'])}.")
    if not data.may(Role.ADMIN):
        return
    if not settings().jwt_secret:
        st.caption("This dashboard writes with `API_WRITE_KEY` of its own environment: change it there too.")
    with st.form("key_form", border=False, clear_on_submit=True):
        new = st.text_input("New key", type="password", max_chars=500, help="16 characters or more, random.")
        hours = st.number_input("Hours for which the old one stays good", 0, 168, 24)
        if st.form_submit_button("Change the key", icon=":material/key:"):
            _change({"api_write_key": new, "previous_key_valid_hours": int(hours)}, "The write key was changed.")


def _environment(environment: dict[str, object]) -> None:
    st.header("Environment of the ingest service", anchor=False)
    st.caption("Read when it starts; secrets show their last four letters at most. docs/settings.md explains each.")
    rows = pd.DataFrame(
        [(name, "" if value is None else str(value)) for name, value in environment.items()],
        columns=["Setting", "Value"],
    )
    st.dataframe(rows, hide_index=True, height=420, key="environment")


def _change(body: dict[str, object], done: str) -> None:
    try:
        data.ask_service("PUT", "/settings", role=Role.ADMIN, json=body)
    except DashboardError as error:
        notices.explain(error)
        return
    st.session_state[NOTICE] = done
    st.rerun()


draw()
