"""All alerts: what waits for somebody, who has taken what on, what ended and how long it took."""

from datetime import UTC, datetime
from typing import Any

import streamlit as st

from core.access import Role
from core.settings import settings
from dashboard import data
from dashboard.parts import acting, alert_actions, alerts_table, filters, insight, notices
from dashboard.parts.alerts_table import SEVERITY_NAMES, TYPE_NAMES
from dashboard.parts.filters import Select, View
from dashboard.parts.formats import NOTHING, count, duration, missing, relative
from dashboard.parts.insight import Figure
from dashboard.reads import alerts as reads
from dashboard.reads.alerts import AlertQuery

PER_PAGE = 50
STATES = {"active": "Active", "acknowledged": "Acknowledged", "snoozed": "Snoozed", "resolved": "Resolved"}
EMPTY = {
    "active": "Nothing waits for anybody.",
    "acknowledged": "Nobody has taken anything on at the moment.",
    "snoozed": "Nothing is put aside.",
    "resolved": "No alert ended in this window. Choose a longer one, or clear a filter.",
}
FILTERS = (Select("severity", "Severity", SEVERITY_NAMES), Select("type", "Type", TYPE_NAMES))
ACKNOWLEDGE = (
    "Median from the first failure to the acknowledgement, of the alerts that are open or ended in the window."
)
RESOLVE = "Median from the first failure to the end, by repair or by a person, of the alerts that ended in the window."


@notices.explained
def alerts() -> None:
    """Title, filters, then what is read anew on each refresh."""
    fresh = data.freshness()
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        with st.container(horizontal=True, width="content", vertical_alignment="center", gap="small"):
            st.title("Alerts", anchor=False, width="content")
            notices.simulated_label(fresh)
        with st.container(horizontal=True, width="content", vertical_alignment="center", gap="small"):
            st.page_link("views/alert_settings.py", label="Settings", icon=":material/tune:", width="content")
            every = filters.refresh_controls()
    if not fresh.runs:
        notices.first_steps(settings())
        return
    view = filters.filter_row(more=FILTERS, default_window="30d")
    st.fragment(notices.explained(live), run_every=every)(view)


def live(view: View) -> None:
    """Figures, states, the actions and the list."""
    now = datetime.now(UTC)
    fresh = data.freshness()
    notices.offline_banner(data.source())
    acting.notice()
    query = AlertQuery(view.scope, st.session_state.get("severity"), st.session_state.get("type"), now - view.length)
    numbers = reads.summary(fresh, query)
    _figures(numbers, view, now)
    window = filters.WINDOW_NAMES[view.window]
    with st.container(border=True, key="alert_list"):
        filters.take_code("state", list(STATES))
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            state = st.segmented_control(
                "State", list(STATES), default="active", key="state", bind="query-params", required=True,
                label_visibility="collapsed", format_func=STATES.__getitem__,
            ) or "active"  # fmt: skip
            st.caption(count(int(numbers[state]), "alert", "alerts") + (f" in {window}" if state == "resolved" else ""))
        _list(query, state, int(numbers[state]), view, now)


def _figures(numbers: dict[str, Any], view: View, now: datetime) -> None:
    oldest = None if missing(numbers["oldest_active_at"]) else numbers["oldest_active_at"]
    insight.draw_figures(
        [
            Figure("Waiting", str(int(numbers["active"])), "Active alerts, which nobody has taken on.",
                   f"oldest {relative(oldest, now)}" if oldest else "nothing to do"),
            Figure("Taken on", str(int(numbers["acknowledged"])), "Acknowledged alerts.",
                   f"{int(numbers['snoozed'])} snoozed"),
            Figure("Time to acknowledge", _median(numbers["median_acknowledge_seconds"]), ACKNOWLEDGE,
                   f"median of {count(int(numbers['ever_acknowledged']), 'alert', 'alerts')}"),
            Figure("Time to resolve", _median(numbers["median_resolve_seconds"]), RESOLVE,
                   f"median of {count(int(numbers['resolved']), 'alert', 'alerts')}, {view.window}"),
        ],
        key="alert_figures",
    )  # fmt: skip


def _median(seconds: Any) -> str:
    return NOTHING if missing(seconds) else duration(float(seconds))


def _list(query: AlertQuery, state: str, total: int, view: View, now: datetime) -> None:
    if not total:
        st.success(EMPTY[state], icon=":material/check_circle:")
        return
    can_act = state != "resolved" and data.source() == "live" and data.may(Role.OPERATOR)
    pages = -(-total // PER_PAGE)
    bar, table = st.container(), st.container()
    page = st.pagination(pages, key="page", bind="query-params") if pages > 1 else 1
    with table:
        fresh = data.freshness()
        rows = alerts_table.rows(
            reads.page(fresh, query, state, limit=PER_PAGE, offset=(page - 1) * PER_PAGE), now=now, zone=view.zone
        )
        ticked = alerts_table.draw(rows, selectable=can_act, key=f"alerts_{state}")
    if can_act:
        with bar:
            alert_actions.bar(ticked, state)


alerts()
