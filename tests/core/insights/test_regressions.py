import math
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from core.insights import regressions
from core.settings import load_settings
from core.store.database import opened
from core.store.duration_changes import find_changes
from core.store.writer import Writer
from ingest.simulation import company
from ingest.simulation.fill import fill
from tests.core.insights.conftest import Frame


def _noise(seed: int, runs: int, spread: float = 0.15) -> np.ndarray:
    return np.exp(np.random.default_rng(seed).normal(5, spread, runs))


def test_the_cut_is_where_scipys_rank_sum_test_differs_most() -> None:
    values = np.log(_noise(1, 80))
    values[50:] += 0.2
    cuts = range(regressions.LEAST_SIDE, len(values) - regressions.LEAST_SIDE + 1)
    chances = {
        cut: stats.mannwhitneyu(values[:cut], values[cut:], use_continuity=False, method="asymptotic").pvalue
        for cut in cuts
    }
    assert regressions.best_cut(values)[0] == min(chances, key=lambda cut: chances[cut])


def test_ties_count_as_in_scipy() -> None:
    values = np.round(np.log(_noise(2, 60)), 1)
    values[30:] += 0.3
    cut, _ = regressions.best_cut(values)
    cuts = range(regressions.LEAST_SIDE, len(values) - regressions.LEAST_SIDE + 1)
    chances = [
        stats.mannwhitneyu(values[:c], values[c:], use_continuity=False, method="asymptotic").pvalue for c in cuts
    ]
    assert chances[cut - regressions.LEAST_SIDE] == pytest.approx(min(chances))


def test_the_shift_and_its_interval_are_those_of_all_differences() -> None:
    before, after = np.log(_noise(3, 40)), np.log(_noise(4, 60)) + 0.3
    shift, low, high = regressions.shift_of(before, after)
    assert shift == pytest.approx(float(np.median([b - a for a in before for b in after])))
    assert low < 0.3 < high
    # The interval holds the shifts that SciPy's test doesn't reject at 5 %.
    for at, inside in ((low - 0.01, False), (low + 0.01, True), (high - 0.01, True), (high + 0.01, False)):
        assert bool(stats.mannwhitneyu(before + at, after).pvalue > 0.05) is inside


def test_the_interval_holds_the_true_shift_as_often_as_it_says() -> None:
    held = 0
    for seed in range(300):
        _, low, high = regressions.shift_of(np.log(_noise(seed, 30)), np.log(_noise(seed + 1000, 30)) + 0.2)
        held += low <= 0.2 <= high
    assert 0.91 <= held / 300 <= 0.99


def test_noise_raises_no_alarm_more_often_than_promised() -> None:
    alarms = sum(bool(regressions.changes(_noise(seed, 20 + seed % 200))) for seed in range(1500))
    assert alarms / 1500 <= regressions.ALPHA


@pytest.mark.parametrize("factor", [1.25, 1.5])
def test_a_slow_down_is_found_where_it_began(factor: float) -> None:
    found = 0
    for seed in range(60):
        values = _noise(seed, 120)
        values[70:] *= factor
        hits = [one for one in regressions.changes(values) if one.slower and abs(one.place - 70) <= 5]
        found += bool(hits)
        assert all(one.low <= one.ratio <= one.high for one in hits)
    assert found >= 57


def test_outliers_and_drops_back_are_told_apart_from_a_change() -> None:
    values = _noise(5, 100)
    values[[10, 40, 41, 77]] *= 20
    assert regressions.changes(values) == []
    values[40:70] *= 1.6
    assert [one.slower for one in regressions.changes(values)] == [True, False]


@pytest.mark.parametrize(
    "durations",
    [[], [5], [0] * 50, [60] * 200, [1, 1e9] * 30, [-3] * 40, list(range(15)), [60] * 7 + [90] * 100],
)
def test_any_series_is_answered(durations: list[float]) -> None:
    for one in regressions.changes(durations):
        assert math.isfinite(one.ratio)


def test_the_simulated_slow_down_is_found_at_its_commit_and_kept(tmp_path: Path) -> None:
    settings = load_settings(database_url=f"duckdb:///{tmp_path}/x.duckdb")
    fill(settings, days=60)
    with opened(settings) as database:
        rows = database.reader.frame(
            "duration_changes", provider=None, repository=company.SLOWED_DOWN[0], slower=True, limit=100,
            since=datetime.now(UTC) - timedelta(days=60), week_ago=datetime.now(UTC) - timedelta(days=7),
        )  # fmt: skip
        [whole] = rows[(rows["pipeline"] == company.SLOWED_DOWN[1]) & (rows["job"] == "")].to_dict("records")
        slow = database.reader.frame("run_page", **_any_run(), limit=100_000, offset=0)
        first = slow[slow["commit_message"] == company.SLOW_COMMIT].iloc[0]
        assert 1.4 < whole["ratio"] < 1.8
        assert abs(whole["changed_at"] - first["begun_at"]) < timedelta(days=1)
        assert whole["is_newest"]
        writer = Writer(database.session())
        seen: dict[str, datetime] = {}
        looked_at = find_changes(database.reader, writer, datetime.now(UTC), seen)
        assert looked_at == len(seen) > 0
        assert find_changes(database.reader, writer, datetime.now(UTC), seen) == 0
        writer.close()


def _any_run() -> dict[str, None]:
    names = ("provider", "repository", "branch", "pipeline_id", "statuses", "since", "until")
    return dict.fromkeys(names)


def test_series_are_the_newest_successes_in_order(connection: duckdb.DuckDBPyConnection, ask: Frame) -> None:
    ids = tuple(name for (name,) in connection.execute("SELECT id FROM pipelines").fetchall())
    rows = ask("regression_series", pipeline_ids=ids, limit=40)
    attempts = connection.execute("SELECT * FROM attempts WHERE status = 'success' AND NOT is_fork").df()
    attempts = attempts[attempts["duration_seconds"] > 0].sort_values(["begun_at", "id"])
    for (pipeline_id, on_default), line in attempts.groupby(["pipeline_id", "on_default_branch"]):
        ours = rows[(rows["pipeline_id"] == pipeline_id) & (rows["job"] == "") & (rows["on_default"] == on_default)]
        assert list(ours["attempt_id"]) == list(line["id"].tail(40))
        assert list(ours["seconds"]) == list(line["duration_seconds"].tail(40))


def test_a_default_branch_with_few_runs_is_looked_at_with_the_others() -> None:
    at = pd.date_range("2026-03-01", periods=60, freq="h", tz="UTC")
    runs = pd.DataFrame(
        {
            "pipeline_id": "p", "job": "", "on_default": [place % 6 == 0 for place in range(60)],
            "attempt_id": [f"a{place}" for place in range(60)], "head_sha": None, "begun_at": at,
            "seconds": [100 + place % 3 + (80 if place >= 30 else 0) for place in range(60)],
        }
    )  # fmt: skip
    [found] = regressions.found_in(runs)
    assert (found.attempt_id, found.before_attempt_id, found.on_default, found.head_sha) == ("a30", "a29", False, None)


@pytest.mark.parametrize("length", [16, 17, 40])
def test_the_best_cut_is_that_of_the_largest_rank_sum_statistic_with_ties(length: int) -> None:
    """scipy's Mann-Whitney test gives the statistic; its largest value's chance is the formula of James et al."""
    chance = np.random.default_rng(length)
    side = regressions.LEAST_SIDE
    for _ in range(20):
        values = np.round(chance.normal(0, 2, length) + np.where(np.arange(length) > length / 2, 2, 0))
        p = {
            cut: stats.mannwhitneyu(values[:cut], values[cut:], use_continuity=False, method="asymptotic").pvalue
            for cut in range(side, length - side + 1)
        }
        cut, found = regressions.best_cut(values)
        assert p[cut] == pytest.approx(min(p.values()))
        z = stats.norm.isf(p[cut] / 2)
        odds = 2 * math.log((length - side) / side)
        expected = z * stats.norm.pdf(z) * ((1 - z**-2) * odds + 4 * z**-2) if z > 1 else 1
        assert found == pytest.approx(min(1, expected), rel=1e-6)


def test_too_short_a_series_and_one_of_equal_values_have_no_cut() -> None:
    assert regressions.best_cut(np.arange(15.0)) == (0, 1.0)
    assert regressions.best_cut(np.zeros(40))[1] == 1.0


def test_the_shift_is_the_median_of_all_differences_within_the_ranks_of_moses() -> None:
    before, after = np.array([1.0, 2.0, 4.0, 8.0]), np.array([10.0, 11.0, 13.0, 17.0, 25.0])
    differences = sorted(b - a for a in before for b in after)
    shift, low, high = regressions.shift_of(before, after)
    assert shift == np.median(differences)
    k = math.floor(10 - 1.959964 * math.sqrt(20 * 10 / 12))
    assert (k, low, high) == (1, differences[1], differences[-2])
    assert regressions.shift_of(before[:1], after[:2]) == (9.5, 9.0, 10.0)


def test_a_change_says_between_which_runs_and_how_large_it_is() -> None:
    """Two changes of a job on the default branch: 100 s, then 200 s, then 50 s, given in any order."""
    rows = pd.DataFrame(
        {
            "pipeline_id": "p", "job": "build", "on_default": True,
            "attempt_id": [f"a{place:02d}" for place in range(60)],
            "head_sha": [f"s{place}" if place != 19 else None for place in range(60)],
            "begun_at": pd.date_range("2026-03-01", periods=60, freq="h", tz="UTC"),
            "seconds": [(100 if place < 20 else 200 if place < 40 else 50) + place % 2 for place in range(60)],
        }
    )  # fmt: skip
    slower, faster = regressions.found_in(rows.sample(frac=1, random_state=1))
    assert (slower.pipeline_id, slower.job, slower.on_default) == ("p", "build", True)
    assert (slower.attempt_id, slower.head_sha, slower.changed_at) == ("a20", "s20", rows["begun_at"][20])
    assert (slower.before_attempt_id, slower.before_sha, slower.is_newest) == ("a19", None, False)
    assert (faster.attempt_id, faster.before_attempt_id, faster.before_sha) == ("a40", "a39", "s39")
    assert faster.is_newest
    assert (slower.change.place, slower.change.runs_before, slower.change.runs_after) == (20, 20, 20)
    assert (slower.change.before, slower.change.after) == (pytest.approx(100.5, abs=0.1), pytest.approx(200.5, abs=0.1))
    assert (faster.change.place, faster.change.runs_before, faster.change.runs_after) == (40, 20, 20)
    assert (faster.change.before, faster.change.after) == (pytest.approx(200.5, abs=0.1), pytest.approx(50.5, abs=0.1))
    assert slower.change.slower
    assert not faster.change.slower


def test_only_the_newest_runs_make_a_series_and_a_moment_orders_by_attempt() -> None:
    at = pd.Timestamp("2026-03-01T00:00Z")
    count = regressions.MOST_RUNS + 5
    rows = pd.DataFrame(
        {"on_default": True, "begun_at": [at] * count, "attempt_id": [f"a{place:04d}" for place in range(count)]}
    )
    series, on_default = regressions.series_of(rows.iloc[::-1])
    assert (series["attempt_id"].iloc[0], len(series), on_default) == ("a0005", regressions.MOST_RUNS, True)
    few = rows.assign(on_default=[place < 19 for place in range(count)])
    assert regressions.series_of(few)[1] is False
    enough = rows.assign(on_default=[place < 20 for place in range(count)])
    assert (len(regressions.series_of(enough)[0]), regressions.series_of(enough)[1]) == (20, True)


def _steps(*levels: float, runs: int = 20) -> list[float]:
    """So many runs at each level, almost without noise."""
    return [level * (1 + place % 3 * 0.001) for level in levels for place in range(runs)]


def test_a_change_too_small_to_matter_is_none_however_sure_and_its_neighbours_are_measured_without_it() -> None:
    assert regressions.changes(_steps(100, 103, runs=40)) == []
    [found] = regressions.changes(_steps(100, 103, 200, runs=40))
    assert (found.place, found.runs_before, found.runs_after) == (80, 80, 40)
    assert found.before == pytest.approx(101.5, abs=1.6)


def test_of_changes_that_are_too_weak_the_least_sure_goes_first() -> None:
    """The others are measured again without it: what looked weak between two near cuts may then stand."""
    steps = (
        [101, 100, 100, 101, 101, 99, 102, 101, 103],
        [97, 97, 97, 98, 97, 98, 98, 99, 98, 97],
        [113, 112, 115, 114, 112, 112, 112, 115, 111, 113, 113, 112, 113],
        [110, 110, 107, 109, 109, 110, 107, 109, 110, 108],
        [104, 104, 105, 104, 107, 105, 103, 103],
    )
    assert [change.place for change in regressions.changes([seconds for step in steps for seconds in step])] == [19, 32]


def test_every_change_is_measured_between_its_neighbours() -> None:
    found = regressions.changes(_steps(100, 200, 50, 400, runs=30))
    assert [(one.place, one.runs_before, one.runs_after) for one in found] == [(30, 30, 30), (60, 30, 30), (90, 30, 30)]
    assert [one.ratio for one in found] == [pytest.approx(each, rel=0.01) for each in (2, 0.25, 8)]


def test_durations_below_half_a_second_count_as_half_a_second() -> None:
    [found] = regressions.changes([0.0] * 30 + [1.0] * 30)
    assert found.before == pytest.approx(0.5)
    assert found.after == pytest.approx(1)
