"""Which jobs a run's length hangs on, from their times alone."""

from datetime import UTC, datetime, timedelta

from core.critical_path import JobSpan, critical_path

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def job(name: str, created: float | None, started: float, finished: float) -> JobSpan:
    """Times in seconds after noon."""
    at = [None if seconds is None else NOON + timedelta(seconds=seconds) for seconds in (created, started, finished)]
    assert at[1]
    assert at[2]
    return JobSpan(name, at[0], at[1], at[2])


def test_a_run_without_jobs_has_none() -> None:
    assert critical_path([]) == []


def test_the_chain_goes_back_from_the_job_that_finished_last() -> None:
    jobs = [
        job("build", 0, 5, 100), job("lint", 0, 5, 30), job("unit", 100, 104, 200), job("slow", 100, 104, 300),
        job("deploy", 301, 310, 400),
    ]  # fmt: skip
    assert critical_path(jobs) == ["build", "slow", "deploy"]


def test_a_job_that_only_waited_for_a_runner_depends_on_nothing() -> None:
    jobs = [job("quick", 0, 1, 50), job("queued", 0, 52, 300), job("report", 300, 301, 310)]
    assert critical_path(jobs) == ["queued", "report"]


def test_where_all_jobs_are_created_with_the_run_their_starts_tell_the_chain() -> None:
    jobs = [job("compile", 0, 1, 60), job("test", 0, 61, 200), job("lint", 1, 2, 20)]
    assert critical_path(jobs) == ["compile", "test"]


def test_unknown_creations_and_jobs_of_no_length_end_the_search_too() -> None:
    jobs = [job("a", None, 0, 0), job("b", None, 0, 0), job("c", None, 0, 10)]
    assert critical_path(jobs)[-1] == "c"
    assert len(critical_path(jobs)) == 3


def test_an_end_within_a_second_after_the_next_start_is_before_it() -> None:
    """Clocks round: a job that needs another may start up to a second before its end."""
    assert critical_path([job("a", 0, 0, 61), job("b", 0, 60, 100)]) == ["a", "b"]
    assert critical_path([job("a", 0, 0, 61.001), job("b", 0, 60, 100)]) == ["b"]


def test_jobs_created_within_five_seconds_were_created_with_the_run() -> None:
    assert critical_path([job("a", 0, 0, 3), job("b", 5, 50, 100)]) == ["a", "b"]
    assert critical_path([job("a", 0, 0, 30), job("b", 5, 50, 100)]) == ["a", "b"]
    assert critical_path([job("a", 0, 0, 30), job("b", 5.001, 50, 100)]) == ["b"]
