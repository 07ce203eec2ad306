"""What the writer knows of the steps that it stored lately."""

from datetime import UTC, datetime

import pytest

from core.model import Step
from core.store import stored_steps
from core.store.stored_steps import StoredSteps

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def step(job_id: str, number: int = 1, version: str = "1") -> Step:
    return Step(job_id, number, "Build", "success", version, NOON, NOON, version)


def test_steps_are_unknown_newer_or_say_nothing_new() -> None:
    stored = StoredSteps()
    said = [step("a", 1, "2"), step("a", 2, "2"), step("b", 1, "2")]
    assert stored.parted(said) == (said, [])
    stored.add(said)
    assert stored.parted(said) == ([], [])
    again = [step("a", 1, "3"), step("a", 2, "1"), step("a", 3, "1"), step("b", 2, "1"), step("b", 1, "9")]
    assert stored.parted(again) == ([again[2], again[3]], [again[0], again[4]])
    stored.add([again[0]])
    assert stored.parted([again[0]]) == ([], [])
    stored.forget()
    assert stored.parted(said) == (said, [])


def test_the_jobs_that_were_heard_of_longest_ago_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored_steps, "MAX_JOBS", 2)
    stored = StoredSteps()
    stored.add([step("a"), step("b")])
    assert stored.parted([step("a"), step("b")]) == ([], [])
    stored.add([step("a", 2), step("c")])
    assert stored.parted([step("a"), step("b"), step("c")]) == ([step("b")], [])
