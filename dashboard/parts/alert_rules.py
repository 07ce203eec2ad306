"""The thresholds of the alert rules, and which alerts they would have raised."""

from collections import Counter
from dataclasses import replace

import pandas as pd
import streamlit as st

from core.access import Role
from core.alert_preview import WouldBe
from core.pipeline_rules import Rules, Thresholds
from dashboard import data
from dashboard.parts import acting, filters
from dashboard.parts.alerts_table import TYPE_NAMES
from dashboard.parts.formats import count, duration, exact, plain
from dashboard.reads import alert_settings as reads
from dashboard.reads import alerts

MOST_LISTED = 500
NEVER_DIFFERS = "like all pipelines"


def draw() -> None:
    """Whose thresholds, the thresholds, and their preview beside them."""
    stored = reads.stored_rules()
    names = reads.names_of(alerts.pipelines())
    left, right = st.columns([5, 8], gap="small")
    with left:
        with st.container(border=True, key="thresholds"):
            filters.take_code("pipeline", list(names))
            pipeline_id = st.selectbox(
                "Thresholds of", list(names), index=None, key="pipeline", bind="query-params",
                placeholder="All pipelines", format_func=lambda name: names.get(name, name),
            )  # fmt: skip
            chosen = _thresholds(stored, pipeline_id)
            wanted = reads.with_thresholds(stored, pipeline_id, chosen)
            _save(stored, wanted)
        _own(stored, names)
    with right, st.container(border=True, key="preview"):
        _preview(stored, wanted, pipeline_id)


def _thresholds(stored: reads.Stored, pipeline_id: str | None) -> Thresholds | None:
    """The fields, filled with what holds; None for a pipeline that shall have no thresholds of its own."""
    rules = Rules.read(stored)
    now = rules.of(pipeline_id) if pipeline_id else rules.default
    key = pipeline_id or "all"
    if pipeline_id and not st.toggle(
        "Thresholds of its own", value=pipeline_id in stored["pipelines"], key=f"own_{key}"
    ):
        st.caption("It has the thresholds of all pipelines.")
        return None
    st.markdown("**Slow build** :gray[warning]")
    is_fixed = st.toggle(
        "A fixed limit", value=now.slow_seconds is not None, key=f"slow_fixed_{key}",
        help="Without one: the larger of 10 minutes and twice the pipeline's 95th percentile of 30 days.",
    )  # fmt: skip
    slow: float | None = None
    if is_fixed:
        slow = 60 * st.number_input(
            "Minutes", 1.0, 1440.0, (now.slow_seconds or 600.0) / 60, 1.0, key=f"slow_{key}", format="%.0f"
        )
    st.markdown("**Pipeline down** :gray[critical]")
    down = st.number_input(
        "Hours without a success, while runs finish", 1.0, 720.0, float(now.down_hours), 1.0, key=f"down_{key}",
        format="%.0f",
    )  # fmt: skip
    st.markdown("**High failure rate** :gray[warning]")
    with st.container(horizontal=True, gap="small"):
        rate = st.number_input(
            "More than % failed in 24 h", 0, 100, round(now.failure_rate * 100), 5, key=f"rate_{key}"
        )
        least = st.number_input("Of at least … runs", 1, 1000, int(now.failure_rate_min_runs), key=f"least_{key}")
    chosen = Thresholds(slow, down, rate / 100, least)
    # A value that the fields can't show exactly stays as it is until it is changed.
    return replace(now) if _same(chosen, now) else chosen


def _same(chosen: Thresholds, now: Thresholds) -> bool:
    return (
        chosen.slow_seconds == now.slow_seconds
        and chosen.down_hours == now.down_hours
        and round(now.failure_rate * 100) == round(chosen.failure_rate * 100)
        and chosen.failure_rate_min_runs == now.failure_rate_min_runs
    )


def _save(stored: reads.Stored, wanted: reads.Stored) -> None:
    if not data.may(Role.ADMIN):
        st.caption("Only an admin may change them; anybody may try what they would do.")
        return
    changed = Rules.read(stored) != Rules.read(wanted) or set(stored["pipelines"]) != set(wanted["pipelines"])
    st.button(
        "Save", icon=":material/save:", type="primary", key="save_rules", disabled=not changed,
        on_click=_store, args=(wanted,),
    )  # fmt: skip
    if changed:
        st.caption("Not saved yet. The preview shows what these thresholds would do.")


def _store(wanted: reads.Stored) -> None:
    def save(_: str) -> str:
        reads.save_rules(wanted)
        return "Saved. The thresholds hold from the next evaluation on."

    acting.set_up(save)


def _own(stored: reads.Stored, names: dict[str, str]) -> None:
    """The pipelines that have thresholds of their own, with what differs."""
    if not stored["pipelines"]:
        return
    with st.container(border=True, key="own_thresholds"):
        st.header("Pipelines with thresholds of their own", anchor=False)
        for pipeline_id, own in sorted(stored["pipelines"].items(), key=lambda item: names.get(item[0], item[0])):
            words = ", ".join(_words(name, value) for name, value in own.items()) or NEVER_DIFFERS
            st.markdown(f"**{plain(names.get(pipeline_id, pipeline_id))}**  \n:gray[{plain(words)}]")


def _words(name: str, value: float | None) -> str:
    match name:
        case "slow_seconds":
            return "slow: automatic" if value is None else f"slow above {duration(value)}"
        case "down_hours":
            return f"down after {value:g} h"
        case "failure_rate":
            return f"more than {(value or 0) * 100:g} % failed"
        case _:
            return f"of at least {value:g} runs"


def _preview(stored: reads.Stored, wanted: reads.Stored, pipeline_id: str | None) -> None:
    found = reads.tried(wanted, pipeline_id)
    is_changed = Rules.read(wanted) != Rules.read(stored)
    difference = ""
    if is_changed:
        present = len(reads.tried(stored, pipeline_id))
        difference = f"  \nWith the thresholds that hold now: {count(present, 'alert', 'alerts')}."
    st.header(
        f"The last {reads.PREVIEW_DAYS} days would have raised {count(len(found), 'alert', 'alerts')}", anchor=False,
        help="The rules themselves, let loose on the kept history with these thresholds.",
    )  # fmt: skip
    by_type = Counter(alert.type for alert in found)
    parts = [f"{TYPE_NAMES[kind]} **{by_type[kind]}**" for kind in TYPE_NAMES if by_type[kind]]
    st.markdown(" · ".join(parts) + difference if found else f"None.{difference}")
    if found:
        _table(found)


def _table(found: list[WouldBe]) -> None:
    zone = filters.viewer_zone(st.context.timezone)
    rows = pd.DataFrame(
        {
            "Raised": [exact(alert.raised_at, zone) for alert in found[:MOST_LISTED]],
            "Type": [TYPE_NAMES.get(alert.type, alert.type) for alert in found[:MOST_LISTED]],
            "Alert": [alert.message for alert in found[:MOST_LISTED]],
            "Lasted": [
                duration((alert.resolved_at - alert.raised_at).total_seconds()) if alert.resolved_at else "still open"
                for alert in found[:MOST_LISTED]
            ],
        }
    )
    st.dataframe(rows, hide_index=True, width="stretch", height=min(560, 35 * (len(rows) + 1) + 3), key="would_be")
    if len(found) > MOST_LISTED:
        st.caption(f"The newest {MOST_LISTED} of them.")
