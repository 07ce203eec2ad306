from datetime import timedelta

from core.alerts import BranchState, Cause, OpenAlert, Raise, Repeat, Resolve, branch_key, pipeline_failures
from tests.builders import NOON


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
