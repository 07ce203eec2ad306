"""When a silence is in force, and what it covers."""

from datetime import UTC, datetime, timedelta

import pytest

from core.errors import BadRequest
from core.silences import Silence, check_window, zone_named
from tests.builders import NOON

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FACTS = {"pipeline_id": "p1", "repository": "acme/web", "branch": "release-2", "type": "slow_build"}


def silence(**changes: object) -> Silence:
    return Silence(**({"id": "s", "starts_at": NOON, "ends_at": NOON + HOUR} | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("after", "holds"),
    [(timedelta(microseconds=-1), False), (timedelta(), True), (HOUR / 2, True), (HOUR, False), (DAY, False)],
)
def test_one_time(after: timedelta, holds: bool) -> None:
    assert silence().is_in_force(NOON + after) is holds


@pytest.mark.parametrize("days", [0, 1, 30, 400])
def test_each_day(days: int) -> None:
    daily = silence(repeats="daily")
    assert daily.is_in_force(NOON + days * DAY + HOUR / 2)
    assert not daily.is_in_force(NOON + days * DAY + 2 * HOUR)
    assert not daily.is_in_force(NOON - DAY + HOUR / 2), "it has not begun"


def test_each_week_across_midnight() -> None:
    night = silence(starts_at=NOON + 10 * HOUR, ends_at=NOON + 20 * HOUR, repeats="weekly")
    assert night.is_in_force(NOON + 7 * DAY + 19 * HOUR)
    assert not night.is_in_force(NOON + 6 * DAY + 19 * HOUR)


def test_a_window_keeps_its_hour_when_the_clocks_change() -> None:
    """Two in the morning in Madrid is one o'clock UTC in winter and midnight UTC in summer."""
    winter = datetime(2026, 3, 1, 1, 0, tzinfo=UTC)
    night = silence(starts_at=winter, ends_at=winter + HOUR, repeats="daily", zone="Europe/Madrid")
    assert night.is_in_force(datetime(2026, 3, 20, 1, 30, tzinfo=UTC))
    assert not night.is_in_force(datetime(2026, 4, 20, 1, 30, tzinfo=UTC))
    assert night.is_in_force(datetime(2026, 4, 20, 0, 30, tzinfo=UTC))
    assert night.next_window(datetime(2026, 4, 20, 12, tzinfo=UTC)) == (
        datetime(2026, 4, 21, 0, tzinfo=UTC), datetime(2026, 4, 21, 1, tzinfo=UTC)
    )  # fmt: skip


def test_the_next_window_of_one_that_is_over_is_none() -> None:
    assert silence().next_window(NOON + DAY) is None
    assert silence().next_window(NOON + HOUR) is None, "its end is no longer a part of it"
    assert silence().next_window(NOON - DAY) == (NOON, NOON + HOUR)


@pytest.mark.usefixtures("in_tokyo")
def test_windows_are_in_utc_wherever_the_service_runs() -> None:
    """Noon UTC is five in the morning in Los Angeles; in Tokyo it's the next day from three in the afternoon UTC on."""
    early = silence(repeats="daily", zone="America/Los_Angeles")
    window = early.next_window(NOON + 5 * DAY - 2 * HOUR)
    assert window == (NOON + 5 * DAY, NOON + 5 * DAY + HOUR)
    assert {moment.tzinfo for moment in window} == {UTC}


def test_the_day_is_that_of_the_zone() -> None:
    """At noon UTC it is one in the morning of the next day in Auckland."""
    night = silence(repeats="daily", zone="Pacific/Auckland")
    assert night.next_window(NOON + 30 * DAY - 10 * HOUR) == (NOON + 30 * DAY, NOON + 30 * DAY + HOUR)
    assert night.next_window(NOON + 30 * DAY + 2 * HOUR) == (NOON + 31 * DAY, NOON + 31 * DAY + HOUR)


@pytest.mark.parametrize(
    ("matchers", "covers"),
    [
        ({}, True),
        ({"repository": "acme/*"}, True),
        ({"repository": "acme/web", "branch": "release-*"}, True),
        ({"repository": "other/*"}, False),
        ({"type": "pipeline_down"}, False),
        ({"pipeline_id": "p2"}, False),
        ({"repository": "acme/*", "type": "slow_build", "pipeline_id": "p1"}, True),
    ],
)
def test_all_matchers_must_fit(matchers: dict[str, str], covers: bool) -> None:
    assert silence(**matchers).covers(FACTS, NOON) is covers


def test_a_branch_with_the_signs_of_a_pattern_is_meant_as_it_is() -> None:
    assert silence(branch="fix-[x]").covers(FACTS | {"branch": "fix-[x]"}, NOON)


@pytest.mark.parametrize(
    ("starts", "ends", "repeats", "words"),
    [
        (HOUR, HOUR, None, "^ends_at must lie after starts_at and in the future.$"),
        (2 * HOUR, HOUR, None, "^ends_at must"),
        (-2 * HOUR, -HOUR, None, "^ends_at must"),
        (-HOUR, timedelta(), None, "^ends_at must"),
        (HOUR, HOUR + DAY, "daily", "^A window that repeats daily must be shorter than its period.$"),
        (HOUR, HOUR + 7 * DAY, "weekly", "^A window that repeats weekly"),
    ],
)
def test_an_impossible_window_is_refused(starts: timedelta, ends: timedelta, repeats: str | None, words: str) -> None:
    with pytest.raises(BadRequest, match=words):
        check_window(NOON + starts, NOON + ends, repeats, NOON)


def test_a_repeating_window_may_have_begun_long_ago() -> None:
    check_window(NOON - 30 * DAY, NOON - 30 * DAY + HOUR, "daily", NOON)


def test_an_unknown_time_zone_is_refused() -> None:
    with pytest.raises(BadRequest, match=r"^'Mars/Phobos' is no time zone\. Use a name such as Europe/Madrid\.$"):
        zone_named("Mars/Phobos")
