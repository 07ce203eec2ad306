"""The least that a CI system's poller must bring, and how far a backfill is."""

import asyncio
import threading
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import duckdb
import pytest

from core.settings import load_settings
from core.store.reader import OwnerReader
from core.store.writer import Writer
from ingest.polling import engine
from ingest.polling.book import Book
from ingest.polling.budget import Budget
from ingest.polling.engine import Polling
from ingest.polling.progress import Progress, seconds_left
from ingest.polling.source import LogAddress, Source, Targets
from tests.builders import NOON


class Least(Source):
    """Knows the newest runs only."""

    provider = "generic"

    def __init__(self) -> None:
        self.budget = Budget()
        self.looks = 0

    async def targets(self) -> Targets:
        return Targets(("acme/web",))

    async def newest(self, _: Book) -> None:
        self.looks += 1

    async def close(self) -> None: ...


def test_a_system_without_history_details_and_logs_is_polled_and_done(
    database: duckdb.DuckDBPyConnection, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Least()
    monkeypatch.setattr(engine, "poll_modules", lambda: [SimpleNamespace(source=lambda _: source)])
    polling = Polling(load_settings(poll_interval_seconds=0.001), OwnerReader(database), writer)
    polling.start()
    try:
        for _ in range(11):  # every tenth round looks for what the newest never show
            polling.round()
            polling.drain()
        progress = polling.progress("generic", "acme/web")
        assert (source.looks, progress.done, progress.listed, progress.error) == (11, True, 1.0, None)
        log = polling.run(source.read_log(LogAddress("acme/web", "1", 1, "1", "test"), lambda _: None))
        assert log == "missing"
    finally:
        polling.stop()


class Slow(Least):
    """Answers when it may."""

    def __init__(self) -> None:
        super().__init__()
        self.may_answer = threading.Event()

    async def newest(self, book: Book) -> None:
        await super().newest(book)
        await asyncio.to_thread(self.may_answer.wait)


def test_a_repository_that_still_answers_is_not_asked_again_and_is_waited_for_at_the_end(
    database: duckdb.DuckDBPyConnection, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Slow()
    monkeypatch.setattr(engine, "poll_modules", lambda: [SimpleNamespace(source=lambda _: source)])
    monkeypatch.setattr(engine, "PATIENCE", 0.05)
    polling = Polling(load_settings(poll_interval_seconds=0.001), OwnerReader(database), writer)
    polling.start()
    try:
        polling.round()
        polling.round()
        assert source.looks == 1
        threading.Timer(0.2, source.may_answer.set).start()
        polling.drain()
        assert polling.progress("generic", "acme/web").done
        polling.round()
        assert source.looks == 2
    finally:
        source.may_answer.set()
        polling.stop()


NOTHING = Progress(
    "generic", "acme/web", None, None, 0.0, 0, 0, 0, 0, 0, 0, 0, 0, None, None, None, done=False
)  # fmt: skip


@pytest.mark.parametrize(
    ("read", "seconds", "left"),
    [
        ({"listed": 0.5, "attempts": 100, "attempts_left": 50}, 2.9, None),  # too early
        ({"listed": 0.0, "attempts": 100, "attempts_left": 50}, 10, None),  # nothing is known of the rest
        ({"listed": 0.5, "attempts": 100, "attempts_left": 100}, 10, None),  # nothing was read
        ({"listed": 1.0, "attempts": 100, "attempts_left": 50}, 10, 10),
        ({"listed": 0.5, "attempts": 100, "attempts_left": 50}, 10, 30),
        ({"listed": 1.0, "attempts": 100, "attempts_left": 0}, 10, 0),
    ],
)
def test_what_is_left_is_judged_by_what_was_read(read: dict[str, float], seconds: float, left: float | None) -> None:
    assert seconds_left(NOTHING, replace(NOTHING, **read), seconds, NOON) == left  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("remaining", "left"),
    [
        (5000, 100),  # the limit suffices
        (1500, 100),  # so does what is left above the tenth that is kept for the rounds
        (1000, 900),  # the rest fits into the next window, which begins in 15 minutes
        (500, 900),
    ],
)
def test_a_limit_that_does_not_suffice_makes_it_longer(remaining: int, left: float) -> None:
    read = replace(NOTHING, listed=1.0, attempts=2000, attempts_left=1000, allowed=5000, remaining=remaining)
    now = replace(read, reset_at=NOON + timedelta(minutes=15))
    assert seconds_left(NOTHING, now, 100, NOON) == left


def test_several_windows_are_counted_whole() -> None:
    read = replace(NOTHING, listed=1.0, attempts=12_000, attempts_left=10_000, allowed=5000, remaining=500)
    now = replace(read, reset_at=NOON + timedelta(minutes=15))
    assert seconds_left(NOTHING, now, 100, NOON) == 900 + 2 * 3600
