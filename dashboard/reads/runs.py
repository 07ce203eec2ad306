"""What the runs explorer reads: which runs are meant, a page of them, how many there are, and groups of them."""

from dataclasses import asdict, dataclass
from datetime import datetime
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from core.queries import Value
from core.settings import settings
from dashboard.data import Freshness, ask_service, frame, unless_new
from dashboard.reads.pipelines import held

COUNTED = 10_000
MOST_GROUPS = 200
CHOICES = 100
EXPORTED = 100_000


@dataclass(frozen=True, slots=True)
class RunSearch:
    """Which runs are meant; None means any. `words` are looked for as they are, whatever their case."""

    provider: str | None = None
    repository: str | None = None
    branch: str | None = None
    pipeline_id: str | None = None
    statuses: tuple[str, ...] | None = None
    event: str | None = None
    actor: str | None = None
    author: str | None = None
    is_fork: bool | None = None
    min_seconds: int | None = None
    max_seconds: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    words: str | None = None

    def parameters(self) -> dict[str, Value]:
        return {**asdict(self), "words": self.words.lower() if self.words else None}

    def of_export(self) -> dict[str, str | list[str]]:
        """The query parameters of the API's exports."""
        named = {("status" if name == "statuses" else name): value for name, value in asdict(self).items()}
        given = {name: value for name, value in named.items() if value is not None}
        return {name: list(value) if isinstance(value, tuple) else _written(value) for name, value in given.items()}


def _written(value: object) -> str:
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    return str(value).lower() if isinstance(value, bool) else str(value)


def page(fresh: Freshness, search: RunSearch, *, sort: str, limit: int, offset: int) -> pd.DataFrame:
    """A page of the runs; `sort` is newest, oldest, longest or shortest."""
    return _read(
        held(fresh) if search.words else fresh, "run_search", search, {"sort": sort, "limit": limit, "offset": offset}
    )


def total(fresh: Freshness, search: RunSearch) -> int:
    """How many runs there are, counted up to one more than COUNTED."""
    return int(_read(held(fresh), "run_search_count", search, {"limit": COUNTED + 1}).iloc[0]["total"])


def groups(fresh: Freshness, search: RunSearch, *, by: str, zone: ZoneInfo) -> pd.DataFrame:
    """At most MOST_GROUPS groups with their counts, rates (fractions of 1) and durations (seconds)."""
    return _read(held(fresh), "run_groups", search, {"group_by": by, "zone": zone.key, "limit": MOST_GROUPS})


def _read(fresh: Freshness, query: str, search: RunSearch, more: dict[str, Value]) -> pd.DataFrame:
    rolling = ("since",) if search.since and not search.until else ()  # a window without an end moves with the clock
    return unless_new(fresh, query, {**search.parameters(), **more}, rolling)


@st.cache_data(ttl=300, show_spinner=False)
def choices(database_url: str, _since: datetime) -> dict[str, list[str]]:  # noqa: ARG001 -- the URL is the cache's key
    """Events, actors and authors since `_since` (UTC), busiest first. Kept for 5 minutes."""
    rows = frame("run_filter_options", since=_since, limit=CHOICES)
    return {kind: rows.loc[rows["kind"] == kind, "value"].tolist() for kind in ("event", "actor", "author")}


@st.cache_data(ttl=60, show_spinner=False)
def pipeline_names(database_url: str) -> pd.DataFrame:  # noqa: ARG001 -- the cache's key
    """Every pipeline: id, provider, repository, pipeline (its name). Kept for a minute."""
    return frame("pipeline_names")


def export(search: RunSearch, kind: str) -> bytes:
    """The runs as a file of `kind` (csv or parquet), EXPORTED rows at most. Raises as `ask_service`."""
    return ask_service("GET", export_path(search, kind, limit=EXPORTED)).content


def export_path(search: RunSearch, kind: str, *, limit: int | None = None) -> str:
    """The API's path, with its query, that answers with these runs as a file."""
    pairs = [
        (name, each)
        for name, value in search.of_export().items()
        for each in (value if isinstance(value, list) else [value])
    ]
    query = urlencode([*pairs, *([("limit", str(limit))] if limit else [])])
    return f"/export/runs.{kind}" + (f"?{query}" if query else "")


def database() -> str:
    """The key of what is kept by database."""
    return settings().database_url
