"""The versions that order all that was ever said about a thing."""

from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from typing import Any

import pytest

from core.model import Changes, Step, version_of
from tests.builders import NOON


def test_a_version_orders_by_state_then_progress_then_time_then_content() -> None:
    later = NOON + timedelta(microseconds=1)
    ascending = [
        version_of(None, NOON),
        version_of("queued", later),
        version_of("queued", NOON, progress=1),
        version_of("running", NOON - timedelta(days=9)),
        version_of("running", NOON),
        version_of("running", NOON, progress=9),
        version_of("running", NOON - timedelta(days=9), progress=10),
        version_of("success", NOON - timedelta(days=90)),
        version_of("failed", later),
    ]
    assert all(one < next_one for one, next_one in pairwise(ascending[1:]))
    assert ascending[0] < ascending[1]


def test_blocked_stands_where_queued_does_and_every_end_is_an_end() -> None:
    assert version_of("blocked", NOON) == version_of("queued", NOON) == version_of(None, NOON)
    ends = {version_of(status, NOON) for status in ("success", "failed", "cancelled", "skipped")}
    assert ends == {version_of("success", NOON)}


def test_a_version_never_changes() -> None:
    """Stored rows keep theirs: another way to write it would let old words win over new ones."""
    written = version_of("running", NOON, "a", 1, None, progress=3)
    assert written == "1|00003|2026-03-02T12:00:00.000000Z|0753835869fab07f"
    assert version_of("queued", datetime(1, 1, 1, tzinfo=UTC)).startswith("0|00000|0")


def test_the_same_moment_in_another_zone_is_the_same_version() -> None:
    assert version_of("running", NOON.astimezone(timezone(timedelta(hours=9)))) == version_of("running", NOON)


def test_other_content_of_any_characters_is_another_version() -> None:
    assert version_of("running", NOON, "caf\udce9") != version_of("running", NOON, "caf")


def test_changes_together_hold_the_rows_of_all_in_order() -> None:
    def step(number: int) -> Step:
        return Step("j1", number, "make", "success", None, None, None, "v")

    parts = [Changes(steps=(step(1), step(2))), Changes(), Changes(steps=(step(3),))]
    assert Changes.together(iter(parts)) == Changes(steps=(step(1), step(2), step(3)))


@pytest.mark.usefixtures("in_tokyo")
def test_a_version_is_the_same_on_a_machine_in_any_zone() -> None:
    assert version_of("success", NOON)[:36] == "2|00000|2026-03-02T12:00:00.000000Z|"


def test_changes_together_hold_every_kind() -> None:
    whole: Any = {"pipelines": ("p1", "p2"), "runs": ("r1", "r2"), "jobs": ("j1", "j2"), "steps": ("s1", "s2")}
    parts = [Changes(**{kind: rows[place : place + 1] for kind, rows in whole.items()}) for place in (0, 1)]
    assert Changes.together(parts) == Changes(**whole)
