"""A clock that jumps while the service runs."""

from bench.drills import clock


def test_a_clock_that_jumps_loses_nothing_repeats_nothing_and_holds_up_nothing() -> None:
    assert clock.jumps(16).problems == ()
