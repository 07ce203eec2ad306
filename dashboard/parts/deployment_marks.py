"""Which runs are deployments: shown to everybody, edited by admins."""

import streamlit as st

from core.access import Role
from core.errors import DashboardError
from core.insights.dora import Marks
from dashboard import data
from dashboard.parts import notices

FIELDS = {
    "workflows": ("Workflows called", "As in file names: `deploy*`, `*release*`. Upper and lower case are alike."),
    "events": ("Runs started by the event", "The CI system's word: `deployment`, `release`."),
    "jobs": (
        "Jobs called",
        "For workflows that also build: the job named for an environment, `deploy production`. Its outcome counts.",
    ),
}


def draw(marks: Marks, *, is_open: bool = False) -> None:
    """The marks in an expander, with a Save button for whoever may use it."""
    with st.expander("Which runs are deployments", icon=":material/label:", expanded=is_open, key="deployment_marks"):
        may_edit = data.may(Role.ADMIN)
        with st.form("marks_form", border=False):
            values = {
                name: st.text_input(
                    label, ", ".join(getattr(marks, name)), help=f"{words} Several are separated by commas.",
                    disabled=not may_edit,
                )
                for name, (label, words) in FIELDS.items()
            }  # fmt: skip
            if st.form_submit_button("Save", icon=":material/save:", disabled=not may_edit):
                _save({name: _parts(value) for name, value in values.items()})
        if not may_edit:
            st.caption("An admin may change this.")


def _parts(value: str) -> list[str]:
    return [part.strip() for part in value.split(",") if part.strip()]


def _save(body: dict[str, list[str]]) -> None:
    try:
        data.ask_service("PUT", "/insights/deployments", role=Role.ADMIN, json=body)
    except DashboardError as error:
        notices.explain(error)
        return
    st.rerun()
