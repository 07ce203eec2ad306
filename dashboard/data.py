"""What pages read and do: one small function for each named query, and the REST call that acts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import httpx
import pandas as pd
import streamlit as st

from core.access import Role, own_headers, stored_roles
from core.errors import Conflict, DashboardError, Forbidden, StoreUnavailable, first_line
from core.queries import Value
from core.settings import Settings, settings
from core.store.archive_files import archive_of
from core.store.postgres.reader import PostgresReader
from core.store.reader import RemoteReader, Source
from core.store.shared_memory import shared_memory
from dashboard.parts.formats import text
from dashboard.visitor import Visitor, visitor_of

BRANCHES_OFFERED = 200
# From so many runs on, reading them anew for each webhook would take longer than a glance at the page.
LONG_HISTORY = 200_000
SHARED_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Scope:
    """Which runs a view is about; None means any."""

    provider: str | None = None
    repository: str | None = None
    branch: str | None = None

    def parameters(self) -> dict[str, Value]:
        return {"provider": self.provider, "repository": self.repository, "branch": self.branch}

    def parameters_in_link(self) -> dict[str, str]:
        """The query parameters that make another page show the same."""
        return {name: str(value) for name, value in self.parameters().items() if value}


@dataclass(frozen=True, slots=True)
class RunQuery:
    """Which runs a table lists: the scope, statuses (None: any) and the UTC times that bound their last activity."""

    scope: Scope
    statuses: tuple[str, ...] | None
    since: datetime | None
    until: datetime | None = None

    def parameters(self) -> dict[str, Value]:
        bounds: dict[str, Value] = {"since": self.since, "until": self.until}
        return {**self.scope.parameters(), **bounds, "pipeline_id": None, "statuses": self.statuses}


@dataclass(frozen=True, slots=True)
class Freshness:
    """When a webhook last arrived and a run last changed (UTC), how often an alert did, how many attempts are stored.

    Two equal ones mean that nothing changed in between.
    """

    last_delivery_at: datetime | None
    last_change_at: datetime | None
    alert_changes: int
    runs: int
    simulated: bool

    def while_arriving(self, now: datetime) -> "Freshness":
        """What to read by on a long history while webhooks arrive: the same for all who look within SHARED_SECONDS.

        On a busy server something is new at every refresh of every viewer, and each would ask everything anew. Once
        nothing arrived for so long, or where the history is short, every change counts. A changed alert always does.
        """
        arrived = self.last_delivery_at
        if self.runs < LONG_HISTORY or arrived is None or now - arrived > timedelta(seconds=SHARED_SECONDS):
            return self
        begun = datetime.fromtimestamp(now.timestamp() // SHARED_SECONDS * SHARED_SECONDS, UTC)
        return Freshness(begun, None, self.alert_changes, LONG_HISTORY, self.simulated)


@st.cache_resource(show_spinner=False)
def _reader(address: str, _chosen: Settings) -> RemoteReader | PostgresReader:  # noqa: ARG001 -- the cache's key
    if _chosen.is_shared:
        memory = shared_memory(_chosen.redis_url) if _chosen.redis_url else None
        return PostgresReader(
            _chosen.database_url,
            size=_chosen.database_pool_size,
            name="dashboard",
            memory=memory,
            archive=archive_of(_chosen),
        )
    return RemoteReader(
        port=_chosen.quack_port,
        token=_chosen.quack_token.get_secret_value() if _chosen.quack_token else None,
        token_path=_chosen.quack_token_path,
        database=_chosen.database_path,
        archive=_chosen.archive_path,
    )


def _the_reader() -> RemoteReader | PostgresReader:
    """The one reader of this process. Raises BadSetting."""
    chosen = settings()
    return _reader(f"{chosen.database_url} {chosen.quack_port}", chosen)


def frame(query: str, **parameters: Value) -> pd.DataFrame:
    """The rows of a named query, read now. Raises StoreUnavailable."""
    try:
        return _the_reader().frame(query, **parameters)
    except duckdb.Error as error:
        raise StoreUnavailable("The data can't be read right now.", hint=first_line(error)) from None


@st.cache_data(ttl=30, max_entries=500, show_spinner=False)
def _kept(key: str, query: str, _parameters: dict[str, Value]) -> pd.DataFrame:  # noqa: ARG001 -- the key has them
    return frame(query, **_parameters)


def unless_new(
    fresh: Freshness, query: str, parameters: dict[str, Value], rolling: tuple[str, ...] = ()
) -> pd.DataFrame:
    """The rows of `query`, from the last 30 s where nothing arrived since: refreshes and viewers share the work.

    `rolling` names the times that move with the clock; in the key they count by the hour, which tells windows apart.
    """
    named = {name: f"{value:%Y-%m-%dT%H}" if name in rolling else value for name, value in parameters.items()}
    return _kept(f"{settings().database_url} {fresh} {named}", query, parameters)


def source() -> Source:
    """Where the last answer came from: `live`, or `file` while ingest isn't running."""
    return _the_reader().source


def freshness() -> Freshness:
    row = frame("freshness").iloc[0]
    delivered, changed = (
        None if pd.isna(row[name]) else row[name].to_pydatetime() for name in ("last_delivery_at", "last_change_at")
    )
    return Freshness(delivered, changed, int(row["alert_changes"]), int(row["runs"]), bool(row["simulated"]))


def summary(fresh: Freshness, scope: Scope, *, window: timedelta, now: datetime) -> dict[str, float | None]:
    """The numbers of the tiles (rates as fractions of 1, durations in seconds), now and in the window before."""
    times: dict[str, Value] = {
        "window_start": now - window,
        "window_end": now,
        "previous_start": now - 2 * window,
        "day_ago": now - timedelta(hours=24),
    }
    row = unless_new(fresh, "summary", {**scope.parameters(), **times}, tuple(times)).iloc[0].to_dict()
    return {str(name): None if pd.isna(value) else float(value) for name, value in row.items()}


def daily_outcomes(fresh: Freshness, scope: Scope, *, zone: ZoneInfo, chart_start: datetime) -> pd.DataFrame:
    """One row for each calendar day of `zone` since `chart_start` that saw runs."""
    days: dict[str, Value] = {"zone": zone.key, "chart_start": chart_start}
    return unless_new(fresh, "daily_outcomes", {**scope.parameters(), **days})


def runs(query: RunQuery, *, limit: int, offset: int = 0) -> pd.DataFrame:
    """A page of the latest attempts, newest first."""
    return frame("run_page", **query.parameters(), limit=limit, offset=offset)


def newest_runs(fresh: Freshness, query: RunQuery, *, limit: int) -> pd.DataFrame:
    """The first page of `runs`, kept while nothing arrives."""
    parameters = {**query.parameters(), "limit": limit, "offset": 0}
    return unless_new(fresh, "run_page", parameters, ("since",) if query.until is None else ())


def active_alerts(fresh: Freshness, scope: Scope, *, limit: int) -> pd.DataFrame:
    """Alerts that nobody took on yet, the most severe and newest first."""
    unused: dict[str, Value] = dict.fromkeys(("severity", "type", "pipeline_id", "alert_id", "since"))
    chosen: dict[str, Value] = {"statuses": ("active",), "limit": limit, "offset": 0}
    return unless_new(fresh, "alert_page", {**unused, **scope.parameters(), **chosen})


def alert_counts(scope: Scope) -> dict[str, int]:
    """Active alerts by severity: critical, warning, info."""
    row = frame("alert_counts", **scope.parameters()).iloc[0]
    return {severity: int(row[severity]) for severity in ("critical", "warning", "info")}


@st.cache_data(ttl=30, show_spinner=False)
def filter_options(database_url: str, _since: datetime) -> pd.DataFrame:  # noqa: ARG001 -- the URL is the cache's key
    """Repositories with their provider, and the busiest branches since `_since` (UTC). Kept for 30 s."""
    return frame("filter_options", since=_since, limit=BRANCHES_OFFERED)


def attempts(run_id: str) -> pd.DataFrame:
    """All attempts of a run, newest first; empty for an unknown id."""
    return frame("run_attempts", id=run_id)


def jobs(attempt_id: str) -> pd.DataFrame:
    return frame("attempt_jobs", attempt_id=attempt_id)


def steps(attempt_id: str) -> pd.DataFrame:
    return frame("attempt_steps", attempt_id=attempt_id)


def last_deliveries() -> dict[str, dict[str, Any]]:
    """The newest webhook call of each CI system that sent any: last_at, last_result, last_reason."""
    rows: list[dict[Any, Any]] = frame("last_deliveries").to_dict("records")
    return {text(row["provider"]): row for row in rows}


@st.cache_resource(show_spinner=False)
def _client(base_url: str) -> httpx.Client:
    return httpx.Client(base_url=base_url, timeout=httpx.Timeout(5.0))


@st.cache_data(ttl=5, show_spinner=False)
def _stored_roles(database_url: str) -> Mapping[str, Role]:  # noqa: ARG001 -- the URL is the cache's key
    rows = frame("stored_settings")
    return stored_roles(dict(zip(rows["key"], rows["value"], strict=True)))


def visitor() -> Visitor | None:
    """Who looks at this page; None for a stranger, who may see nothing. Raises BadSetting, StoreUnavailable."""
    chosen = settings()
    address = st.get_option("server.address") or ""
    return visitor_of(st.user.to_dict(), chosen, lambda: _stored_roles(chosen.database_url), address, datetime.now(UTC))


def may(role: Role) -> bool:
    """True if whoever looks at this page may do what needs `role`: ask before showing a button for it."""
    found = visitor()
    return found is not None and found.may(role)


def signed_in_name() -> str | None:
    """The name of whoever signed in: what he does is done in this name. None where nobody signs in: ask for one."""
    found = visitor()
    return found.name if found else None


def ask_service(
    method: str,
    path: str,
    *,
    by: str = "dashboard",
    role: Role | None = None,
    json: Any = None,
    params: Mapping[str, str] | None = None,
    timeout: float = 5.0,
) -> httpx.Response:
    """Call the ingest service's REST API for whoever looks at the page, if he may do what needs `role`.

    `role` is viewer for GET and operator for anything else, unless given. `by` names somebody who didn't sign in.
    `timeout` is in seconds.
    Raises Forbidden for who may not, Conflict when somebody was first, DashboardError with the service's sentence for
    any other refusal, and StoreUnavailable when it can't be reached.
    """
    chosen, found = settings(), visitor()
    needed = role or (Role.VIEWER if method == "GET" else Role.OPERATOR)
    if found is None or found.role is None or not found.may(needed):
        raise Forbidden("You may not do this.", hint=f"It needs the role {needed.word}.")
    headers = own_headers(chosen, found.subject or by, found.role, found.about)
    try:
        answer = _client(chosen.ingest_url).request(
            method, f"/api/v1{path}", json=json, params=params, headers=headers, timeout=timeout
        )
    except httpx.HTTPError:
        raise StoreUnavailable(
            "The ingest service can't be reached, so nothing was changed.",
            hint=f"It is expected at {chosen.ingest_url}.",
        ) from None
    if answer.is_success:
        return answer
    message = _message_of(answer)
    raise Conflict(message) if answer.status_code == httpx.codes.CONFLICT else DashboardError(message)


def acknowledge(alert_id: str, by: str) -> None:
    """Take an alert on. Raises as `ask_service`."""
    ask_service("POST", f"/alerts/{alert_id}/acknowledge", by=by, json={"by": by, "note": ""})


def _message_of(answer: httpx.Response) -> str:
    try:
        return text(answer.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return f"The ingest service answered with status {answer.status_code}."
