"""The filters, kept in the URL so that a link shows the same view."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pandas as pd
import streamlit as st

from core.model import STATUSES

WINDOWS = {"24h": 1, "7d": 7, "30d": 30, "90d": 90}
UNFINISHED = ("running", "queued", "blocked")
# What a colour of the chart stands for.
OUTCOMES: dict[str, tuple[str, ...]] = {"success": ("success",), "failed": ("failed",), "running": UNFINISHED}


@dataclass(frozen=True, slots=True)
class Filters:
    """What the viewer chose. `day` and `outcome` come from a click on the chart; days are those of `zone`."""

    provider: str | None = None
    repository: str | None = None
    branch: str | None = None
    window: str = "7d"
    outcome: str | None = None
    day: date | None = None
    zone: str = "UTC"

    @property
    def days(self) -> int:
        return WINDOWS[self.window]

    def scope(self) -> dict[str, str | None]:
        """The parameters that every query of a page takes."""
        return {"provider": self.provider, "repository": self.repository, "branch": self.branch}

    def statuses(self) -> tuple[str, ...] | None:
        if self.outcome is None:
            return None
        return OUTCOMES.get(self.outcome, (self.outcome,))

    def selection(self, now: datetime) -> dict[str, Any]:
        """The parameters of run_page and run_count: the window, or the one day that was clicked."""
        since, until = now - timedelta(days=self.days), None
        if self.day:
            since, until = midnight(self.day, self.zone), midnight(self.day + timedelta(days=1), self.zone)
        return {**self.scope(), "pipeline_id": None, "statuses": self.statuses(), "since": since, "until": until}


def midnight(day: date, zone: str) -> datetime:
    """When a calendar day begins in a zone, in UTC; right on days of 23 and 25 hours too."""
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def viewer_zone() -> str:
    """The browser's time zone, UTC where it is unknown."""
    zone = st.context.timezone or "UTC"
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        return "UTC"
    return zone


def show(options: pd.DataFrame, *, with_status: bool = False) -> Filters:
    """The row of filters; returns what is chosen."""
    repositories = options[options["kind"] == "repository"]
    providers = sorted(repositories["provider"].dropna().unique())
    provider_column, repository_column, branch_column, last_column = st.columns(
        [2, 3, 2, 3], vertical_alignment="bottom"
    )
    provider = provider_column.selectbox(
        "CI system", providers, index=None, placeholder="All", key="provider", bind="query-params"
    )
    if provider:
        repositories = repositories[repositories["provider"] == provider]
    repository = repository_column.selectbox(
        "Repository",
        sorted(repositories["value"].unique()),
        index=None,
        placeholder="All",
        key="repository",
        bind="query-params",
    )
    branch = branch_column.selectbox(
        "Branch",
        options.loc[options["kind"] == "branch", "value"].tolist(),
        index=None,
        placeholder="All",
        key="branch",
        bind="query-params",
        accept_new_options=True,
    )
    window = last_column.segmented_control(
        "Window", list(WINDOWS), default="7d", required=True, key="window", bind="query-params"
    )
    outcome, day = clicked()
    if with_status:
        outcome = _status(outcome)
    return Filters(provider, repository, branch, window or "7d", outcome, day, viewer_zone())


def clicked() -> tuple[str | None, date | None]:
    """Outcome and day in the URL, as a click on the chart put them there; nonsense counts as nothing."""
    outcome = st.query_params.get("outcome")
    if outcome not in (*OUTCOMES, *STATUSES):
        outcome = None
    try:
        day = date.fromisoformat(st.query_params.get("day", ""))
    except ValueError:
        day = None
    return outcome, day


def _status(current: str | None) -> str | None:
    choice = st.pills("Status", STATUSES, default=current, key="status_choice", label_visibility="collapsed")
    if choice != current:
        if choice:
            st.query_params["outcome"] = choice
        else:
            st.query_params.pop("outcome", None)
    return choice
