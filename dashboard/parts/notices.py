"""What a page says when there is nothing, or not all, to show: errors, offline, empty, simulated."""

import sys
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import streamlit as st

from core.errors import BadSetting, DashboardError
from core.redaction import redactor
from core.settings import Settings
from dashboard.data import Freshness
from dashboard.parts.formats import plain

P = ParamSpec("P")


def explained(part: Callable[P, None]) -> Callable[P, None]:
    """Draw `part`; an expected failure becomes one clear message in its place."""

    @wraps(part)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            part(*args, **kwargs)
        except DashboardError as error:
            explain(error)

    return drawn


def explain(error: DashboardError) -> None:
    """The one place where an error becomes a page message."""
    bad_setting = isinstance(error, BadSetting)
    clean = str if bad_setting else redactor().text  # what says that a setting is bad never holds its value
    if bad_setting:
        # Whoever started the process should see it too.
        sys.stderr.write(f"Error: {error}\n")
    hint = f"\n\n{plain(clean(error.hint))}" if error.hint else ""
    icon = ":material/settings_alert:" if bad_setting else ":material/database_off:"
    st.error(f"**{plain(clean(error.message))}**{hint}", icon=icon)


def offline_banner(source: str) -> None:
    """Say so while ingest isn't running and the page shows the file's last state."""
    if source == "file":
        st.warning(
            "**The ingest service isn't running.** This is the data as it was last saved; nothing new arrives and "
            "alerts can't be acknowledged. Start it with `make run`.",
            icon=":material/cloud_off:",
        )


def simulated_label(freshness: Freshness) -> None:
    """Mark a page whose history was made up."""
    if freshness.simulated:
        st.badge("Simulated data", icon=":material/science:", color="violet", help="The demo made up this history.")


def first_steps(chosen: Settings) -> None:
    """The empty database: what to do next."""
    secret = (
        "the value of `GITHUB_WEBHOOK_SECRET`"
        if chosen.github_webhook_secret
        else "a long random text; set the same as `GITHUB_WEBHOOK_SECRET` here"
    )
    with st.container(border=True, key="first_steps"):
        st.header("No runs yet: connect your first repository", anchor=False)
        st.markdown(
            "On GitHub, open the repository's (or the organisation's) **Settings → Webhooks → Add webhook** and paste:"
        )
        st.code(f"{chosen.ingest_url}/api/v1/webhook/github-actions", language=None)
        st.markdown(
            "- **Content type**: `application/json`\n"
            f"- **Secret**: {secret}\n"
            "- **Events**: *Let me select individual events*, then **Workflow runs** and **Workflow jobs**\n\n"
            "GitHub must be able to reach this address. The first run appears here by itself. "
            "To look around first, stop this and start `make demo`: a simulated history."
        )


def nothing_matches() -> None:
    """No run under the chosen filters."""
    st.info("No runs match these filters. Choose a longer window or clear a filter.", icon=":material/filter_alt_off:")
