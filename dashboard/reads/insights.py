"""What the insight pages read. They look at weeks, so an answer is kept for a minute however much arrives meanwhile."""

from datetime import UTC, datetime, timedelta

import pandas as pd
import streamlit as st

from core.insights import cost, dora, failures, regressions, stored
from core.insights.cost import Prices
from core.insights.digest import Digest
from core.insights.dora import Marks
from core.insights.failures import Cluster
from core.queries import Value
from core.settings import settings
from core.store.digest import read_digest
from dashboard.data import Scope, frame

MOST_ROWS = 500
KEPT_SECONDS = 60


def kept(query: str, parameters: dict[str, Value]) -> pd.DataFrame:
    """The rows of a named query, at most a minute old. Times in the parameters should be whole minutes."""
    return _kept(f"{settings().database_url} {sorted(parameters.items())}", query, parameters)


@st.cache_data(ttl=KEPT_SECONDS, max_entries=200, show_spinner=False)
def _kept(key: str, query: str, _parameters: dict[str, Value]) -> pd.DataFrame:  # noqa: ARG001 -- the key has them
    return frame(query, **_parameters)


def window(scope: Scope, since: datetime, until: datetime) -> dict[str, Value]:
    """The parameters that all insight queries share."""
    return {**scope.parameters(), "since": _minute(since), "until": _minute(until)}


def flaky_jobs(scope: Scope, since: datetime, until: datetime) -> pd.DataFrame:
    """The flaky jobs of the window, the most wasted time first."""
    return kept("flaky_jobs", {**window(scope, since, until), "limit": MOST_ROWS})


def flaky_weeks(scope: Scope, since: datetime, until: datetime, zone: str) -> pd.DataFrame:
    """Wasted seconds of each flaky job by week of `zone`."""
    return kept("flaky_weeks", {**window(scope, since, until), "zone": zone})


def flaky_tries(pipeline_id: str, job: str, branch: str | None, since: datetime, until: datetime) -> pd.DataFrame:
    """The tries of one job on the commits on which it was flaky."""
    return kept(
        "flaky_tries",
        {
            "pipeline_id": pipeline_id, "job": job, "branch": branch,
            "since": _minute(since), "until": _minute(until), "limit": MOST_ROWS,
        },
    )  # fmt: skip


def _minute(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)


def cost_jobs(scope: Scope, since: datetime, until: datetime) -> pd.DataFrame:
    """Machine time by pipeline, job and runner labels, priced by the price table."""
    rows = kept("cost_jobs", {**window(scope, since, until), "limit": cost.MOST_ROWS})
    return cost.priced(rows, prices())


def queue_hours(scope: Scope, since: datetime, until: datetime, zone: str) -> pd.DataFrame:
    """Queue times by weekday and hour of `zone`."""
    return kept("queue_hours", {**window(scope, since, until), "zone": zone})


def load(scope: Scope, since: datetime, until: datetime) -> pd.DataFrame:
    """The most jobs at once in every hour (UTC)."""
    return cost.load(kept("concurrency", window(scope, since, until)), _minute(since), _minute(until))


def deployments(scope: Scope, since: datetime, until: datetime) -> pd.DataFrame:
    """The deployments of the window, newest first."""
    return kept("deployments", {**window(scope, since, until), **marks().parameters(), "limit": dora.MOST_ROWS})


def lead_times(scope: Scope, since: datetime, until: datetime, zone: str) -> pd.DataFrame:
    """Lead times over all, by day of `zone`, and by repository. Changes are those of the default branch."""
    parameters = {**window(scope, since, until), **marks().parameters()}
    parameters |= {"history": _minute(since - dora.HISTORY), "zone": zone}
    return kept("lead_times", parameters)


def failure_clusters(scope: Scope, since: datetime, until: datetime) -> list[Cluster]:
    """The failures of the window by what their logs say, those of the most runs first."""
    parameters: dict[str, Value] = {**scope.parameters(), "until": _minute(until), "limit": failures.MOST_OCCURRENCES}
    occurrences = kept("failure_occurrences", parameters)
    return failures.clusters(occurrences, kept("failure_masks", {"limit": failures.MOST_MASKS}), _minute(since))


def failure_jobs(cluster: Cluster, scope: Scope, since: datetime, until: datetime, most: int) -> pd.DataFrame:
    """The newest failed jobs of a cluster in the window, and the first of all time, whole."""
    parameters: dict[str, Value] = {**scope.parameters(), "until": _minute(until), "limit": failures.MOST_OCCURRENCES}
    rows = kept("failure_occurrences", parameters)
    own = rows[rows["mask_id"].isin(cluster.masks) & (rows["failed_at"] >= _minute(since))]
    chosen = (*own["job_id"].head(most), cluster.first_job)
    return kept("failure_examples", {"job_ids": tuple(dict.fromkeys(chosen))})


def firsts(clusters: list[Cluster]) -> pd.DataFrame:
    """The first failed job of each cluster, whole."""
    return kept("failure_examples", {"job_ids": tuple(cluster.first_job for cluster in clusters)})


def failed_jobs(scope: Scope, since: datetime, until: datetime) -> tuple[int, int]:
    """How many jobs failed in the window, and of how many of them the log says why."""
    row = kept("failure_coverage", window(scope, since, until)).iloc[0]
    return int(row["failed"]), int(row["explained"])


def duration_changes(scope: Scope, since: datetime) -> pd.DataFrame:
    """Where durations changed since a UTC time, as last found; whatever the branch."""
    parameters: dict[str, Value] = {"provider": scope.provider, "repository": scope.repository, "slower": None}
    week_ago = _minute(datetime.now(UTC)) - timedelta(days=7)
    parameters |= {"since": _minute(since), "week_ago": week_ago, "limit": MOST_ROWS}
    return kept("duration_changes", parameters)


def regression_series(pipeline_id: str, job: str) -> pd.DataFrame:
    """The runs of one series in which changes are looked for, oldest first."""
    since = _minute(datetime.now(UTC)) - regressions.HISTORY
    rows = kept("regression_series", {"pipeline_ids": (pipeline_id,), "since": since, "limit": regressions.MOST_RUNS})
    return regressions.series_of(rows[rows["job"] == job])[0]


def digest(until: datetime, zone: str) -> Digest:
    """The weekly digest of the 7 days until a UTC time."""
    return read_digest(lambda query, **parameters: kept(query, parameters), until, zone)


def marks() -> Marks:
    """Which runs are deployments."""
    return stored.marks_of(_stored())


def prices() -> Prices:
    return stored.prices_of(_stored())


def _stored() -> dict[str, str]:
    rows = frame("stored_settings")
    return dict(zip(rows["key"], rows["value"], strict=True))
