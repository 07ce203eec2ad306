"""The filters and the clock of a view. Their state is the URL, so that a link shows the same view."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from core.settings import settings
from dashboard import data
from dashboard.data import RunQuery, Scope
from dashboard.parts.providers import names

WINDOWS = {"24h": 1, "7d": 7, "30d": 30, "90d": 90}
WINDOW_NAMES = {"24h": "24 hours", "7d": "7 days", "30d": "30 days", "90d": "90 days"}
DEFAULT_WINDOW = "7d"
INTERVALS: dict[str, int | None] = {"5s": 5, "10s": 10, "30s": 30, "off": None}
DEFAULT_INTERVAL = "10s"

# The statuses behind each word that the chart and the status filter use.
OUTCOMES: dict[str, tuple[str, ...]] = {
    "success": ("success",),
    "failed": ("failed",),
    "running": ("running", "queued", "blocked"),
    "cancelled": ("cancelled", "skipped"),
}
OUTCOME_NAMES = {
    "success": "Success",
    "failed": "Failed",
    "running": "Running or waiting",
    "cancelled": "Cancelled or skipped",
}


@dataclass(frozen=True, slots=True)
class View:
    """What the URL asks for: the scope, the window, and the day and outcome picked in the chart."""

    scope: Scope
    window: str
    zone: ZoneInfo
    day: date | None = None
    outcome: str | None = None

    @property
    def length(self) -> timedelta:
        """The rolling window of the tiles and the table."""
        return timedelta(days=WINDOWS[self.window])

    @property
    def chart_days(self) -> int:
        """Calendar days of the chart and the sparklines: a week at least."""
        return max(7, WINDOWS[self.window])

    @property
    def picked(self) -> str | None:
        """The chart's pick in words: `Failed on Mon 3 Nov`."""
        if self.day is None:
            return None
        return f"{OUTCOME_NAMES[self.outcome] if self.outcome else 'All'} on {self.day:%a} {self.day.day} {self.day:%b}"

    def run_query(self, now: datetime) -> RunQuery:
        """The runs that the table lists: a picked day takes the window's place."""
        statuses = OUTCOMES[self.outcome] if self.outcome else None
        if self.day:
            since, until = midnight(self.day, self.zone), midnight(self.day + timedelta(days=1), self.zone)
            return RunQuery(self.scope, statuses, since, until)
        return RunQuery(self.scope, statuses, now - self.length)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The UTC time at which `day` begins in `zone`, also on the days when the clocks change."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def viewer_zone(name: str | None) -> ZoneInfo:
    """The browser's time zone; UTC where it is unknown."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Select:
    """A further filter of a page: its key (in the URL and the session), its label, its values with their names."""

    key: str
    label: str
    names: dict[str, str]


def filter_row(*, with_status: bool = False, more: Sequence[Select] = (), default_window: str = DEFAULT_WINDOW) -> View:
    """Draw the filters; returns the view that they and the URL describe. `with_status` adds a select of outcomes."""
    options = data.filter_options(settings().database_url, datetime.now(UTC) - timedelta(days=90))
    repositories = options[options["kind"] == "repository"]
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom", key="filters"):
        provider = choice("provider", "Provider", sorted(repositories["provider"].unique()), names())
        if provider:
            repositories = repositories[repositories["provider"] == provider]
        repository = choice("repository", "Repository", list(dict.fromkeys(repositories["value"])))
        branch = choice("branch", "Branch", list(options.loc[options["kind"] == "branch", "value"]))
        outcome = choice("status", "Status", list(OUTCOMES), OUTCOME_NAMES) if with_status else None
        for select in more:
            choice(select.key, select.label, list(select.names), select.names)
        window = st.segmented_control(
            "Window", list(WINDOWS), default=default_window, key="window", bind="query-params", required=True
        )
    view = view_of(Scope(provider, repository, branch), window or default_window)
    return replace(view, outcome=outcome) if with_status else view


def view_of(scope: Scope, window: str) -> View:
    """The view of a scope and a window, with what was picked in the chart."""
    day, outcome = picked_day(), st.query_params.get("outcome")
    return View(
        scope,
        window,
        viewer_zone(st.context.timezone),
        day,
        outcome if day is not None and outcome in OUTCOMES else None,
    )


def link_of(view: View) -> dict[str, str]:
    """The query parameters that make the runs page show `view`. Of a select they hold what it shows, its label."""
    provider = view.scope.provider
    chosen = {
        "provider": names().get(provider, provider) if provider else None,
        "repository": view.scope.repository,
        "branch": view.scope.branch,
        "window": None if view.window == DEFAULT_WINDOW else view.window,
        "status": OUTCOME_NAMES[view.outcome] if view.outcome else None,
        "day": view.day.isoformat() if view.day else None,
    }
    return {name: value for name, value in chosen.items() if value}


def refresh_controls() -> int | None:
    """Draw the interval and the Refresh button; returns the seconds between refreshes, None for never."""
    interval = st.selectbox(
        "Refresh every",
        list(INTERVALS),
        index=list(INTERVALS).index(DEFAULT_INTERVAL),
        key="refresh",
        bind="query-params",
        width=150,
        label_visibility="collapsed",
        format_func=lambda name: "No auto-refresh" if name == "off" else f"Every {INTERVALS[name]} s",
    )
    if st.button("Refresh", icon=":material/refresh:", key="refresh_now"):
        st.cache_data.clear()
    return INTERVALS[interval or DEFAULT_INTERVAL]


def picked_day() -> date | None:
    """The day of `?day=2025-11-03`, if it is one."""
    try:
        return date.fromisoformat(st.query_params.get("day", ""))
    except ValueError:
        return None


def take_code(key: str, codes: list[str]) -> None:
    """Let a link name a choice by its code: a bound widget itself reads and writes what it shows, its label."""
    linked = st.query_params.get(key)
    if linked in codes:
        st.session_state[key] = linked


def choice(key: str, label: str, options: list[str], names: dict[str, str] | None = None) -> str | None:
    """A select whose empty state means any. A value that a link names is offered even if it is no longer seen."""
    if names:
        take_code(key, options)
    linked = st.query_params.get(key)
    if linked and linked not in options and not names:
        options = [*options, linked]
    return st.selectbox(
        label,
        options,
        index=None,
        key=key,
        bind="query-params",
        placeholder="All",
        width=165,
        format_func=lambda value: (names or {}).get(value, value),
    )
