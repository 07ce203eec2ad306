"""The filters of the runs explorer. All of their state is the URL, so that a link is a saved view."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st

from core.model import STATUSES
from core.settings import settings
from dashboard import data
from dashboard.parts.filters import (
    DEFAULT_WINDOW,
    OUTCOME_NAMES,
    OUTCOMES,
    WINDOWS,
    choice,
    midnight,
    picked_day,
    take_code,
    viewer_zone,
)
from dashboard.parts.formats import text
from dashboard.parts.providers import names as provider_names
from dashboard.reads import runs as reads
from dashboard.reads.runs import RunSearch

# The chart's words first, then each status by itself.
RUN_STATUSES = OUTCOMES | {"decided": ("success", "failed")} | {
    status: (status,) for status in STATUSES if status not in OUTCOMES
}  # fmt: skip
STATUS_NAMES = OUTCOME_NAMES | {"decided": "Success or failed"} | {
    status: f"Only {status}" for status in STATUSES if status not in OUTCOMES
}  # fmt: skip
ANY_TIME = "all"
SORTS = {"newest": "Newest first", "oldest": "Oldest first", "longest": "Longest first", "shortest": "Shortest first"}
GROUPS = {
    "pipeline": "Pipeline", "repository": "Repository", "branch": "Branch", "author": "Author", "event": "Event",
    "status": "Status", "day": "Day",
}  # fmt: skip
EARLIEST = date(2000, 1, 1)
MORE = ("event", "actor", "author", "fork", "min", "max", "from", "to")


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the page is to show: which runs, in which order, grouped or not; `day` takes the window's place."""

    search: RunSearch
    sort: str
    by: str | None
    zone: ZoneInfo
    day: date | None


def draw(now: datetime) -> Chosen:
    """Draw the filters; returns what they and the URL ask for."""
    names = reads.pipeline_names(reads.database())
    zone = viewer_zone(st.context.timezone)
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom", key="filters"):
        words = st.text_input(
            "Search", key="q", bind="query-params", width=240, icon=":material/search:", max_chars=200,
            placeholder="Message, author, branch, sha, number",
        )  # fmt: skip
        provider = choice("provider", "Provider", sorted(names["provider"].unique()), provider_names())
        names = names[names["provider"] == provider] if provider else names
        repository = choice("repository", "Repository", list(dict.fromkeys(names["repository"])))
        names = names[names["repository"] == repository] if repository else names
        labels = _labels(names.to_dict("records"))
        pipeline = choice("pipeline", "Pipeline", list(labels), labels)
        branch = choice("branch", "Branch", _branches())
        status = choice("status", "Status", list(RUN_STATUSES), STATUS_NAMES)
        window = st.segmented_control(
            "Window", [*WINDOWS, ANY_TIME], default=DEFAULT_WINDOW, key="window", bind="query-params", required=True
        )
        more = _more(now)
    day = picked_day()
    since, until = _bounds(window or DEFAULT_WINDOW, day, more, now, zone)
    search = RunSearch(
        provider, repository, branch, pipeline, RUN_STATUSES[status] if status else None,
        more.event, more.actor, more.author, more.is_fork, more.min_seconds, more.max_seconds, since, until,
        words.strip() or None,
    )  # fmt: skip
    sort, by = _named("sort", SORTS), _named("by", GROUPS)
    return Chosen(search, sort or "newest", by, zone, day)


@dataclass(frozen=True, slots=True)
class _More:
    event: str | None
    actor: str | None
    author: str | None
    is_fork: bool | None
    min_seconds: int | None
    max_seconds: int | None
    begin: date | None
    end: date | None


def _more(now: datetime) -> _More:
    """The filters that are needed now and then, behind a button that says how many of them are set."""
    offered = reads.choices(reads.database(), now - timedelta(days=90))
    used = sum(bool(st.query_params.get(name)) for name in MORE)
    with st.popover(f"More filters ({used})" if used else "More filters", icon=":material/tune:"):
        event = choice("event", "Event", offered["event"])
        actor = choice("actor", "Started by", offered["actor"])
        author = choice("author", "Author of the commit", offered["author"])
        fork = choice("fork", "Forks", ["yes", "no"], {"yes": "Only forks", "no": "No forks"})
        bounds = [
            st.number_input(
                f"{label} minutes", min_value=0.0, value=None, key=key, bind="query-params", placeholder="Any"
            )
            for key, label in (("min", "At least"), ("max", "At most"))
        ]
        days = [
            st.date_input(label, value=None, min_value=EARLIEST, key=key, bind="query-params", format="YYYY-MM-DD")
            for key, label in (("from", "From day"), ("to", "To day"))
        ]
    lowest, highest = (None if minutes is None else round(minutes * 60) for minutes in bounds)
    begin, end = (day if isinstance(day, date) else None for day in days)
    return _More(event, actor, author, None if fork is None else fork == "yes", lowest, highest, begin, end)


def _bounds(
    window: str, day: date | None, more: _More, now: datetime, zone: ZoneInfo
) -> tuple[datetime | None, datetime | None]:
    """The UTC times that bound the runs: a picked day, else days of the calendar, else the window that ends now."""
    if day:
        return midnight(day, zone), midnight(day + timedelta(days=1), zone)
    if more.begin or more.end:
        return (
            midnight(more.begin, zone) if more.begin else None,
            midnight(more.end + timedelta(days=1), zone) if more.end else None,
        )
    return (None if window == ANY_TIME else now - timedelta(days=WINDOWS[window])), None


def _labels(pipelines: list[dict[Any, Any]]) -> dict[str, str]:
    """The name of each pipeline by its id; two of the same name are told apart by their ids."""
    labels: dict[str, str] = {}
    taken: set[str] = set()
    for row in pipelines:
        name = pipeline_label(row)
        labels[row["id"]] = f"{name} ({row['id']})" if name in taken else name
        taken.add(name)
    return labels


def pipeline_label(row: dict[Any, Any]) -> str:
    """What the select of pipelines shows for one, by its repository and pipeline (its name)."""
    return f"{text(row['repository'])} · {text(row['pipeline'])}"


def _branches() -> list[str]:
    options = data.filter_options(settings().database_url, datetime.now(UTC) - timedelta(days=90))
    return list(options.loc[options["kind"] == "branch", "value"])


def _named(key: str, names: dict[str, str]) -> str | None:
    """What a select that is drawn further down holds, or the URL names for it: a code or its label."""
    take_code(key, list(names))
    held = st.session_state.get(key)
    if held in names:
        return str(held)
    codes = {label: code for code, label in names.items()}
    return codes.get(st.query_params.get(key, ""))


def draw_order(chosen: Chosen) -> None:
    """The order and the grouping: two selects, drawn beside the table."""
    if chosen.by is None:
        st.selectbox(
            "Order", list(SORTS), key="sort", bind="query-params", format_func=SORTS.__getitem__, width=150,
            label_visibility="collapsed",
        )  # fmt: skip
    st.selectbox(
        "Group by", list(GROUPS), index=None, key="by", bind="query-params", format_func=GROUPS.__getitem__, width=170,
        label_visibility="collapsed", placeholder="Group by …",
    )  # fmt: skip
