"""What the page of one pipeline reads."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pandas as pd

from core.queries import Value
from dashboard.data import Freshness, unless_new
from dashboard.reads.pipelines import Window

MOST_POINTS = 1000
MOST_ROWS = 100
GRID_ATTEMPTS = 40
BREAKAGES = 20


def days(
    fresh: Freshness, pipeline_id: str, branch: str | None, *, zone: ZoneInfo, chart_start: datetime
) -> pd.DataFrame:
    """Outcomes and durations by calendar day of `zone`."""
    return unless_new(
        fresh, "pipeline_days", {"id": pipeline_id, "branch": branch, "zone": zone.key, "chart_start": chart_start}
    )


def points(fresh: Freshness, pipeline_id: str, branch: str | None, *, chart_start: datetime) -> pd.DataFrame:
    """The newest MOST_POINTS finished runs."""
    return unless_new(
        fresh,
        "pipeline_points",
        {"id": pipeline_id, "branch": branch, "chart_start": chart_start, "limit": MOST_POINTS},
    )


def branches(fresh: Freshness, pipeline_id: str, window: Window) -> pd.DataFrame:
    return _in_window(fresh, "pipeline_branches", window, {"id": pipeline_id})


def job_times(fresh: Freshness, pipeline_id: str, branch: str | None, window: Window) -> pd.DataFrame:
    return _in_window(fresh, "pipeline_job_times", window, {"id": pipeline_id, "branch": branch})


def step_times(fresh: Freshness, pipeline_id: str, branch: str | None, window: Window) -> pd.DataFrame:
    return _in_window(fresh, "pipeline_step_times", window, {"id": pipeline_id, "branch": branch})


def grid(fresh: Freshness, pipeline_id: str, branch: str | None) -> pd.DataFrame:
    """The newest GRID_ATTEMPTS attempts with their jobs."""
    return unless_new(fresh, "pipeline_grid", {"id": pipeline_id, "branch": branch, "limit": GRID_ATTEMPTS})


def breakages(fresh: Freshness, pipeline_id: str) -> pd.DataFrame:
    """The newest times that its default branch broke."""
    return unless_new(fresh, "pipeline_breakages", {"id": pipeline_id, "limit": BREAKAGES})


def _in_window(fresh: Freshness, query: str, window: Window, chosen: dict[str, Value]) -> pd.DataFrame:
    times = window.times()
    return unless_new(fresh, query, {**chosen, **times, "limit": MOST_ROWS}, tuple(times))


def by_day(rows: pd.DataFrame, days: list[date]) -> pd.DataFrame:
    """The rows of `days`, one for each calendar day: counts are 0 and durations NaN where nothing ran."""
    counts = ["success", "failed", "running", "cancelled"]
    indexed = rows.set_index(pd.to_datetime(rows["day"])).reindex(pd.DatetimeIndex(days, name="date"))
    indexed[counts] = indexed[counts].fillna(0).astype(int)
    return indexed
