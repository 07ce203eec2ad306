"""A pipeline at any moment of its history, against a plain count over all its runs."""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pandas as pd
import pytest

from core.alerts import BranchState
from core.past_pipeline import PastPipeline, PastRun
from core.pipeline_rules import PipelineHealth
from tests.builders import NOON

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LONG_AGO = NOON - 90 * DAY


def history(seed: int) -> list[PastRun]:
    """45 days of runs that begin and end on full hours, so that many things happen at once and at a bound."""
    chance = random.Random(seed)
    runs: list[PastRun] = []
    for number in range(220):
        begun = NOON + chance.randrange(45 * 24) * HOUR
        ended = begun + chance.choice([1, 2, 3, 24]) * HOUR if chance.random() < 0.95 else None
        replaced = (ended or begun) + chance.choice([-1, 0, 1, 5, 24, 800]) * HOUR if chance.random() < 0.3 else None
        runs.append(
            PastRun(
                id=f"r{number}",
                pipeline_id="p1",
                pipeline=chance.choice(["CI", "Build"]),
                branch="main",
                on_default_branch=True,
                status=chance.choice(["success", "failed", "failed", "cancelled"]) if ended else "running",
                created_at=begun,
                started_at=begun if chance.random() < 0.95 else None,
                finished_at=ended,
                seconds=chance.choice([None, 60.0, 300.0, 300.0, 1234.5]),
                replaced_at=replaced if replaced and replaced > begun else None,
            )
        )
    return runs


def expected(runs: list[PastRun], now: datetime, name: str, earlier_success: datetime | None) -> PipelineHealth:
    """What is true at `now`, counted from nothing."""
    counted = [
        (run.finished_at, run)
        for run in runs
        if run.finished_at
        and run.finished_at <= now
        and run.status in ("success", "failed")
        and (run.replaced_at is None or (run.replaced_at > run.finished_at and run.replaced_at > now))
    ]
    day = [run for at, run in counted if at > now - DAY]
    seconds = [run.seconds for at, run in counted if at > now - 30 * DAY and run.seconds is not None]
    newest = max(counted, key=lambda each: (each[0], each[1].id), default=None)
    failures = [(at, run.id) for at, run in counted if run.status == "failed" and at > now - 30 * DAY]
    running = [
        (run.started_at, run.id)
        for run in runs
        if run.started_at
        and now - 7 * DAY < run.started_at <= now
        and (run.finished_at is None or run.finished_at > now)
    ]

    def cause(at: datetime, name: str, seconds: float | None = None) -> dict[str, Any]:
        return {"at": at, "id": name, "seconds": seconds}

    return PipelineHealth(
        pipeline_id="p1",
        pipeline=name,
        finished_24h=len(day),
        failed_24h=sum(run.status == "failed" for run in day),
        last_success_at=max((at for at, run in counted if run.status == "success"), default=earlier_success),
        first_run_at=LONG_AGO,
        p95_seconds=float(pd.Series(seconds).quantile(0.95)) if seconds else None,
        newest=cause(newest[0], newest[1].id, newest[1].seconds) if newest else None,
        longest_running=cause(*min(running)) if running else None,
        last_failure=cause(*max(failures)) if failures else None,
    )


@pytest.mark.parametrize("seed", range(2))
def test_it_is_at_every_hour_as_a_count_of_all_runs_says(seed: int) -> None:
    earlier = LONG_AGO if seed % 2 else None
    past = PastPipeline("p1", LONG_AGO, earlier)
    assert past.health(NOON - HOUR) == expected([], NOON, "", earlier)
    runs = history(seed)
    events: list[tuple[datetime, Callable[[PastRun], object], PastRun]] = []
    for run in runs:
        for at, happens in (
            (run.started_at, past.begin),
            (run.finished_at, past.finish),
            (run.replaced_at, past.replace),
        ):
            if at:
                events.append((at, happens, run))
    events.sort(key=lambda event: event[0])
    for hour in range(48 * 24):
        now = NOON + hour * HOUR
        while events and events[0][0] <= now:
            _, happens, run = events.pop(0)
            happens(run)
        wanted = expected(runs, now, past.name, earlier)
        found = past.health(now)
        assert found.p95_seconds == pytest.approx(wanted.p95_seconds)
        assert replace(found, p95_seconds=None) == replace(wanted, p95_seconds=None)
        assert past.longest_running_since(now) == (wanted.longest_running or {"at": None})["at"]


def test_the_p95_lies_between_neighbours_as_the_database_has_it() -> None:
    past = PastPipeline("p1", LONG_AGO, None)
    seconds = [float(at * at) for at in range(30)]
    for at in seconds:
        past.finish(one(id=f"r{at}", seconds=at))
    assert past.p95() == pytest.approx(pd.Series(seconds).quantile(0.95))


def one(**changes: Any) -> PastRun:
    words: dict[str, Any] = {
        "id": "r1",
        "pipeline_id": "p1",
        "pipeline": "CI",
        "branch": "topic",
        "on_default_branch": False,
        "status": "failed",
        "created_at": NOON,
        "started_at": NOON,
        "finished_at": NOON + HOUR,
        "seconds": 3600.0,
    }
    return PastRun(**(words | changes))


def test_an_end_gives_the_state_of_its_branch() -> None:
    past = PastPipeline("p1", LONG_AGO, None)
    assert past.finish(one()) == BranchState("p1", "CI", "topic", False, "r1", "failed", NOON + HOUR)
    assert past.finish(one(id="r2", status="cancelled")) is None
    assert past.finish(one(id="r3", status="success", finished_at=None)) is None


def test_a_pipeline_is_called_what_its_last_run_called_it() -> None:
    past = PastPipeline("p1", LONG_AGO, None)
    past.begin(one(pipeline="Build"))
    assert past.health(NOON).pipeline == "Build"
    past.finish(one(pipeline="Ship"))
    assert past.health(NOON + HOUR).pipeline == "Ship"
