"""The weekly digest as it would be sent now."""

from datetime import UTC, datetime

import streamlit as st

from core.access import Role
from core.insights.digest import Digest
from core.settings import settings
from dashboard import data
from dashboard.parts import insight, notices
from dashboard.parts.formats import plain
from dashboard.reads import insights as reads

DEFINITION = (
    "The 7 days until now, as the digest tells them: a success rate changed where both weeks have 5 runs and a "
    "two-proportion test says that it isn't chance (95 %); durations as on the page Regressions."
)
ICONS = {
    "Health": ":material/monitor_heart:",
    "Fix first": ":material/build:",
    "Got worse": ":material/trending_down:",
    "Got better": ":material/trending_up:",
}


@notices.explained
def weekly_digest() -> None:
    if not insight.head("Weekly digest", DEFINITION):
        return
    made = reads.digest(datetime.now(UTC).replace(second=0, microsecond=0), settings().digest_timezone)
    _delivery()
    with st.container(border=True, key="digest"):
        st.header(plain(made.title), anchor=False)
        _sections(made)


def _sections(made: Digest) -> None:
    for name, lines in made.sections():
        st.markdown(f"{ICONS[name]} **{name}**")
        numbered = name == "Fix first"
        st.markdown(
            "\n".join(
                f"{'1.' if numbered else '-'} {plain(line.text)}{f' [See it]({line.path})' if line.path else ''}"
                for line in lines
            )
        )


def _delivery() -> None:
    """When and where it goes, and a button to send it now."""
    chosen = settings()
    when = (
        "It isn't sent by itself: `DIGEST_SCHEDULE` is `off`."
        if chosen.digest_schedule == "off"
        else f"Sent every week, {plain(chosen.digest_schedule.capitalize())} ({plain(chosen.digest_timezone)}), where "
        "alerts go."
    )
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(f"{when} On the command line: `python -m ingest digest`.", width="content")
        if data.may(Role.OPERATOR) and st.button("Send now", icon=":material/send:", key="send_digest"):
            answer = data.ask_service("POST", "/insights/digest", role=Role.OPERATOR).json()
            st.toast(f"Sent to {', '.join(sorted(answer['sent']))}.", icon=":material/check_circle:")


weekly_digest()
