"""Webhook deliveries: what arrived and what became of it, the payload of one, and processing it again."""

import json
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from core.access import Role
from core.errors import DashboardError
from dashboard import data
from dashboard.parts import filters
from dashboard.parts.formats import exact, plain, relative, text
from dashboard.parts.providers import name_of, names
from dashboard.reads import ingest

PAGE = 25
RESULTS = {"processed": "✓ Processed", "ignored": "↷ Ignored", "failed": "✕ Failed"}
NOTICE = "replay_notice"
LONGEST_PAYLOAD = 200_000


def draw(*, now: datetime, zone: ZoneInfo, online: bool) -> None:
    """The filters, a page of deliveries, and the one that was chosen."""
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        filters.take_code("result", list(RESULTS))
        result = st.segmented_control(
            "Result", list(RESULTS), key="result", bind="query-params", format_func=RESULTS.__getitem__
        )
        provider = filters.choice("system", "CI system", list(names()), names())
        page = st.number_input("Page", min_value=1, max_value=100_000, value=1, width=110)
    shown = ingest.deliveries(result, provider, limit=PAGE + 1, offset=(page - 1) * PAGE)
    if shown.empty:
        st.info("No delivery here. Another result, another system or an earlier page may have some.")
        return
    chosen = st.dataframe(
        _table(shown.head(PAGE), now),
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        key=f"deliveries_{result}_{provider}_{page}",
        column_config={"Reason": st.column_config.TextColumn(width="large")},
    )
    more = f" Page {page + 1} has more." if len(shown) > PAGE else ""
    st.caption(f"Choose a row to see what came.{more}")
    rows = chosen.selection.rows
    if rows and rows[0] < min(len(shown), PAGE):
        _one(shown.iloc[rows[0]].to_dict(), zone, online=online)


def _table(shown: pd.DataFrame, now: datetime) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Received": [relative(at, now) for at in shown["received_at"]],
            "Result": [RESULTS.get(result, result) for result in shown["result"]],
            "CI system": [name_of(name) for name in shown["provider"]],
            "Event": [
                " · ".join(part for part in (text(event), text(action)) if part)
                for event, action in zip(shown["event"], shown["action"], strict=True)
            ],
            "Reason": [text(reason) for reason in shown["reason"]],
            "Delivery": shown["delivery_id"],
        }
    )


def _one(delivery: dict[Any, Any], zone: ZoneInfo, *, online: bool) -> None:
    provider, delivery_id = text(delivery["provider"]), text(delivery["delivery_id"])
    with st.container(border=True, key="delivery"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"**{plain(delivery_id)}** · {plain(exact(delivery['received_at'], zone))}", width="content")
            if online and data.may(Role.ADMIN):
                st.button(
                    "Process again", icon=":material/replay:", key="replay", on_click=_replay, args=(delivery_id,),
                    help="With the code of today. Harmless when repeated.",
                )  # fmt: skip
        _notice()
        if text(delivery["reason"]):
            st.caption(plain(delivery["reason"]))
        body = ingest.payload(provider, delivery_id)
        if body is None:
            st.caption("Its payload is no longer kept.")
            return
        st.code(_readable(body), language="json", height=360)


def _readable(body: str) -> str:
    """Indented if it is JSON, as it came if not, and never so long that a browser suffers."""
    try:
        found = json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except ValueError:
        found = body
    rest = len(found) - LONGEST_PAYLOAD
    return found if rest <= 0 else f"{found[:LONGEST_PAYLOAD]}\n… {rest:,} more characters"


def _replay(delivery_id: str) -> None:
    try:
        row = ingest.replay(delivery_id)
    except DashboardError as error:
        st.session_state[NOTICE] = (str(error), ":material/error:")
    else:
        reason = f": {row['reason']}" if row.get("reason") else "."
        st.session_state[NOTICE] = (f"Processed again, {row['result']}{reason}", ":material/check:")


def _notice() -> None:
    notice = st.session_state.pop(NOTICE, None)
    if notice:
        words, icon = notice
        st.toast(plain(words), icon=icon, duration="long")
