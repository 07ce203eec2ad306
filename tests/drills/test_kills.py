"""Processes that are killed at random moments under load."""

from bench.drills import kills


def test_kills_on_a_file_lose_and_double_nothing() -> None:
    assert kills.on_a_file(4).problems == ()


def test_kills_on_postgres_lose_nothing_and_send_nothing_twice_without_its_id() -> None:
    assert kills.on_postgres(3).problems == ()
