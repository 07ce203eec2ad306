from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from core.insights import cost
from core.insights.cost import DEFAULT_PRICES, PriceRule, Prices
from tests.core.insights.conftest import Frame


def _run_again(tries: pd.DataFrame) -> pd.DataFrame:
    return tries[(tries["run_attempt"] == 1) | ~(tries["started_at"] < tries["attempt_started_at"])]


def test_minutes_of_every_job_equal_an_independent_sum(ask: Frame, tries: pd.DataFrame) -> None:
    jobs = _run_again(tries)
    jobs = jobs[jobs["finished_at"].notna() & (jobs["duration_seconds"] > 0)]
    ours = ask("cost_jobs")
    theirs = jobs.assign(minutes=np.ceil(jobs["duration_seconds"] / 60), labels=jobs["labels"].fillna("")).groupby(
        ["pipeline_id", "name", "labels"]
    )
    for column, frame in (
        ("seconds", theirs["duration_seconds"].sum()),
        ("minutes", theirs["minutes"].sum()),
        ("jobs", theirs.size()),
    ):
        mine = ours.set_index(["pipeline_id", "job", "labels"])[column].sort_index()
        assert list(mine) == list(frame.sort_index()), column
    assert ours["failed_seconds"].sum() == jobs.loc[jobs["status"] == "failed", "duration_seconds"].sum()
    assert ours["rerun_seconds"].sum() == jobs.loc[jobs["run_attempt"] > 1, "duration_seconds"].sum()


def test_queue_times_by_weekday_and_hour_equal_an_independent_calculation(ask: Frame, tries: pd.DataFrame) -> None:
    jobs = _run_again(tries)
    jobs = jobs[jobs["created_at"].notna() & jobs["queue_seconds"].notna() & (jobs["status"] != "skipped")]
    local = jobs["created_at"].dt.tz_convert("Europe/Berlin")
    theirs = jobs.groupby([local.dt.day_of_week + 1, local.dt.hour])["queue_seconds"]
    ours = ask("queue_hours").set_index(["weekday", "hour"])
    assert list(ours["jobs"]) == list(theirs.size())
    assert np.allclose(ours["p50_seconds"], theirs.quantile(0.5))
    assert np.allclose(ours["p95_seconds"], theirs.quantile(0.95))


def test_the_load_of_every_hour_equals_a_count_of_the_jobs_that_ran(ask: Frame, tries: pd.DataFrame) -> None:
    jobs = _run_again(tries)
    jobs = jobs[jobs["started_at"].notna() & jobs["finished_at"].notna() & (jobs["finished_at"] > jobs["started_at"])]
    until = jobs["finished_at"].max().ceil("h").to_pydatetime()
    since = until - timedelta(days=9)
    ours = cost.load(ask("concurrency", since=since, until=until), since, until)
    begins, ends = jobs["started_at"].to_numpy(), jobs["finished_at"].to_numpy()
    for row in ours.iloc[::7].itertuples():
        hour = pd.Timestamp(row.hour)
        # The most at once is reached where the hour begins or a job does.
        begun = jobs.loc[(jobs["started_at"] >= hour) & (jobs["started_at"] < hour + pd.Timedelta("1h")), "started_at"]
        moments = [max(hour, pd.Timestamp(since)), *begun]
        assert row.peak == max(int(((begins <= moment) & (ends > moment)).sum()) for moment in moments), hour


def test_hours_without_events_keep_what_ran_before() -> None:
    begin = datetime(2026, 3, 2, 10, tzinfo=UTC)
    hours = pd.DataFrame({"hour": pd.to_datetime([begin]), "peak": [3], "closing": [2]})
    assert list(cost.load(hours, begin - timedelta(hours=1), begin + timedelta(hours=3))["peak"]) == [0, 3, 2, 2]


@pytest.mark.parametrize(
    ("labels", "system"),
    [
        ("ubuntu-24.04", "Linux"),
        ("self-hosted, Linux, X64", "Linux"),
        ("windows-2025", "Windows"),
        ("macos-15", "macOS"),
        ("", "Unknown"),
        ("gpu", "Unknown"),
    ],
)
def test_labels_name_the_operating_system(labels: str, system: str) -> None:
    assert cost.os_of(labels) == system


@pytest.mark.parametrize(
    ("provider", "labels", "price"),
    [
        ("github-actions", "ubuntu-24.04", 0.006),
        ("github-actions", "ubuntu-24.04-arm", 0.005),
        ("github-actions", "macos-15-xlarge", 0.102),
        ("github-actions", "self-hosted, ubuntu-24.04", 0),
        ("github-actions", "my-runner", None),
        ("jenkins", "ubuntu-24.04", None),
    ],
)
def test_the_first_rule_that_fits_is_the_price(provider: str, labels: str, price: float | None) -> None:
    assert DEFAULT_PRICES.of(provider, labels) == price


def test_a_cost_is_started_minutes_times_the_price_and_nothing_where_there_is_none() -> None:
    jobs = pd.DataFrame(
        {
            "provider": ["a", "b"],
            "labels": ["big", "big"],
            "minutes": [10, 10],
            "failed_minutes": [1, 1],
            "rerun_minutes": [2, 2],
            "seconds": [500, 500],
            "jobs": [1, 1],
            "failed_seconds": [0, 0],
            "rerun_seconds": [0, 0],
        }
    )
    rows = cost.priced(jobs, Prices(rules=(PriceRule(match="BIG", per_minute=0.5, provider="a"),)))
    assert list(rows["cost"]) == [5, 0]
    assert list(rows["rerun_cost"]) == [1, 0]
    assert list(rows["per_minute"].isna()) == [False, True]
    assert list(cost.summed(rows, ["provider"])["provider"]) == ["a", "b"]
    assert cost.priced(jobs.iloc[:0], DEFAULT_PRICES).empty


@pytest.mark.parametrize("price", [-1, float("nan"), float("inf"), "free", 1e9])
def test_a_price_that_is_none_is_refused(price: object) -> None:
    with pytest.raises(ValidationError):
        PriceRule.model_validate({"match": "x", "per_minute": price})


def test_every_cost_is_its_minutes_times_the_price_and_the_longest_of_equal_ones_is_first() -> None:
    """Rows that a filter left keep their own numbers."""
    jobs = pd.DataFrame(
        {
            "provider": ["a", "a", "b", "c"],
            "labels": ["linux", "linux", "win-1", ""],
            "jobs": [1, 2, 3, 4],
            "seconds": [90, 30, 600, 600],
            "minutes": [2, 1, 10, 10],
            "failed_seconds": [0, 30, 5, 5],
            "failed_minutes": [0, 1, 1, 1],
            "rerun_seconds": [0, 30, 6, 6],
            "rerun_minutes": [0, 1, 2, 2],
        },
        index=[7, 5, 3, 1],
    )
    rows = cost.priced(jobs, Prices(rules=(PriceRule(match="linux", per_minute=1.5),)))
    assert list(rows.index) == [7, 5, 3, 1]
    assert list(rows["os"]) == ["Linux", "Linux", "Windows", "Unknown"]
    assert list(rows["per_minute"].fillna(-1)) == [1.5, 1.5, -1, -1]
    assert list(rows["cost"]) == [3, 1.5, 0, 0]
    assert list(rows["failed_cost"]) == [0, 1.5, 0, 0]
    assert list(rows["rerun_cost"]) == [0, 1.5, 0, 0]
    added = cost.summed(rows, ["provider"])
    assert added.astype(object).where(added.notna(), None).to_dict("records") == [
        {"provider": "a", "jobs": 3, "seconds": 120, "minutes": 3, "failed_seconds": 30, "rerun_seconds": 30,
         "cost": 4.5, "failed_cost": 1.5, "rerun_cost": 1.5},
        {"provider": "b", "jobs": 3, "seconds": 600, "minutes": 10, "failed_seconds": 5, "rerun_seconds": 6,
         "cost": None, "failed_cost": None, "rerun_cost": None},
        {"provider": "c", "jobs": 4, "seconds": 600, "minutes": 10, "failed_seconds": 5, "rerun_seconds": 6,
         "cost": None, "failed_cost": None, "rerun_cost": None},
    ]  # fmt: skip
    assert list(added.index) == [0, 1, 2]
    together = cost.summed(rows.assign(all="all"), ["all"])
    assert list(together["cost"]) == [4.5]
    free = cost.priced(jobs, Prices(rules=(PriceRule(match="win-1", per_minute=0),)))
    assert list(cost.summed(free, ["os"])["cost"].fillna(-1)) == [0, -1, -1]
    rules = (PriceRule(match="win-1", per_minute=5), PriceRule(match="linux", per_minute=0.1))
    dearest_first = cost.summed(cost.priced(jobs, Prices(rules=rules)), ["provider"])
    assert list(dearest_first["provider"]) == ["b", "a", "c"]
    assert list(dearest_first.index) == [0, 1, 2]
    unpriced = cost.priced(jobs, Prices())
    assert list(cost.summed(unpriced, ["os"])["os"]) == ["Unknown", "Windows", "Linux"]
    assert unpriced["per_minute"].dtype == float


def test_the_load_begins_with_the_hour_and_its_peak_is_never_below_what_ran_on() -> None:
    begin = datetime(2026, 3, 2, 10, 20, 30, 5, tzinfo=UTC)
    hours = pd.DataFrame(
        {
            "hour": pd.to_datetime([datetime(2026, 3, 2, 10, tzinfo=UTC), datetime(2026, 3, 2, 12, tzinfo=UTC)]),
            "peak": [5, 1],
            "closing": [4, 0],
        }
    )
    found = cost.load(hours, begin, datetime(2026, 3, 2, 14, tzinfo=UTC))
    assert list(found.columns) == ["hour", "peak"]
    assert list(found["hour"]) == list(pd.date_range("2026-03-02T10:00Z", periods=4, freq="h"))
    assert list(found["peak"]) == [5, 4, 4, 0]
    assert found["peak"].dtype == int
    assert len(cost.load(hours, begin, datetime(2026, 3, 2, 14, 0, 0, 1, tzinfo=UTC))) == 5
