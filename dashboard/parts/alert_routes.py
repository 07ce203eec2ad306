"""Who hears of which alert: a lowest severity for each channel, and routes."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from core.access import Role
from core.alert_routes import SEVERITIES
from core.settings import settings
from dashboard import data
from dashboard.parts import acting
from dashboard.parts.alerts_table import SEVERITY_NAMES, TYPE_NAMES
from dashboard.parts.formats import text
from dashboard.reads import alert_settings as reads
from dashboard.reads import alerts

COLUMNS = ("repository", "branch", "pipeline_id", "type", "channels")


def draw() -> None:
    """Severities, then the table of routes, then the button that saves both."""
    if data.source() != "live":
        st.caption("Which channels there are is known to the ingest service; the routes can be seen when it runs.")
        return
    stored = reads.stored_routes()
    channels = [channel["name"] for channel in reads.channels() if channel["is_configured"]]
    if not channels:
        no_channels()
        return
    can_change = data.may(Role.ADMIN)
    with st.container(border=True, key="least"):
        st.header("From which severity on", anchor=False)
        with st.container(horizontal=True, gap="small"):
            chosen = {name: _least(name, stored, can_change=can_change) for name in channels}
    with st.container(border=True, key="routes"):
        st.header("Routes", anchor=False)
        st.caption(
            "The first route that matches an alert decides its channels; one without channels tells nobody. An alert "
            "that none matches goes to all channels. Repository and branch may be patterns: `acme/*`, `release-*`."
        )
        routes = _routes(stored, channels, can_change=can_change)
    wanted = {"least": {name: severity for name, severity in chosen.items() if severity}, "routes": routes}
    changed = wanted != {"least": stored["least"], "routes": _tidy_routes(stored["routes"])}
    if can_change:
        st.button(
            "Save", icon=":material/save:", type="primary", key="save_routes", disabled=not changed,
            on_click=_store, args=(wanted,),
        )  # fmt: skip


def no_channels() -> None:
    """No channel is configured: what to do next."""
    st.info(
        "No channel is configured, so alerts are shown here and told nobody. Set `SLACK_WEBHOOK_URL`, `SMTP_HOST` with "
        "`ALERT_EMAIL_TO`, or `NOTIFY_URLS`, and start the ingest service anew.",
        icon=":material/campaign:",
    )


def _least(name: str, stored: reads.Stored, *, can_change: bool) -> str | None:
    general = SEVERITY_NAMES[settings().notify_min_severity]
    own = stored["least"].get(name)
    place: Any = SEVERITIES.index(own) if own in SEVERITIES else None
    chosen: str | None = st.selectbox(
        name, list(SEVERITIES), index=place, key=f"least_{name}", placeholder=f"{general} (as all)",
        format_func=SEVERITY_NAMES.__getitem__, width=220, disabled=not can_change,
    )  # fmt: skip
    return chosen


def _routes(stored: reads.Stored, channels: list[str], *, can_change: bool) -> list[dict[str, Any]]:
    names = reads.names_of(alerts.pipelines())
    rows = pd.DataFrame(stored["routes"], columns=list(COLUMNS)).astype(object)
    edited = st.data_editor(
        rows.where(rows.notna(), None), num_rows="dynamic" if can_change else "fixed", disabled=not can_change,
        hide_index=True, key="routes_editor", width="stretch",
        column_config={
            "repository": st.column_config.TextColumn("Repository", max_chars=300),
            "branch": st.column_config.TextColumn("Branch", max_chars=300),
            "pipeline_id": st.column_config.SelectboxColumn(
                "Pipeline", options=list(names), width="medium",
                format_func=lambda name: names.get(str(name), str(name)),
            ),
            "type": st.column_config.SelectboxColumn(
                "Type", options=list(TYPE_NAMES), format_func=lambda name: TYPE_NAMES.get(str(name), str(name))
            ),
            "channels": st.column_config.MultiselectColumn("Goes to", options=channels, width="medium"),
        },
    )  # fmt: skip
    return _tidy_routes(edited.to_dict("records"))


def _tidy_routes(rows: Sequence[Mapping[Any, Any]]) -> list[dict[str, Any]]:
    """Without empty matchers and without rows that say nothing."""
    routes = []
    for row in rows:
        matchers = {name: text(row.get(name)).strip() for name in COLUMNS[:-1]}
        given = row.get("channels")
        channels = [str(name) for name in given] if isinstance(given, list | tuple) else []
        kept: dict[str, Any] = {name: value for name, value in matchers.items() if value}
        if kept or channels:
            routes.append(kept | {"channels": channels})
    return routes


def _store(wanted: reads.Stored) -> None:
    def save(_: str) -> str:
        reads.save_routes(wanted)
        return "Saved. It holds from the next alert on."

    if acting.set_up(save):
        st.session_state.pop("routes_editor", None)
