"""The rules about a whole pipeline, at their boundaries."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from core.alerts import Cause, Dismissal, Finding, OpenAlert, Raise, Repeat, Resolve, without_dismissed
from core.errors import BadRequest
from core.pipeline_rules import PipelineHealth, Rules, Thresholds, decide, findings, pipeline_key
from tests.builders import NOON

HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)


def run(ago: timedelta = HOUR, *, name: str = "r1", seconds: float | None = 60) -> dict[str, Any]:
    return {"at": NOON - ago, "id": name, "seconds": seconds}


def health(**changes: Any) -> PipelineHealth:
    """A pipeline that is well, with `changes`."""
    well: dict[str, Any] = {
        "pipeline_id": "p1",
        "pipeline": "CI",
        "finished_24h": 10,
        "failed_24h": 0,
        "last_success_at": NOON - HOUR,
        "first_run_at": NOON - timedelta(days=90),
        "p95_seconds": 100.0,
        "newest": run(),
        "longest_running": None,
        "last_failure": None,
    }
    return PipelineHealth(**(well | changes))


def types(of: PipelineHealth, thresholds: Thresholds | None = None, now: datetime = NOON) -> list[str]:
    return [finding.type for finding in findings(of, thresholds or Thresholds(), now)]


def test_a_pipeline_that_is_well_has_no_findings() -> None:
    assert types(health()) == []


@pytest.mark.parametrize(
    ("failed", "finished", "fires"),
    [(1, 5, False), (2, 5, True), (2, 10, False), (3, 10, True), (4, 4, False), (5, 5, True), (201, 1000, True)],
)
def test_more_than_a_fifth_of_at_least_five_runs(failed: int, finished: int, fires: bool) -> None:
    found = types(health(finished_24h=finished, failed_24h=failed, last_failure=run()))
    assert found == (["high_failure_rate"] if fires else [])


@pytest.mark.parametrize(("ago", "fires"), [(24 * HOUR, False), (24 * HOUR + SECOND, True), (23 * HOUR, False)])
def test_a_pipeline_is_down_when_its_last_success_is_more_than_a_day_old(ago: timedelta, fires: bool) -> None:
    found = types(health(last_success_at=NOON - ago, finished_24h=1, failed_24h=1, last_failure=run()))
    assert found == (["pipeline_down"] if fires else [])


def test_a_quiet_weekend_is_not_down() -> None:
    """Nothing finished within a day: nobody knows that it is broken."""
    monday = NOON + 3 * 24 * HOUR
    assert types(health(finished_24h=0, newest=run(3 * 24 * HOUR)), now=monday) == []


def test_a_pipeline_that_never_succeeded_is_down_a_day_after_its_first_run() -> None:
    never: dict[str, Any] = {"last_success_at": None, "finished_24h": 2, "failed_24h": 2, "last_failure": run()}
    assert types(health(**never, first_run_at=NOON - HOUR)) == []
    assert types(health(**never, first_run_at=NOON - 24 * HOUR)) == []
    assert types(health(**never, first_run_at=NOON - 24 * HOUR - SECOND)) == ["pipeline_down"]


def test_only_cancelled_runs_say_nothing() -> None:
    """They finish neither well nor badly: the counts are of successes and failures."""
    assert types(health(finished_24h=0, last_success_at=NOON - 72 * HOUR, newest=None)) == []


@pytest.mark.parametrize(
    ("seconds", "p95", "fires"),
    [(600, 10, False), (601, 10, True), (600, None, False), (601, None, True), (800, 400, False), (801, 400, True)],
)
def test_a_finished_run_is_slow_above_the_larger_of_ten_minutes_and_twice_the_p95(
    seconds: float | None, p95: float | None, fires: bool
) -> None:
    assert types(health(newest=run(seconds=seconds), p95_seconds=p95)) == (["slow_build"] if fires else [])


@pytest.mark.parametrize(("ago", "fires"), [(600 * SECOND, False), (601 * SECOND, True), (-HOUR, False)])
def test_a_running_run_is_slow_by_its_time_so_far(ago: timedelta, fires: bool) -> None:
    """A start in the future (a CI system whose clock is ahead) is no long run."""
    assert types(health(longest_running=run(ago))) == (["slow_build"] if fires else [])


@pytest.mark.parametrize(("least", "finished", "fires"), [(0, 1, True), (1, 1, True), (0, 0, False), (2, 1, False)])
def test_how_few_runs_say_enough_is_a_setting(least: int, finished: int, fires: bool) -> None:
    found = types(
        health(finished_24h=finished, failed_24h=finished, last_failure=run()), Thresholds(failure_rate_min_runs=least)
    )
    assert found == (["high_failure_rate"] if fires else [])


def test_a_run_without_a_duration_is_not_slow() -> None:
    unknown = health(newest=run(seconds=None))
    assert types(unknown, Thresholds(slow_seconds=0)) == []
    [over] = decide([unknown], [open_alert("slow_build")], Rules(Thresholds(slow_seconds=0)), NOON)
    assert isinstance(over, Resolve)


def found_in(of: PipelineHealth) -> Finding:
    [finding] = findings(of, Thresholds(), NOON)
    return finding


def test_findings_say_what_is_wrong_since_when_and_by_which_run() -> None:
    def expected(kind: str, severity: Any, message: str, by: str | None, at: datetime, shown_at: datetime) -> Finding:
        return Finding(Cause("p1", None, by, at), kind, severity, message, pipeline_key("p1", kind), shown_at)

    an_hour_ago, two_hours_ago = NOON - HOUR, NOON - 2 * HOUR
    slow = "CI is slower than usual"
    assert found_in(health(newest=run(seconds=9000))) == expected(
        "slow_build", "warning", slow, "r1", an_hour_ago, an_hour_ago
    )
    assert found_in(health(longest_running=run(2 * HOUR, name="r2"))) == expected(
        "slow_build", "warning", slow, "r2", NOON, two_hours_ago
    )
    down = health(last_success_at=NOON - 25 * HOUR, last_failure=run(2 * HOUR, name="r2"))
    never_well = "CI has had no success for more than 24 hours"
    assert found_in(down) == expected("pipeline_down", "critical", never_well, "r2", NOON, two_hours_ago)
    without_failure = health(last_success_at=NOON - 25 * HOUR)
    assert found_in(without_failure) == expected("pipeline_down", "critical", never_well, "r1", NOON, an_hour_ago)
    often = health(failed_24h=5, last_failure=run(2 * HOUR, name="r2"))
    words = "CI fails too often"
    assert found_in(often) == expected("high_failure_rate", "warning", words, "r2", NOON, two_hours_ago)
    assert found_in(health(failed_24h=5)) == expected("high_failure_rate", "warning", words, None, NOON, NOON)


def test_the_key_of_an_alert_never_changes() -> None:
    """Alerts that are open keep their keys in the database: another key would raise them again."""
    assert pipeline_key("p1", "slow_build") == "p1:slow_build:3f43bc004aaa125a"
    assert pipeline_key("p2", "pipeline_down") == "p2:pipeline_down:fc4050b23b10bf6c"


def test_every_pipeline_is_judged_by_its_own_thresholds() -> None:
    rules = Rules(pipelines={"p2": Thresholds(slow_seconds=30)})
    sick = {"newest": run(seconds=9000)}
    raised = decide([health(**sick), health(pipeline_id="p2"), health(pipeline_id="p3", **sick)], [], rules, NOON)
    assert [one.finding.cause.pipeline_id for one in raised if isinstance(one, Raise)] == ["p1", "p2", "p3"]


def test_a_slow_run_of_a_day_ago_is_news() -> None:
    assert types(health(newest=run(24 * HOUR, seconds=9000))) == ["slow_build"]


def test_a_slow_run_of_last_week_is_no_news() -> None:
    assert types(health(newest=run(25 * HOUR, seconds=9000))) == []


def test_an_hour_that_the_clocks_skip_is_no_hour() -> None:
    """24 h are 24 h: on the day of the change, noon to noon in Madrid is 23."""
    madrid = ZoneInfo("Europe/Madrid")
    now = datetime(2026, 3, 29, 12, tzinfo=madrid)
    day_before = datetime(2026, 3, 28, 12, tzinfo=madrid)
    down: dict[str, Any] = {"finished_24h": 1, "failed_24h": 1, "last_failure": run()}
    assert (
        types(
            health(**down, last_success_at=day_before.astimezone(ZoneInfo("UTC"))), now=now.astimezone(ZoneInfo("UTC"))
        )
        == []
    )


def test_thresholds_of_a_pipeline_are_stronger_than_those_of_all() -> None:
    rules = Rules.read(
        {"default": {"failure_rate": 0.5, "slow_seconds": 30}, "pipelines": {"p1": {"failure_rate": 0.9}}}
    )
    assert rules.of("p1") == Thresholds(slow_seconds=30, failure_rate=0.9)
    assert rules.of("p2").failure_rate == 0.5
    assert types(health(), rules.of("p1")) == ["slow_build"]


def test_thresholds_may_lie_at_their_bounds() -> None:
    """None gives a pipeline back what is usual for it where all pipelines have a number of seconds."""
    rules = Rules.read({"default": {"slow_seconds": 30, "failure_rate": 1, "down_hours": 0}, "pipelines": {"p1": {}}})
    assert rules.of("p1") == Thresholds(slow_seconds=30, failure_rate=1, down_hours=0)
    own = Rules.read({"default": {"slow_seconds": 30}, "pipelines": {"p1": {"slow_seconds": None}}})
    assert own.of("p1").slow_after(400) == 800


@pytest.mark.parametrize(
    ("stored", "words"),
    [
        (
            {"default": {"slow": 1}},
            "default.slow is no threshold. Known: slow_seconds, down_hours, failure_rate, failure_rate_min_runs.",
        ),
        (
            {"pipelines": {"p1": {"failure_rate": 1.5}}},
            "pipelines.p1.failure_rate is a fraction: 0.2 means 20 %.",
        ),
        ({"default": {"down_hours": -1}}, "default.down_hours must be a number of at least 0."),
        ({"default": {"down_hours": True}}, "default.down_hours must be a number of at least 0."),
        ({"default": {"failure_rate": None}}, "default.failure_rate must be a number of at least 0."),
    ],
)
def test_a_wrong_threshold_is_named(stored: dict[str, Any], words: str) -> None:
    with pytest.raises(BadRequest) as caught:
        Rules.read(stored)
    assert str(caught.value) == words


def test_one_alert_for_as_long_as_it_lasts() -> None:
    slow = health(newest=run(seconds=9000))
    [raised] = decide([slow], [], Rules(), NOON)
    assert isinstance(raised, Raise)
    alert = OpenAlert("a1", raised.finding.dedup_key, "r1", NOON)
    assert decide([slow], [alert], Rules(), NOON) == []
    [repeated] = decide([health(newest=run(name="r2", seconds=9000))], [alert], Rules(), NOON)
    assert repeated == Repeat("a1", Cause("p1", None, "r2", NOON - HOUR), times=1)
    [resolved] = decide([health(newest=run(name="r3"))], [alert], Rules(), NOON)
    assert resolved == Resolve("a1", Cause("p1", None, "r3", NOON))


def test_a_new_threshold_or_name_is_no_new_alert() -> None:
    down = health(last_success_at=NOON - 90 * HOUR, finished_24h=1, failed_24h=1, last_failure=run())
    [raised] = decide([down], [], Rules(), NOON)
    assert isinstance(raised, Raise)
    alert = OpenAlert("a1", raised.finding.dedup_key, "r1", NOON)
    renamed = health(
        pipeline="Build", last_success_at=NOON - 90 * HOUR, finished_24h=1, failed_24h=1, last_failure=run()
    )
    assert decide([renamed], [alert], Rules(Thresholds(down_hours=48)), NOON) == []


def test_what_a_person_ended_comes_back_when_it_fails_again_and_not_before() -> None:
    def failing(last_failure: dict[str, Any]) -> PipelineHealth:
        return health(failed_24h=5, last_failure=last_failure)

    [raised] = decide([failing(run(2 * HOUR))], [], Rules(), NOON)
    assert isinstance(raised, Raise)
    ended = {raised.finding.dedup_key: Dismissal(NOON - HOUR, "r1")}
    assert without_dismissed([raised], ended) == []
    again = decide([failing(run(HOUR / 2, name="r2"))], [], Rules(), NOON)
    assert without_dismissed(again, ended) == again
    ahead = decide([failing(run(-HOUR))], [], Rules(), NOON)
    assert without_dismissed(ahead, ended) == [], "the same run, whose CI system's clock is ahead"


def open_alert(kind: str) -> OpenAlert:
    return OpenAlert("a1", pipeline_key("p1", kind), "r1", NOON)


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("pipeline_down", {"finished_24h": 0, "last_success_at": NOON - 72 * HOUR, "newest": run(60 * HOUR)}),
        ("high_failure_rate", {"finished_24h": 0, "newest": run(60 * HOUR)}),
        ("high_failure_rate", {"finished_24h": 2, "failed_24h": 2}),
        ("slow_build", {"newest": run(60 * HOUR, seconds=9000)}),
    ],
)
def test_a_quiet_weekend_ends_no_alert(kind: str, changes: dict[str, Any]) -> None:
    """Nothing ran, so nothing shows that the cause is gone."""
    assert decide([health(**changes)], [open_alert(kind)], Rules(), NOON) == []


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("pipeline_down", {}),
        ("pipeline_down", {"finished_24h": 3, "failed_24h": 2}),
        ("high_failure_rate", {"finished_24h": 1, "failed_24h": 0}),
        ("slow_build", {"newest": run(seconds=800), "p95_seconds": 400.0}),
        ("high_failure_rate", {"finished_24h": 3, "failed_24h": 0}),
        ("high_failure_rate", {"finished_24h": 10, "failed_24h": 2}),
        ("slow_build", {"newest": run(seconds=600)}),
        ("slow_build", {"newest": None}),
    ],
)
def test_an_alert_ends_when_a_run_shows_that_its_cause_is_gone(kind: str, changes: dict[str, Any]) -> None:
    [decision] = decide([health(**changes)], [open_alert(kind)], Rules(), NOON)
    assert isinstance(decision, Resolve)
