from dataclasses import replace
from datetime import timedelta

import pytest

from core.alerts import (
    BranchState,
    Cause,
    Dismissal,
    Finding,
    OpenAlert,
    Raise,
    Repeat,
    Resolve,
    branch_key,
    dedup_key,
    pipeline_failures,
    without_dismissed,
)
from tests.builders import NOON

MINUTE = timedelta(minutes=1)


def state(status: str = "failed", *, attempt: str = "r1", minutes: float = 0, default: bool = True) -> BranchState:
    return BranchState(
        "p1", "CI", "main" if default else "topic", default, attempt, status, NOON + timedelta(minutes=minutes)
    )


def cause(of: BranchState) -> Cause:
    return Cause(of.pipeline_id, of.branch, of.attempt_id, of.finished_at)


def open_alert(of: BranchState) -> OpenAlert:
    return OpenAlert("a1", branch_key(of), of.attempt_id, of.finished_at)


def test_a_failure_on_the_default_branch_is_critical() -> None:
    [decision] = pipeline_failures([state()], [], NOON)
    assert isinstance(decision, Raise)
    assert (decision.finding.severity, decision.finding.message) == ("critical", "CI failed on main")


def test_a_failure_elsewhere_is_information() -> None:
    [decision] = pipeline_failures([state(default=False)], [], NOON)
    assert isinstance(decision, Raise)
    assert decision.finding.severity == "info"


def test_an_old_failure_elsewhere_is_no_news() -> None:
    assert pipeline_failures([state(default=False)], [], NOON + timedelta(days=8)) == []


def test_an_old_failure_on_the_default_branch_still_is() -> None:
    assert len(pipeline_failures([state()], [], NOON + timedelta(days=80))) == 1


def test_a_second_failure_repeats_the_open_alert() -> None:
    later = state(attempt="r2", minutes=5)
    assert pipeline_failures([later], [open_alert(state())], NOON) == [Repeat("a1", cause(later), times=1)]


def test_the_same_failure_seen_again_changes_nothing() -> None:
    assert pipeline_failures([state()], [open_alert(state())], NOON) == []


def test_the_next_success_resolves() -> None:
    green = state("success", attempt="r2", minutes=5)
    assert pipeline_failures([green], [open_alert(state())], NOON) == [Resolve("a1", cause(green))]


def test_a_success_without_an_alert_is_silent() -> None:
    assert pipeline_failures([state("success")], [], NOON) == []


def test_branches_have_alerts_of_their_own() -> None:
    assert branch_key(state()) != branch_key(state(default=False))
    green_topic = state("success", attempt="r2", minutes=5, default=False)
    assert pipeline_failures([green_topic], [open_alert(state())], NOON) == []


def test_an_alert_says_what_it_rests_on() -> None:
    red = state()
    finding = Finding(cause(red), "pipeline_failure", "critical", "CI failed on main", branch_key(red), NOON)
    assert pipeline_failures([red], [], NOON) == [Raise(finding, since=NOON, times=1)]


def test_the_key_of_an_alert_never_changes() -> None:
    """Alerts that are open keep their keys in the database: another key would raise them again."""
    assert branch_key(state()) == "p1:pipeline_failure:026e63cb9e60d1ef"
    assert branch_key(replace(state(), pipeline_id="p2")) == "p2:pipeline_failure:026e63cb9e60d1ef"


def test_a_branch_of_any_characters_has_a_key() -> None:
    """A name in another encoding than UTF-8 reaches us with surrogates."""
    assert dedup_key("p1", "pipeline_failure", "caf\udce9") != dedup_key("p1", "pipeline_failure", "caf")


@pytest.mark.parametrize(
    ("success", "moment", "failed", "counted"),
    [
        (None, None, [1, 2, 3], [1, 2, 3]),
        (1, None, [1, 2, 3], [2, 3]),
        (None, 2, [1, 2, 3], [3]),
        (1, 2, [1, 2, 3], [3]),
        (2, 1, [1, 2, 3], [3]),
        (9, None, [1, 2], [5]),
    ],
)
def test_failures_count_after_the_last_success_and_the_last_time_seen(
    success: int | None, moment: int | None, failed: list[int], counted: list[int]
) -> None:
    """In minutes. The newest, of minute 5, counts in any case: it is what the decision is about."""
    last = None if success is None else NOON + success * MINUTE
    red = replace(state(minutes=5), last_success_at=last, failures=[NOON + at * MINUTE for at in failed])
    after = None if moment is None else NOON + moment * MINUTE
    assert red.failures_after(after) == [NOON + at * MINUTE for at in counted]


def test_a_late_alert_counts_the_failures_before_it() -> None:
    red = replace(state(minutes=5), failures=[NOON + 5 * MINUTE, NOON + 2 * MINUTE])
    [raised] = pipeline_failures([red], [], NOON)
    assert isinstance(raised, Raise)
    assert (raised.since, raised.times) == (NOON + 2 * MINUTE, 2)
    [again] = pipeline_failures([replace(red, attempt_id="r2")], [replace(open_alert(state()), seen_at=NOON)], NOON)
    assert again == Repeat("a1", cause(replace(red, attempt_id="r2")), times=2)


def test_an_end_at_the_moment_of_the_last_one_counts() -> None:
    """Finishes have whole seconds: two attempts may end in the same."""
    green, red = state("success", attempt="r2"), state(attempt="r2")
    assert pipeline_failures([green], [open_alert(state())], NOON) == [Resolve("a1", cause(green))]
    assert pipeline_failures([red], [open_alert(state())], NOON) == [Repeat("a1", cause(red), times=1)]


def test_an_end_before_the_last_one_changes_nothing() -> None:
    late = open_alert(state(minutes=1))
    assert pipeline_failures([state("success", attempt="r0"), state(attempt="r0")], [late], NOON) == []


def test_a_branch_is_quiet_after_more_than_a_week() -> None:
    assert len(pipeline_failures([state(default=False)], [], NOON + timedelta(days=7))) == 1
    assert pipeline_failures([state(default=False)], [], NOON + timedelta(days=7, seconds=1)) == []


def test_what_a_person_ended_begins_anew_with_the_next_failure() -> None:
    red = replace(state(attempt="r2", minutes=5), failures=[NOON, NOON + 5 * MINUTE])
    raised = pipeline_failures([red], [], NOON)
    [anew] = without_dismissed(raised, {branch_key(red): Dismissal(NOON + MINUTE, "r1")})
    assert isinstance(anew, Raise)
    assert (anew.since, anew.times) == (NOON + 5 * MINUTE, 1)
    assert without_dismissed(raised, {branch_key(red): Dismissal(NOON + 5 * MINUTE, "r1")}) == []
    assert without_dismissed(raised, {"another": Dismissal(NOON + 9 * MINUTE, "r1")}) == raised


def test_a_dismissal_ends_no_end() -> None:
    over = Resolve("a1", cause(state()))
    assert without_dismissed([over], {branch_key(state()): Dismissal(NOON, "r1")}) == [over]
