"""Which alerts given thresholds would have raised over a given past."""

from datetime import datetime, timedelta
from typing import Any

import pandas as pd
import pytest

from core import alert_preview
from core.alert_preview import History, WouldBe, preview, read_history
from core.alerts import dedup_key
from core.errors import BadRequest
from core.past_pipeline import PastRun
from core.pipeline_rules import DAY, Rules, Thresholds, pipeline_key
from tests.builders import NOON

MINUTE, HOUR, INSTANT = timedelta(minutes=1), timedelta(hours=1), timedelta(microseconds=1)


def ran(name: str, begun: float, ended: float | None, status: str, **words: Any) -> PastRun:
    """Times in minutes after noon."""
    at = None if ended is None else NOON + ended * MINUTE
    usual: dict[str, Any] = {
        "id": name, "pipeline_id": "p1", "pipeline": "CI", "branch": "main", "on_default_branch": True,
        "status": status, "created_at": NOON + begun * MINUTE, "started_at": NOON + begun * MINUTE, "finished_at": at,
        "seconds": None if ended is None else (ended - begun) * 60,
    }  # fmt: skip
    return PastRun(**(usual | words))


def previewed(*runs: PastRun, rules: Rules | None = None, end: datetime = NOON + HOUR) -> list[WouldBe]:
    pipelines = {run.pipeline_id for run in runs}
    history = History(
        {name: [run for run in runs if run.pipeline_id == name] for name in pipelines},
        dict.fromkeys(pipelines, (NOON, NOON)),
    )
    return preview(history, rules or Rules(), NOON, end)


def test_a_failure_that_came_again_and_ended() -> None:
    found = previewed(ran("r1", 5, 10, "failed"), ran("r2", 15, 20, "failed"), ran("r3", 25, 30, "success"))
    assert found == [
        WouldBe(
            "p1", "CI", "pipeline_failure", "critical", "main", "CI failed on main", "r2", NOON + 10 * MINUTE,
            NOON + 20 * MINUTE, dedup_key("p1", "pipeline_failure", "main"), times=2,
            resolved_at=NOON + 30 * MINUTE, resolved_attempt_id="r3",
        )
    ]  # fmt: skip


def test_a_run_that_goes_on_is_slow_the_moment_after_its_limit() -> None:
    [found] = previewed(ran("r1", 0, None, "running"))
    limit = NOON + 10 * MINUTE + INSTANT
    assert found == WouldBe(
        "p1", "CI", "slow_build", "warning", None, "CI is slower than usual", "r1", limit, limit,
        pipeline_key("p1", "slow_build"),
    )  # fmt: skip
    own = Rules(Thresholds(), {"p1": Thresholds(slow_seconds=60)})
    assert previewed(ran("r1", 0, None, "running"), rules=own)[0].raised_at == NOON + MINUTE + INSTANT
    assert previewed(ran("r1", 0, 9, "success")) == []


def test_a_pipeline_goes_down_by_time_alone() -> None:
    rules = Rules(Thresholds(down_hours=0.5, slow_seconds=9e9, failure_rate=1))
    down, failed = previewed(ran("r1", 0, 5, "success"), ran("r2", 6, 7, "failed"), rules=rules)
    assert (down.type, down.raised_at, down.attempt_id) == ("pipeline_down", NOON + 35 * MINUTE + INSTANT, "r2")
    assert failed.type == "pipeline_failure"


def test_a_pipeline_that_never_succeeded_is_down_so_long_after_its_first_run() -> None:
    rules = Rules(Thresholds(down_hours=0.5, slow_seconds=9e9, failure_rate=1))
    found = preview(History({"p1": [ran("r1", 0, 20, "failed")]}, {"p1": (NOON, None)}), rules, NOON, NOON + HOUR)
    assert [(one.type, one.raised_at) for one in found] == [
        ("pipeline_down", NOON + 30 * MINUTE + INSTANT), ("pipeline_failure", NOON + 20 * MINUTE)
    ]  # fmt: skip


def test_a_success_before_the_history_counts_too() -> None:
    rules = Rules(Thresholds(down_hours=0.5, slow_seconds=9e9, failure_rate=1))
    known = History({"p1": [ran("r1", 0, 20, "failed")]}, {"p1": (NOON - 9 * HOUR, NOON)})
    assert [one.raised_at for one in preview(known, rules, NOON, NOON + HOUR)] == [
        NOON + 30 * MINUTE + INSTANT, NOON + 20 * MINUTE
    ]  # fmt: skip


def test_what_is_slow_is_told_by_the_runs_before() -> None:
    usual = [ran(f"u{number}", number, number + 20, "success") for number in range(3)]
    found = previewed(*usual, ran("r1", 30, None, "running"), end=NOON + 2 * HOUR)[0]
    assert (found.type, found.raised_at) == ("slow_build", NOON + 70 * MINUTE + INSTANT)


def test_a_failure_on_another_branch_is_information() -> None:
    [found] = previewed(ran("r1", 0, 5, "failed", branch="topic", on_default_branch=False))
    assert (found.severity, found.branch) == ("info", "topic")


def test_an_alert_of_a_branch_ends_after_a_week_without_a_failure_there() -> None:
    day, elsewhere = 24 * 60, {"branch": "topic", "on_default_branch": False}
    rules = Rules(Thresholds(failure_rate=1, slow_seconds=9e5, down_hours=9e5))
    runs = [ran(f"r{at}", at * day - 5, at * day, "failed", **elsewhere) for at in (1, 7, 15)]
    found = previewed(*runs, rules=rules, end=NOON + 30 * DAY)
    assert [(one.raised_at - NOON, one.times, one.resolved_at, one.resolved_attempt_id) for one in found] == [
        (15 * DAY, 1, NOON + 22 * DAY, None), (1 * DAY, 2, NOON + 14 * DAY, None)
    ]  # fmt: skip
    assert [one.resolved_at for one in previewed(runs[0], rules=rules, end=NOON + 8 * DAY - INSTANT)] == [None]
    again = ran("good", 2 * day, 2 * day + 5, "success", **elsewhere)
    assert previewed(runs[0], again, rules=rules, end=NOON + 30 * DAY)[0].resolved_attempt_id == "good"
    [on_main] = previewed(ran("r1", day - 5, day, "failed"), rules=rules, end=NOON + 30 * DAY)
    assert on_main.resolved_at is None


def test_what_happens_on_other_branches_keeps_no_alert_of_a_quiet_branch() -> None:
    rules = Rules(Thresholds(failure_rate=1, slow_seconds=9e5, down_hours=9e5))
    failed = ran("r1", 5, 10, "failed", branch="topic", on_default_branch=False)
    runs = (failed, *(ran(f"m{day}", day * 24 * 60, day * 24 * 60 + 5, "success") for day in range(1, 12)))
    [found] = previewed(*runs, rules=rules, end=NOON + 12 * DAY)
    assert found.resolved_at == NOON + 7 * DAY + 10 * MINUTE


def test_an_alert_of_a_pipeline_ends_after_a_week_without_any_run() -> None:
    rules = Rules(Thresholds(failure_rate=1, slow_seconds=60, down_hours=9e5))
    slow, end = ran("slow", 0, 5, "success"), NOON + 30 * DAY

    def ended(*others: PastRun) -> list[tuple[int, datetime | None]]:
        return [(one.times, one.resolved_at) for one in previewed(slow, *others, rules=rules, end=end)]

    assert ended() == [(1, NOON + 5 * MINUTE + 7 * DAY)]
    day = 24 * 60
    assert ended(ran("again", day - 10, day - 5, "success")) == [(2, NOON + 8 * DAY - 5 * MINUTE)]
    # Cancelled or only begun, a run is a sign of life, though it ends no alert.
    assert ended(ran("r2", 4 * day, 4 * day + 1, "cancelled")) == [(1, NOON + 11 * DAY + MINUTE)]
    later = (ran("r2", 6 * day, 6 * day, "cancelled"), ran("r3", 12 * day, 12 * day, "cancelled"))
    assert ended(*later) == [(1, NOON + 19 * DAY)]
    [broken] = previewed(ran("r1", 0, 0.5, "failed"), rules=rules, end=end)
    assert (broken.type, broken.resolved_at) == ("pipeline_failure", None)


def test_a_run_that_goes_on_is_slow_by_what_is_usual_meanwhile() -> None:
    """One run of 40 minutes, then quick ones: with the 18th of them the limit falls from 13.7 minutes to 10."""
    quick = [ran(f"q{at}", 109 + at / 20, 109 + (at + 1) / 20, "success", seconds=60.0) for at in range(2, 20)]
    found = previewed(ran("long", 0, 40, "success"), ran("on", 100, None, "running"), *quick, end=NOON + 3 * HOUR)
    on = next(one for one in found if one.attempt_id == "on")
    assert on.raised_at == NOON + 110 * MINUTE + INSTANT


def test_a_rate_rises_when_a_success_leaves_the_day() -> None:
    rules = Rules(Thresholds(failure_rate=0.6, failure_rate_min_runs=1, down_hours=999))
    runs = (ran("r1", 0, 1, "success"), ran("r2", 59, 60, "failed"))
    found = previewed(*runs, rules=rules, end=NOON + 24 * HOUR + MINUTE)
    assert (found[0].type, found[0].raised_at) == ("high_failure_rate", NOON + 24 * HOUR + MINUTE)


def test_the_newest_is_first_and_what_came_outside_the_window_is_left_out() -> None:
    first, second = ran("r1", 5, 10, "failed"), ran("r2", 5, 20, "failed", pipeline_id="p2")
    rules = Rules(Thresholds(slow_seconds=9e9))
    assert [one.pipeline_id for one in previewed(first, second, rules=rules)] == ["p2", "p1"]
    assert [one.pipeline_id for one in previewed(first, second, rules=rules, end=NOON + 19 * MINUTE)] == ["p1"]
    assert [one.pipeline_id for one in previewed(first, rules=rules, end=NOON + 10 * MINUTE)] == ["p1"]
    late = History({"p1": [first]}, {"p1": (NOON, NOON)})
    assert preview(late, rules, NOON + 11 * MINUTE, NOON + HOUR) == []
    assert len(preview(late, rules, NOON + 10 * MINUTE, NOON + HOUR)) == 1


def test_an_attempt_counts_until_the_next_one_of_its_run_begins() -> None:
    """Two failures of two: with the second try of each gone well, none of two."""
    rules = Rules(Thresholds(failure_rate=0.1, failure_rate_min_runs=1, slow_seconds=9e9))
    failed = ran("r1", 0, 1, "failed", replaced_at=NOON + 2 * MINUTE)
    passed = ran("r1-2", 2, 3, "success")
    [rate] = [one for one in previewed(failed, passed, rules=rules) if one.type == "high_failure_rate"]
    assert (rate.raised_at, rate.resolved_at, rate.resolved_attempt_id) == (NOON + MINUTE, NOON + 3 * MINUTE, "r1-2")


def _frames(count: int) -> Any:
    def read(query: str, **parameters: Any) -> pd.DataFrame:
        assert (parameters["pipeline_id"], parameters["since"]) == ("p1", NOON - timedelta(days=37))
        at = pd.Timestamp(NOON)
        if query == "preview_starts":
            return pd.DataFrame(
                {"pipeline_id": ["p1", "p2"], "first_run_at": [at, at], "last_success_at": [pd.NaT, at]}
            )
        assert (query, parameters["limit"]) == ("preview_runs", alert_preview.MOST_RUNS + 1)
        attempts = [
            {"run_key": f"k{number // 2}", "run_attempt": 2 - number % 2, "id": f"a{number}", "pipeline_id": "p1",
             "pipeline": "CI", "branch": "main", "on_default_branch": 1, "status": "failed", "created_at": at,
             "started_at": at + pd.Timedelta(minutes=number) if number else pd.NaT,
             "finished_at": at + pd.Timedelta(minutes=9) if number == 3 else pd.NaT,
             "seconds": float("nan") if number else 7}
            for number in range(count)
        ]  # fmt: skip
        return pd.DataFrame(attempts)

    return read


def test_what_is_read_becomes_attempts_in_order_each_until_the_next() -> None:
    found = read_history(_frames(4), "p1", days=7, now=NOON)
    assert found.starts == {"p1": (NOON, None), "p2": (NOON, NOON)}
    assert found.runs["p1"] == [
        ran("a1", 1, None, "failed", created_at=NOON, replaced_at=NOON),
        ran("a0", 0, None, "failed", started_at=None, seconds=7.0),
        ran("a3", 3, 9, "failed", created_at=NOON, replaced_at=NOON + 2 * MINUTE, seconds=None),
        ran("a2", 2, None, "failed", created_at=NOON),
    ]


def test_too_many_runs_are_refused_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alert_preview, "MOST_RUNS", 1_000)
    read_history(_frames(1_000), "p1", days=7, now=NOON)
    with pytest.raises(BadRequest) as caught:
        read_history(_frames(1_001), "p1", days=7, now=NOON)
    assert str(caught.value) == "These are more than 1,000 runs. Choose one pipeline or fewer days."
