"""All reads of the pages: named queries through one reader, as frames; and the one act, through the REST API."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx
import pandas as pd
import streamlit as st

from core.settings import settings
from core.store.reader import RemoteReader
from dashboard.parts.filters import Filters

CSV_LIMIT = 100_000
ALERTS_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Overview:
    """What one look at the overview needs."""

    summary: pd.Series  # type: ignore[type-arg]
    days: pd.DataFrame
    alerts: pd.DataFrame
    runs: pd.DataFrame
    freshness: pd.Series  # type: ignore[type-arg]
    live: bool


@st.cache_resource
def reader() -> RemoteReader:
    """The reader of this process."""
    chosen = settings()
    return RemoteReader(
        port=chosen.quack_port,
        token=chosen.quack_token.get_secret_value() if chosen.quack_token else None,
        token_path=chosen.quack_token_path,
        database=chosen.database_path,
    )


def overview(chosen: Filters, now: datetime, chart_start: datetime, limit: int) -> Overview:
    """Everything the overview shows, at the moment `now`."""
    frame = reader().frame
    window = timedelta(days=chosen.days)
    summary = frame(
        "summary",
        **chosen.scope(),
        window_start=now - window,
        window_end=now,
        previous_start=now - 2 * window,
        day_ago=now - timedelta(days=1),
    )
    return Overview(
        summary=summary.iloc[0],
        days=frame("daily_outcomes", **chosen.scope(), zone=chosen.zone, chart_start=chart_start),
        alerts=frame("alert_list", **chosen.scope(), statuses=("active",), limit=100),
        runs=runs(chosen, now, limit=limit),
        freshness=freshness(),
        live=reader().source == "live",
    )


def freshness() -> "pd.Series[object]":
    """Last delivery, number of runs, and whether the data is simulated."""
    return reader().frame("freshness").iloc[0]


def runs(chosen: Filters, now: datetime, *, limit: int, offset: int = 0) -> pd.DataFrame:
    """A page of the runs that the filters choose, newest first."""
    return reader().frame("run_page", **chosen.selection(now), limit=limit, offset=offset)


def run_count(chosen: Filters, now: datetime) -> int:
    """How many runs the filters choose."""
    return int(reader().frame("run_count", **chosen.selection(now))["total"].iloc[0])


def run_attempts(run_id: str) -> pd.DataFrame:
    return reader().frame("run_attempts", id=run_id)


def attempt_jobs(attempt_id: str) -> pd.DataFrame:
    return reader().frame("attempt_jobs", attempt_id=attempt_id)


def attempt_steps(attempt_id: str) -> pd.DataFrame:
    return reader().frame("attempt_steps", attempt_id=attempt_id)


@st.cache_data(ttl=30, show_spinner=False)
def filter_options() -> pd.DataFrame:
    """What the filters offer; half a minute old at most, because it changes seldom and is asked for often."""
    return reader().frame("filter_options", since=datetime.now(UTC) - timedelta(days=90), limit=200)


def acknowledge(alert_id: str, by: str) -> str | None:
    """Acknowledge an alert through the API. Returns what went wrong as a sentence, or None."""
    chosen = settings()
    key = chosen.api_write_key.get_secret_value() if chosen.api_write_key else ""
    try:
        answer = httpx.post(
            f"{chosen.ingest_url}/api/v1/alerts/{alert_id}/acknowledge",
            json={"by": by},
            headers={"X-API-KEY": key},
            timeout=10,
        )
    except httpx.HTTPError:
        return "The ingest service doesn't answer, so nothing was acknowledged. Is it running?"
    return str(answer.json()["error"]["message"]) if answer.is_error else None
