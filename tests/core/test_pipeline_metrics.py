"""The numbers of each pipeline, against pandas over the plain tables: on a simulated and a recorded history."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest

from core.queries import Value, bound
from core.settings import load_settings
from core.store.duckdb_file import open_owned, open_read_only
from core.store.writer import Writer
from ingest.simulation.fill import fill
from tests import recorded_history

RECORDED = list(recorded_history.changes())


@pytest.fixture(scope="module", params=["simulated"] + (["recorded"] if RECORDED else []))
def history(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[duckdb.DuckDBPyConnection]:
    path: Path = tmp_path_factory.mktemp(request.param) / "health.duckdb"
    if request.param == "simulated":
        fill(load_settings(database_url=f"duckdb:///{path}"), days=30)
    else:
        connection = open_owned(path, memory_limit="1GB", threads=2)
        writer = Writer(connection)
        for future in [writer.submit_changes(changes) for changes in RECORDED]:
            future.result()
        writer.close()
        connection.close()
    with open_read_only(path) as connection:
        yield connection


class Truth:
    """The tables as frames, a moment at which to look, and the plain words of the definitions."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, days: int) -> None:
        self.connection = connection
        self.runs = connection.execute("SELECT * FROM runs").df()
        jobs = connection.execute("SELECT * FROM job_runs").df()
        begun = jobs["attempt_id"].map(
            connection.execute("SELECT id, started_at FROM attempts").df().set_index("id")["started_at"]
        )
        carried_over = (jobs["run_attempt"] > 1) & (jobs["started_at"] < begun)
        self.jobs = jobs[~carried_over]
        # A quarter of a window before the end, so that something lies after it; bulk histories end long ago.
        busiest = self.runs.groupby("pipeline_id")["finished_at"].max().max()
        self.now: datetime = (busiest - timedelta(days=days / 4)).to_pydatetime()
        self.start, self.before = self.now - timedelta(days=days), self.now - timedelta(days=2 * days)

    def answer(self, query: str, **more: Value) -> pd.DataFrame:
        times: dict[str, Value] = {
            "window_start": self.start, "window_end": self.now, "previous_start": self.before,
            "id": None, "provider": None, "repository": None, "branch": None, "limit": 30,
        }  # fmt: skip
        frame = self.connection.execute(bound(query, times | more)).df()
        return frame.set_index("pipeline_id")

    def within(self, rows: pd.DataFrame, column: str, *, current: bool) -> pd.DataFrame:
        begin, end = (self.start, self.now) if current else (self.before, self.start)
        return rows[(rows[column] >= begin) & (rows[column] < end)]


def same(found: Any, expected: Any) -> None:
    """Equal numbers, NULL and NaN alike."""
    left, right = (np.nan if pd.isna(value) else float(value) for value in (found, expected))
    np.testing.assert_allclose(left, right, rtol=1e-9, equal_nan=True)


@pytest.mark.parametrize("days", [1, 7, 14])
@pytest.mark.parametrize("branch", [None, "main", "master"])
def test_runs_rates_and_durations_equal_pandas(
    history: duckdb.DuckDBPyConnection, days: int, branch: str | None
) -> None:
    truth = Truth(history, days)
    found = truth.answer("pipeline_stats", branch=branch)
    runs = truth.runs if branch is None else truth.runs[truth.runs["branch"] == branch]
    assert set(found.index) == set(runs["pipeline_id"])
    for pipeline, own in runs.groupby("pipeline_id"):
        row = found.loc[pipeline]
        for prefix, current in (("", True), ("previous_", False)):
            ended = truth.within(own, "finished_at", current=current)
            decided = ended[ended["status"].isin(["success", "failed"])]
            same(row[f"{prefix}runs"], len(truth.within(own, "begun_at", current=current)))
            same(row[f"{prefix}success"], (decided["status"] == "success").sum())
            same(row[f"{prefix}failed"], (decided["status"] == "failed").sum())
            same(row[f"{prefix}success_rate"], (decided["status"] == "success").mean())
            seconds = decided["duration_seconds"].astype(float)
            same(row[f"{prefix}p50_seconds"], seconds.quantile(0.5))
            same(row[f"{prefix}p95_seconds"], seconds.quantile(0.95))


@pytest.mark.parametrize("days", [1, 7, 14])
def test_queue_time_and_flakiness_equal_pandas(history: duckdb.DuckDBPyConnection, days: int) -> None:
    truth = Truth(history, days)
    found = truth.answer("pipeline_jobs_stats")
    for pipeline, own in truth.jobs.groupby("pipeline_id"):
        for prefix, current in (("", True), ("previous_", False)):
            ended = truth.within(own, "finished_at", current=current)
            worked = ended[ended["status"].isin(["success", "failed", "cancelled"])]
            decided = ended[ended["status"].isin(["success", "failed"])].dropna(subset="head_sha")
            tries = decided.groupby(["head_sha", "name"])
            both = (tries["status"].nunique() == 2) & (tries["attempt_id"].nunique() > 1)
            commits = both.groupby("head_sha").any()
            if pipeline not in found.index:
                assert worked.empty
                continue
            same(found.loc[pipeline, f"{prefix}queue_seconds"], worked["queue_seconds"].astype(float).quantile(0.5))
            same(found.loc[pipeline, f"{prefix}flakiness"], commits.mean() if len(commits) else np.nan)


def breakages(own: pd.DataFrame) -> list[tuple[pd.Timestamp, pd.Timestamp | None]]:
    """(broke, recovered) of a pipeline's default branch, by walking through its runs."""
    found: list[tuple[pd.Timestamp, pd.Timestamp | None]] = []
    broke = None
    for run in own.sort_values(["finished_at", "run_key"]).itertuples():
        if run.status == "failed" and broke is None:
            broke = run.finished_at
        elif run.status == "success" and broke is not None:
            found.append((broke, run.finished_at))
            broke = None
    return [*found, (broke, None)] if broke is not None else found


def default_branch_runs(runs: pd.DataFrame) -> pd.DataFrame:
    done = runs[runs["status"].isin(["success", "failed"]) & runs["finished_at"].notna()]
    return done[done["on_default_branch"].astype(bool)]


@pytest.mark.parametrize("days", [1, 7, 14])
def test_time_to_recovery_equals_a_walk_through_the_runs(history: duckdb.DuckDBPyConnection, days: int) -> None:
    truth = Truth(history, days)
    found = truth.answer("pipeline_recovery")
    walked = 0
    for pipeline, own in default_branch_runs(truth.runs).groupby("pipeline_id"):
        pairs = breakages(own)
        walked += len(pairs)
        for prefix, begin, end in (("", truth.start, truth.now), ("previous_", truth.before, truth.start)):
            seconds = [
                (till.floor("s") - broke.floor("s")).total_seconds()  # durations are whole seconds
                for broke, till in pairs
                if till and begin <= till < end
            ]
            same(found[f"{prefix}recovery_seconds"].get(pipeline), np.median(seconds) if seconds else np.nan)
        still = [broke for broke, till in pairs if till is None]
        since = found["broken_since"].get(pipeline)
        assert (None if pd.isna(since) else since) == (still[0] if still else None)
    assert walked


def test_the_view_of_recoveries_has_every_breakage(history: duckdb.DuckDBPyConnection) -> None:
    truth = Truth(history, 7)
    view = history.execute("SELECT * FROM recoveries").df()
    for pipeline, own in default_branch_runs(truth.runs).groupby("pipeline_id"):
        rows = view[view["pipeline_id"] == pipeline].sort_values("broke_at")
        pairs = [(row.broke_at, None if pd.isna(row.recovered_at) else row.recovered_at) for row in rows.itertuples()]
        assert pairs == breakages(own)


def test_the_last_runs_are_the_newest_and_the_state_is_that_of_the_default_branch(
    history: duckdb.DuckDBPyConnection,
) -> None:
    truth = Truth(history, 7)
    found = truth.answer("pipeline_last_runs").reset_index()
    for pipeline, own in truth.runs.groupby("pipeline_id"):
        newest = own.sort_values(["begun_at", "run_key"], ascending=False).head(30)["run_key"]
        shown = found[(found["pipeline_id"] == pipeline) & (found["kind"] == "run")]["id"]
        assert shown.tolist() == newest.tolist()
    default = default_branch_runs(truth.runs)
    states = default.sort_values("finished_at").groupby("pipeline_id")["status"].last()
    assert found[found["kind"] == "state"].set_index("pipeline_id")["status"].to_dict() == states.to_dict()
