"""What polling knows: each repository, how far behind it is and what is wrong, and the rate limit over a day."""

from datetime import datetime
from typing import Any

import pandas as pd
import streamlit as st

from dashboard.parts.formats import NOTHING, duration, missing, plain, relative, text
from dashboard.parts.providers import name_of


def draw_repositories(polled: pd.DataFrame, now: datetime) -> None:
    """A row for each repository, and above them what is wrong, in words."""
    st.header("Polled repositories", anchor=False)
    if polled.empty:
        st.info(
            "No repository is polled; webhooks alone bring news. Name some in `GITHUB_REPOSITORIES` (or the setting of "
            "your CI system), so that lost webhooks are made up for and logs can be fetched.",
            icon=":material/sync_disabled:",
        )
        return
    for row in polled[polled["error"].notna()].head(20).to_dict("records"):
        st.warning(f"**{plain(row['repository'])}**: {plain(row['error'])}", icon=":material/sync_problem:")
    table = pd.DataFrame(
        {
            "Repository": polled["repository"],
            "CI system": [name_of(name) for name in polled["provider"]],
            "State": ["✕ Error" if text(error) else "✓ Up to date" for error in polled["error"]],
            "Last asked": [relative(at, now) for at in polled["last_poll_at"]],
            "Lag": [duration(None if missing(lag) else float(lag)) for lag in polled["lag_seconds"]],
            "Last news": [relative(at, now) for at in polled["last_change_at"]],
            "Rows added": polled["rows_added"],
            "Gaps closed": polled["gaps_closed"],
            "Requests": polled["requests"],
            "Rate-limit points": polled["points"],
            "History": [_history(row) for row in polled.to_dict("records")],
        }
    )
    st.dataframe(table, hide_index=True)
    st.caption("*Gaps closed* counts runs that polling found and no webhook had told of.")


def _history(row: dict[Any, Any]) -> str:
    if missing(row["backfill_since"]):
        return NOTHING
    if bool(row["backfill_done"]):
        return "complete"
    reached = row["backfill_reached"]
    return "just begun" if missing(reached) else f"back to {reached:%Y-%m-%d}"


def draw_rate_limit(samples: pd.DataFrame) -> None:
    """What was left at each look of the last day; nothing where no CI system has a limit."""
    if samples.empty:
        return
    st.header("Rate limit, last 24 hours", anchor=False)
    left = pd.DataFrame(
        {
            "Time": samples["sampled_at"],
            "Left of the hour's requests": samples["remaining"],
            "CI system": [name_of(name) for name in samples["provider"]],
        }
    )
    st.line_chart(left, x="Time", y="Left of the hour's requests", color="CI system", height=240)
    last = samples.groupby("provider").tail(1)
    words = [
        f"{name_of(row['provider'])}: {int(row['remaining']):,} of {int(row['allowed']):,} left"
        for row in last.to_dict("records")
    ]
    st.caption(plain(" · ".join(words)))
