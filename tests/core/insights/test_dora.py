import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import duckdb
import pandas as pd
import pytest

from core.insights import dora
from core.insights.dora import Marks
from tests.core.insights.conftest import Frame

DAYS = 1000.0
HISTORY = {"history": datetime(2000, 1, 1, tzinfo=UTC)}


@pytest.fixture
def attempts(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    return connection.execute(
        "SELECT a.*, p.repository_id FROM attempts AS a JOIN pipelines AS p ON p.id = a.pipeline_id"
    ).df()


def _marks(attempts: pd.DataFrame) -> Marks:
    """The simulated company deploys by workflow; in the recorded history anything on the default branch will do."""
    return dora.DEFAULT_MARKS if (attempts["pipeline"] == "Deploy").any() else Marks(events=("push",))


def _deployed(attempts: pd.DataFrame) -> pd.DataFrame:
    marks = _marks(attempts)
    by_name = attempts["pipeline"].str.lower().str.contains("deploy") & bool(marks.workflows)
    chosen = attempts[by_name | attempts["event"].isin(marks.events)]
    return chosen[chosen["status"].isin(["success", "failed"]) & chosen["finished_at"].notna()]


def test_frequency_and_failure_rate_equal_an_independent_count(ask: Frame, attempts: pd.DataFrame) -> None:
    parameters = _marks(attempts).parameters()
    deployed = _deployed(attempts)
    total, *each = dora.report(ask("deployments", **parameters), ask("lead_times", **parameters, **HISTORY), DAYS)
    assert (total.deployments, total.failed) == (len(deployed), (deployed["status"] == "failed").sum())
    assert total.change_failure_rate == pytest.approx((deployed["status"] == "failed").mean())
    theirs = deployed[deployed["status"] == "success"].groupby("repository").size() / DAYS
    assert {keys.repository: keys.successful_per_day for keys in each if keys.successful_per_day} == theirs.to_dict()


def test_recovery_time_equals_an_independent_calculation(ask: Frame, attempts: pd.DataFrame) -> None:
    ours = dora.recoveries(ask("deployments", **_marks(attempts).parameters()))
    found = set()
    for pipeline_id, line in _deployed(attempts).groupby("pipeline_id"):
        ordered = line.sort_values(["finished_at", "id"]).reset_index(drop=True)
        failed = ordered["status"] == "failed"
        for first in ordered.index[failed & ~failed.shift(1, fill_value=False)]:
            later = ordered.loc[first:]
            good = later.loc[later["status"] == "success", "finished_at"]
            found.add((pipeline_id, ordered.loc[first, "finished_at"], good.iloc[0] if len(good) else None))
    assert {
        (row.pipeline_id, row.failed_at, None if pd.isna(row.recovered_at) else row.recovered_at)
        for row in ours.itertuples()
    } == found


def test_lead_time_equals_an_independent_calculation(ask: Frame, attempts: pd.DataFrame) -> None:
    own = attempts[~attempts["is_fork"] & attempts["head_sha"].notna()]
    deployed = _deployed(attempts)
    deployed = deployed[deployed["status"] == "success"]
    leads: list[tuple[str, int]] = []
    for repository, runs in own.groupby("repository"):
        first = runs.groupby("head_sha")["created_at"].min()
        on_default = runs[runs["on_default_branch"]].groupby("head_sha")["created_at"].min()
        deployments = [
            (on_default.get(row.head_sha, row.created_at), row.finished_at)
            for row in deployed[deployed["repository"] == repository].itertuples()
        ]
        for sha, at in on_default.items():
            ends = [finished for seen, finished in deployments if seen >= at]
            if ends:
                lasted = (min(ends).floor("s") - first[sha].floor("s")).total_seconds()
                leads.append((str(repository), max(0, int(lasted))))
    ours = ask("lead_times", **_marks(attempts).parameters(), **HISTORY)
    [total] = ours[ours["repository"].isna() & ours["day"].isna()].itertuples()
    theirs = pd.DataFrame(leads, columns=["repository", "seconds"])
    assert total.changes == len(theirs)
    assert total.p50_seconds == pytest.approx(theirs["seconds"].quantile(0.5))
    assert total.p90_seconds == pytest.approx(theirs["seconds"].quantile(0.9))
    each = ours[ours["repository"].notna()].set_index("repository")["p50_seconds"]
    assert each.to_dict() == pytest.approx(theirs.groupby("repository")["seconds"].quantile(0.5).to_dict())
    assert ours.loc[ours["day"].notna(), "changes"].sum() == len(theirs)


@pytest.mark.parametrize(
    ("patterns", "name", "fits"),
    [
        (("deploy*",), "Deploy production", True),
        (("deploy*",), "Redeploy", False),
        (("*release*", "ship"), "Ship", True),
        (("a.b",), "axb", False),
        (("(x|y)+?",), "(x|y)+z", True),
        (("*",), "anything\nat all", False),
    ],
)
def test_patterns_are_those_of_file_names(patterns: tuple[str, ...], name: str, fits: bool) -> None:
    expression = Marks(workflows=patterns).parameters()["workflow_pattern"]
    assert isinstance(expression, str)
    assert bool(re.search(expression, name.lower())) is fits
    [found] = duckdb.execute("SELECT regexp_matches(?, ?)", [name.lower(), expression]).fetchone() or [None]
    assert found is fits


def test_marks_are_the_parameters_of_the_queries() -> None:
    marks = Marks(workflows=("Ship",), jobs=("to prod",), events=("release", "deployment"))
    patterns = {
        "workflow_pattern": marks.parameters()["workflow_pattern"],
        "job_pattern": marks.parameters()["job_pattern"],
    }
    assert marks.parameters() == patterns | {"events": ("release", "deployment")}
    assert re.search(str(patterns["job_pattern"]), "to prod")
    assert not re.search(str(patterns["job_pattern"]), "ship")
    assert Marks().parameters() == {"workflow_pattern": None, "job_pattern": None, "events": ()}


def test_a_job_named_for_an_environment_marks_its_run_and_decides_how_it_ended(ask: Frame, tries: pd.DataFrame) -> None:
    name = tries.loc[tries["status"] == "failed", "name"].mode().iloc[0]
    rows = ask("deployments", **Marks(jobs=(name,)).parameters())
    chosen = tries[(tries["name"].str.lower() == name.lower()) & tries["status"].isin(["success", "failed"])]
    chosen = chosen[(chosen["run_attempt"] == 1) | ~(chosen["started_at"] < chosen["attempt_started_at"])]
    failed = chosen.groupby("attempt_id")["status"].agg(
        lambda status: "failed" if (status == "failed").any() else "success"
    )
    assert dict(zip(rows["attempt_id"], rows["status"], strict=True)) == failed.to_dict()


def test_nothing_marked_means_no_deployments_and_no_numbers(ask: Frame) -> None:
    nothing = Marks().parameters()
    deployments, leads = ask("deployments", **nothing), ask("lead_times", **nothing, **HISTORY)
    [total] = dora.report(deployments, leads, 30)
    assert (total.deployments, total.changes, total.change_failure_rate, total.lead_time_p50_seconds) == (
        0,
        0,
        None,
        None,
    )
    assert dora.by_day(deployments, "Europe/Berlin").empty


def _deployment(minute: int, status: str, pipeline: str = "p") -> dict[str, Any]:
    at = datetime(2026, 3, 1, 22, 59, tzinfo=UTC) + timedelta(minutes=minute)
    return {
        "attempt_id": f"{pipeline}{minute}",
        "repository": "r",
        "pipeline_id": pipeline,
        "status": status,
        "finished_at": at,
    }


def test_an_outage_lasts_from_the_first_failure_to_the_next_success_of_its_pipeline() -> None:
    rows = pd.DataFrame(
        [
            _deployment(0, "success"),
            _deployment(1, "failed"),
            _deployment(2, "failed"),
            _deployment(3, "success", "q"),
            _deployment(9, "success"),
            _deployment(10, "failed"),
        ]
    )
    outages = dora.recoveries(rows)
    assert outages[["repository", "pipeline_id"]].to_numpy().tolist() == [["r", "p"], ["r", "p"]]
    assert list((outages["recovered_at"] - outages["failed_at"]).dt.total_seconds().dropna()) == [8 * 60]
    assert outages["recovered_at"].isna().sum() == 1
    assert list(dora.by_day(rows, "Europe/Berlin")["day"]) == [date(2026, 3, 1), date(2026, 3, 2)]


def test_levels_are_those_of_the_report() -> None:
    assert [dora.frequency_level(x) for x in (3, 1, 0.5, 0.05, 0.01)] == ["elite", "elite", "high", "medium", "low"]
    hours = (0.5, 5, 30, 24 * 8, 24 * 40)
    assert [dora.lead_time_level(h * 3600) for h in hours] == ["elite", "elite", "high", "medium", "low"]
    assert [dora.recovery_level(h * 3600) for h in hours] == ["elite", "high", "medium", "low", "low"]


def _deployments(*rows: tuple[str, str, str, int]) -> pd.DataFrame:
    """(repository, pipeline, status, minutes after noon) of each."""
    frame = pd.DataFrame(rows, columns=["repository", "pipeline_id", "status", "minutes"])
    at = pd.Timestamp("2026-03-02T12:00Z") + pd.to_timedelta(frame["minutes"], unit="min")
    return frame.assign(finished_at=at, attempt_id=[f"a{place}" for place in range(len(frame))])


def test_the_keys_of_two_repositories_and_of_both_together() -> None:
    deployed = _deployments(
        ("web", "p2", "success", 0), ("web", "p2", "failed", 10), ("web", "p2", "failed", 20),
        ("web", "p2", "success", 40), ("web", "p2", "failed", 50),
        ("api", "p1", "failed", 0), ("api", "p1", "success", 90),
    )  # fmt: skip
    leads = pd.DataFrame(
        {
            "repository": ["web", None, None],
            "day": [None, "2026-03-02", None],
            "changes": [4, 5, 9],
            "p50_seconds": [60.0, 1.0, 100_000.0],
        }
    )
    total, api, web = dora.report(deployed, leads, days=2)
    assert total == dora.Keys(
        repository=None, deployments=7, failed=4, successful_per_day=1.5, frequency_level=None, changes=9,
        lead_time_p50_seconds=100_000, lead_time_level="high", change_failure_rate=4 / 7,
        recovery_p50_seconds=3600, recovery_level="high", recovered=2, unrecovered=1,
    )  # fmt: skip
    assert web == dora.Keys(
        repository="web", deployments=5, failed=3, successful_per_day=1, frequency_level="elite", changes=4,
        lead_time_p50_seconds=60, lead_time_level="elite", change_failure_rate=0.6,
        recovery_p50_seconds=1800, recovery_level="elite", recovered=1, unrecovered=1,
    )  # fmt: skip
    assert api == dora.Keys(
        repository="api", deployments=2, failed=1, successful_per_day=0.5, frequency_level="high", changes=0,
        lead_time_p50_seconds=None, lead_time_level=None, change_failure_rate=0.5,
        recovery_p50_seconds=5400, recovery_level="high", recovered=1, unrecovered=0,
    )  # fmt: skip
    [nothing] = dora.report(deployed.iloc[:0], leads.iloc[:0], days=2)
    assert (nothing.changes, nothing.frequency_level, nothing.change_failure_rate) == (0, None, None)
    assert (nothing.lead_time_level, nothing.recovery_level, nothing.recovered) == (None, None, 0)


def test_deployments_count_on_the_calendar_day_of_the_zone() -> None:
    late = _deployments(("web", "p", "success", 690), ("web", "p", "success", 730), ("web", "p", "success", 0))
    assert dora.by_day(late, "UTC").to_dict("list") == {
        "day": [date(2026, 3, 2), date(2026, 3, 3)], "success": [2, 1], "failed": [0, 0]
    }  # fmt: skip
    assert list(dora.by_day(late, "Europe/Berlin")["success"]) == [1, 2]
    assert dora.by_day(late, "UTC").columns.name is None


def test_a_level_begins_at_its_bound() -> None:
    often = (1, 0.99, dora.DAY / dora.WEEK, 0.1, dora.DAY / dora.MONTH, 0.01)
    assert [dora.frequency_level(each) for each in often] == ["elite", "high", "high", "medium", "medium", "low"]
    assert [dora.lead_time_level(each) for each in (0, dora.DAY, dora.WEEK, dora.MONTH)] == [
        "elite", "high", "medium", "low"
    ]  # fmt: skip
    assert [dora.recovery_level(each) for each in (0, dora.HOUR, dora.DAY, dora.WEEK)] == [
        "elite", "high", "medium", "low"
    ]  # fmt: skip
