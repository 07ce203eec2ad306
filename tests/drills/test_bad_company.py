"""What others do to the service: kill their connections, talk junk, be away, send a lot."""

from bench.drills import day, far_ends, junk, readers


def test_readers_killed_in_a_large_result_cost_neither_memory_nor_writes() -> None:
    assert readers.killed(4, runs=30).problems == ()


def test_junk_on_every_port_disturbs_nobody() -> None:
    assert junk.junk(20, runs=15).problems == ()


def test_dead_and_slow_receivers_disturb_no_webhook_and_hear_everything_once_afterwards() -> None:
    assert far_ends.dead_and_slow(30).problems == ()


def test_a_simulated_day_is_counted_as_it_was_sent() -> None:
    assert day.day(3).problems == ()
