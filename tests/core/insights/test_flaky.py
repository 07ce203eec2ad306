from datetime import UTC, date, datetime

import pandas as pd

from core.insights import flaky
from tests.core.insights.conftest import Frame


def _independent(tries: pd.DataFrame) -> dict[tuple[str, str], tuple[int, int, int]]:
    """(flaky commits, wasted seconds, waited seconds) of each flaky job, by plain loops over pandas groups."""
    ended = tries[tries["status"].isin(["success", "failed"]) & tries["head_sha"].notna()]
    ended = ended[(ended["run_attempt"] == 1) | ~(ended["started_at"] < ended["attempt_started_at"])]
    found: dict[tuple[str, str], tuple[int, int, int]] = {}
    for (pipeline_id, name, _), commit in ended.groupby(["pipeline_id", "name", "head_sha"]):
        failed, passed = commit[commit["status"] == "failed"], commit[commit["status"] == "success"]
        if not any(a != b for a in failed["attempt_id"] for b in passed["attempt_id"]):
            continue
        wasted = waited = 0
        for _, run in commit.groupby("run_key"):
            good = run[run["status"] == "success"].sort_values("finished_at")
            bad = run[run["status"] == "failed"]
            wasted += int(run["duration_seconds"].sum()) - (int(good["duration_seconds"].iloc[-1]) if len(good) else 0)
            if len(good) and len(bad) and good["finished_at"].iloc[-1] > bad["finished_at"].min():
                # Whole seconds as a clock shows them, as the store counts.
                begin, end = bad["finished_at"].min().floor("s"), good["finished_at"].iloc[-1].floor("s")
                waited += int((end - begin).total_seconds())
        before = found.get((pipeline_id, name), (0, 0, 0))
        found[pipeline_id, name] = (before[0] + 1, before[1] + wasted, before[2] + waited)
    return found


def test_flaky_jobs_and_their_cost_equal_an_independent_calculation(ask: Frame, tries: pd.DataFrame) -> None:
    rows = ask("flaky_jobs")
    ours = {
        (row.pipeline_id, row.job): (row.flaky_commits, row.wasted_seconds, row.waited_seconds)
        for row in rows.itertuples()
    }
    assert ours == _independent(tries)
    assert list(rows["wasted_seconds"]) == sorted(rows["wasted_seconds"], reverse=True)


def test_the_weeks_of_a_job_add_up_to_its_whole(ask: Frame) -> None:
    weeks = ask("flaky_weeks").groupby(["pipeline_id", "job"])[["flaky_commits", "wasted_seconds"]].sum()
    whole = ask("flaky_jobs").set_index(["pipeline_id", "job"])[["flaky_commits", "wasted_seconds"]]
    assert weeks.sort_index().to_dict() == whole.sort_index().to_dict()


def test_the_evidence_pairs_every_failed_try_with_one_that_passed_on_the_same_commit(ask: Frame) -> None:
    for job in ask("flaky_jobs").itertuples():
        tries = ask("flaky_tries", pipeline_id=job.pipeline_id, job=job.job)
        pairs = flaky.pairs(tries)
        assert len(pairs) == job.failures
        shas = dict(zip(tries["job_id"], tries["head_sha"], strict=True))
        status = dict(zip(tries["job_id"], tries["status"], strict=True))
        for pair in pairs.itertuples():
            assert shas[pair.failed_job] == shas[pair.passed_job] == pair.head_sha
            assert (status[pair.failed_job], status[pair.passed_job]) == ("failed", "success")


def _try(attempt: int, status: str, *, second: int, sha: str = "a") -> dict[str, object]:
    return {
        "id": "r",
        "attempt_id": f"r-{attempt}",
        "run_id": "9",
        "run_number": 7,
        "run_attempt": attempt,
        "branch": "main",
        "head_sha": sha,
        "commit_message": "m",
        "job_id": f"j{second}",
        "status": status,
        "finished_at": datetime(2026, 3, 2, 12, 0, second, tzinfo=UTC),
        "seconds": 5,
    }


def test_a_failure_is_paired_with_the_next_success_and_else_with_one_before_it() -> None:
    tries = pd.DataFrame(
        [
            _try(1, "success", second=1),
            _try(2, "failed", second=2),
            _try(3, "success", second=3),
            _try(4, "failed", second=4),
        ]
    )
    assert list(flaky.pairs(tries)["passed_job"]) == ["j3", "j3"]
    assert list(flaky.pairs(tries)["failed_run"]) == ["#7, attempt 2", "#7, attempt 4"]


def test_a_week_without_flakiness_is_zero_and_one_outside_is_left_out() -> None:
    mondays = flaky.mondays(date(2026, 3, 4), 3)
    assert mondays == [date(2026, 2, 16), date(2026, 2, 23), date(2026, 3, 2)]
    weeks = pd.DataFrame(
        {
            "pipeline_id": ["p", "p"],
            "job": ["t", "t"],
            "week": [date(2026, 2, 23), date(2026, 1, 5)],
            "wasted_seconds": [9, 4],
        }
    )
    assert flaky.course(weeks, mondays) == {("p", "t"): [0, 9, 0]}


def _tried(name: str, status: str, minute: int, **words: object) -> dict[str, object]:
    usual = {
        "head_sha": "s", "commit_message": "m", "branch": "main", "id": f"k{name}", "job_id": f"j{name}",
        "attempt_id": f"a{name}", "run_id": f"r{name}", "run_number": 12, "run_attempt": 1, "seconds": 30.0,
    }  # fmt: skip
    at = pd.Timestamp("2026-03-02T12:00Z") + pd.Timedelta(minutes=minute)
    return usual | {"status": status, "finished_at": at} | words


def test_a_failed_try_stands_beside_the_next_that_passed_else_the_last_before() -> None:
    tries = [
        _tried("1", "failed", 0, head_sha="z"),
        _tried("2", "success", 0),
        _tried("3", "success", 5, run_number=None),
        _tried("4", "failed", 5, run_attempt=2),
        _tried("5", "success", 9),
        _tried("6", "failed", 10, attempt_id="a5"),
        _tried("7", "failed", 10),
        _tried("8", "failed", 1, head_sha="b"),
        _tried("9", "success", 2, head_sha="b"),
    ]
    tries += [
        _tried("10", "failed", 20, head_sha="c", attempt_id="same"),
        _tried("11", "success", 21, head_sha="c", attempt_id="same"),
        _tried("12", "failed", 22, head_sha="c"),
    ]
    found = flaky.pairs(pd.DataFrame(tries))
    assert list(found.columns) == flaky.COLUMNS
    assert list(zip(found["failed_run"], found["passed_id"], found["passed_run"], strict=True)) == [
        ("#12, attempt 2", "k3", "r3"),
        ("#12", "k3", "r3"),
        ("#12", "k5", "#12"),
        ("#12", "k9", "#12"),
        ("#12", "k11", "#12"),
    ]
    assert list(found["failed_job"]) == ["j4", "j6", "j7", "j8", "j12"]
