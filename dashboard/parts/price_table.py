"""The price table: shown to everybody, edited by admins."""

import pandas as pd
import streamlit as st

from core.access import Role
from core.errors import DashboardError
from core.insights.cost import Prices
from dashboard import data
from dashboard.parts import notices
from dashboard.parts.formats import plain

COLUMNS = {
    "match": st.column_config.TextColumn(
        "Runner label",
        required=True,
        help="As in file names: `ubuntu*`. The first row that fits counts.",
        width="medium",
    ),
    "per_minute": st.column_config.NumberColumn(
        "Price of a minute", required=True, min_value=0, max_value=1000, format="%.4f"
    ),
    "provider": st.column_config.TextColumn("CI system", help="Empty: any. Else its name, such as `github-actions`."),
}


def draw(prices: Prices) -> None:
    """The rules in an expander, with a Save button for whoever may use it."""
    with st.expander("Prices", icon=":material/price_change:", key="prices"):
        st.caption(
            f"{plain(prices.source) or 'Set by your admins'}. Time on runners that no row fits has no price. "
            "Self-hosted runners cost nothing here until you say what they do."
        )
        rules = pd.DataFrame([rule.model_dump() for rule in prices.rules], columns=list(COLUMNS)).astype(
            {"match": "string", "per_minute": "float64", "provider": "string"}
        )
        if not data.may(Role.ADMIN):
            st.dataframe(rules, column_config=COLUMNS, hide_index=True, key="prices_shown")
            return
        with st.form("prices_form", border=False):
            currency = st.text_input("Currency", prices.currency, max_chars=8, width=120)
            edited = st.data_editor(
                rules, column_config=COLUMNS, num_rows="dynamic", hide_index=True, key="prices_rows"
            )
            if st.form_submit_button("Save", icon=":material/save:"):
                _save(edited, currency, prices)


def _save(edited: pd.DataFrame, currency: str, prices: Prices) -> None:
    rows = edited.astype(object).where(edited.notna(), None).to_dict("records")
    rules = [{**row, "provider": row["provider"] or None} for row in rows]
    source = prices.source if edited["per_minute"].tolist() == [rule.per_minute for rule in prices.rules] else ""
    body = {
        "currency": currency,
        "source": source,
        "rules": rules,
    }
    try:
        data.ask_service("PUT", "/insights/prices", role=Role.ADMIN, json=body)
    except DashboardError as error:
        notices.explain(error)
        return
    st.rerun()
