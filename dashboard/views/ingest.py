"""How ingest itself is: polled repositories, the rate limit, webhook deliveries, timed jobs, the database."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import streamlit as st

from core.errors import DashboardError
from core.settings import settings
from core.store.archive_files import archive_of
from dashboard import data
from dashboard.parts import archive, deliveries, filters, notices, polling
from dashboard.parts.formats import NOTHING, duration, plain, relative, size, text
from dashboard.reads import ingest

JOB_NAMES = {
    "polling": "Ask CI systems for news",
    "alerts": "Evaluate alerts",
    "retention": "Forget what is old",
    "archive": "Archive old runs",
    "SQL endpoint": "Clear up after lost readers",
    "files of the archive": "Fetch archived files",
    "failure lines": "Pick the lines that failed",
    "digest": "Send the digest",
    "duration changes": "Look for slower jobs",
}


@notices.explained
def health() -> None:
    """The heading, the tiles, then one section for each part of ingest."""
    fresh = data.freshness()
    now, zone = datetime.now(UTC), filters.viewer_zone(st.context.timezone)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.title("Ingest health", anchor=False, width="content")
        notices.simulated_label(fresh)
    notices.offline_banner(data.source())
    state, problem = _state()
    polled = ingest.repositories(now)
    _tiles(polled, state, now)
    polling.draw_repositories(polled, now)
    polling.draw_rate_limit(ingest.rate_limit(now - timedelta(days=1)))
    st.header("Webhook deliveries", anchor=False)
    deliveries.draw(now=now, zone=zone, online=state is not None)
    _service(state, problem, now)
    archive.draw(ingest.archived_files(), archive_of(settings()))


def _state() -> tuple[dict[str, Any] | None, str]:
    """What the running service says of itself, or why it says nothing."""
    try:
        return ingest.service_state(), ""
    except DashboardError as error:
        return None, str(error)


def _tiles(polled: pd.DataFrame, state: dict[str, Any] | None, now: datetime) -> None:
    days = settings().delivery_retention_days
    counts = ingest.delivery_counts(now - timedelta(days=days))
    tiles = {
        "Polled repositories": (f"{len(polled):,}", "Repositories that the settings name."),
        "With an error": (f"{int(polled['error'].notna().sum()):,}", "Repositories that can't be read at the moment."),
        "Processed": (f"{counts['processed']:,}", f"Webhook deliveries of the last {days} days that told of runs."),
        "Ignored": (f"{counts['ignored']:,}", "Deliveries of events that aren't used."),
        "Failed": (f"{counts['failed']:,}", "Deliveries that couldn't be understood. They can be processed again."),
        "Came again": (f"{counts['duplicate']:,}", "Deliveries whose id had been seen before; they change nothing."),
        "Database": (size(state["database"]["size_bytes"]) if state else NOTHING, "Its size on disk."),
    }
    with st.grid(len(tiles), min_column_width=125, gap="small"):
        for label, (value, definition) in tiles.items():
            st.metric(label, value, border=True, help=definition)


def _service(state: dict[str, Any] | None, problem: str, now: datetime) -> None:
    st.header("Timed jobs", anchor=False)
    if state is None:
        st.warning(plain(problem), icon=":material/cloud_off:")
        return
    jobs = state["jobs"]
    table = pd.DataFrame(
        {
            "Job": [JOB_NAMES.get(job["id"], job["id"]) for job in jobs],
            "Last run": [relative(_moment(job["last_run_at"]), now) for job in jobs],
            "Next run": [_until(_moment(job["next_run_at"]), now) for job in jobs],
            "Last error": [text(job["last_error"]) for job in jobs],
        }
    )
    if table.empty:
        st.caption("Another process does what runs on a timer.")
    else:
        st.dataframe(table, hide_index=True)
    endpoint = f"`{state['sql_endpoint']}`" if state.get("sql_endpoint") else "none (PostgreSQL)"
    st.caption(f"Version {plain(state['version'])} · SQL endpoint {endpoint}")


def _moment(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value else None


def _until(moment: datetime | None, now: datetime) -> str:
    return NOTHING if moment is None else f"in {duration(max(0.0, (moment - now).total_seconds()))}"


health()
