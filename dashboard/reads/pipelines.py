"""The numbers of pipelines: of all of them for the table, of one for its page."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pandas as pd

from core.queries import Value
from dashboard import data
from dashboard.data import LONG_HISTORY, Freshness, Scope

LAST_RUNS = 30
HELD_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time that ends at `end` (UTC), and the one of equal length before it."""

    length: timedelta
    end: datetime

    def times(self) -> dict[str, Value]:
        return {
            "window_start": self.end - self.length,
            "window_end": self.end,
            "previous_start": self.end - 2 * self.length,
        }


def held(fresh: Freshness) -> Freshness:
    """What to read by: on a long history an answer holds for HELD_SECONDS, whatever arrives meanwhile."""
    if fresh.runs < LONG_HISTORY:
        return fresh
    now = datetime.now(UTC)
    begun = now - timedelta(seconds=now.timestamp() % HELD_SECONDS)
    return Freshness(begun.replace(microsecond=0), None, 0, LONG_HISTORY, fresh.simulated)


def table(fresh: Freshness, scope: Scope, window: Window, pipeline_id: str | None = None) -> pd.DataFrame:
    """One row a pipeline with the columns of pipeline_stats, pipeline_jobs_stats and pipeline_recovery, and `status`.

    `status` is that of the newest finished run on its default branch, `status_since` when that run finished,
    `running` whether any of its newest runs is under way. Without
    a pipeline it is empty, and has fewer columns. Rates are fractions of 1, durations seconds.
    """
    times = window.times()
    rolling = tuple(times)
    chosen: dict[str, Value] = {"id": pipeline_id, "branch": scope.branch}
    stats = data.unless_new(
        fresh,
        "pipeline_stats",
        {**chosen, "provider": scope.provider, "repository": scope.repository, **times},
        rolling,
    )
    if stats.empty:
        return stats
    jobs = data.unless_new(fresh, "pipeline_jobs_stats", {**chosen, **times}, rolling)
    recovery = data.unless_new(fresh, "pipeline_recovery", {"id": pipeline_id, **times}, rolling)
    newest = last_runs(fresh, scope.branch, pipeline_id)
    states = newest[newest["kind"] == "state"].set_index("pipeline_id")
    under_way = newest[newest["status"].isin(["running", "queued"])]["pipeline_id"].unique()
    found = stats.merge(jobs, how="left", on="pipeline_id").merge(recovery, how="left", on="pipeline_id")
    return found.assign(
        status=found["pipeline_id"].map(states["status"]),
        status_since=found["pipeline_id"].map(states["finished_at"]),
        running=found["pipeline_id"].isin(under_way),
    )


def last_runs(fresh: Freshness, branch: str | None = None, pipeline_id: str | None = None) -> pd.DataFrame:
    """The rows of pipeline_last_runs: the newest LAST_RUNS runs of each pipeline, newest first, and its state."""
    return data.unless_new(fresh, "pipeline_last_runs", {"id": pipeline_id, "branch": branch, "limit": LAST_RUNS})
