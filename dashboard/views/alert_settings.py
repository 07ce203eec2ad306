"""How alerts are made and who hears of them: rules, silences, routes, channels."""

import streamlit as st

from core.settings import settings
from dashboard import data
from dashboard.parts import acting, alert_channels, alert_routes, alert_rules, alert_silences, filters, notices

TABS = {
    "rules": ("Rules", alert_rules.draw),
    "silences": ("Silences", alert_silences.draw),
    "routes": ("Routes", alert_routes.draw),
    "channels": ("Channels", alert_channels.draw),
}


@notices.explained
def alert_settings() -> None:
    """Title, the choice of what to set, and that."""
    fresh = data.freshness()
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.title("Alert settings", anchor=False, width="content")
        notices.simulated_label(fresh)
        st.page_link("views/alerts.py", label="All alerts", icon=":material/notifications:", width="content")
    notices.offline_banner(data.source())
    acting.notice()
    if not fresh.runs:
        notices.first_steps(settings())
        return
    filters.take_code("tab", list(TABS))
    tab = st.segmented_control(
        "Setting", list(TABS), default="rules", key="tab", bind="query-params", required=True,
        label_visibility="collapsed", format_func=lambda name: TABS[name][0],
    )  # fmt: skip
    TABS[tab or "rules"][1]()


alert_settings()
