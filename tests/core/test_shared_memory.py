"""Redis, and answers kept in it: what is asked with it, without it, and when it comes back."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
import redis
import structlog

from core.store import shared_memory
from core.store.kept_reader import KEPT, KEPT_SECONDS, kept_or_read
from core.store.shared_memory import SharedMemory
from tests.redis_server import RedisServer

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    server = RedisServer().start()
    yield server
    server.kill()


@pytest.fixture
def memory(server: RedisServer) -> SharedMemory:
    memory = SharedMemory(server.url)
    memory.client.flushall()
    return memory


def test_what_is_kept_is_there_under_its_key_for_its_time(memory: SharedMemory) -> None:
    assert memory.kept("a") is None
    memory.keep("a", b"\x00one", 30)
    assert memory.kept("a") == b"\x00one"
    assert memory.kept("b") is None
    assert memory.client.keys() == [b"cicd-health:a"]
    assert memory.client.ttl("cicd-health:a") in (29, 30)


def test_each_change_is_another_version(memory: SharedMemory) -> None:
    assert memory.version() == 0
    memory.data_changed()
    memory.data_changed()
    assert memory.version() == 2
    assert memory.client.keys() == [b"cicd-health:version"]


def test_nobody_waits_long_for_redis_and_it_is_tried_once(memory: SharedMemory) -> None:
    given = memory.client.connection_pool.connection_kwargs
    assert (given["socket_timeout"], given["socket_connect_timeout"], given["retry"]) == (0.25, 0.25, None)


def test_while_redis_is_away_defaults_are_given_at_once_and_it_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(shared_memory.time, "monotonic", lambda: now[0])
    memory = SharedMemory("redis://127.0.0.1:1/0")
    asked: list[float] = []

    def away() -> str:
        asked.append(now[0])
        raise redis.ConnectionError("gone")

    with structlog.testing.capture_logs() as logged:
        for now[0] in (100.0, 104.9, 105.0, 109.0, 110.0):
            assert memory.ask(away, lambda: "without") == "without"
        assert asked == [100.0, 105.0, 110.0], "it rests for five seconds"
        now[0] = 120.0
        assert memory.ask(lambda: "with", lambda: "without") == "with"
        assert memory.ask(lambda: "again", lambda: "without") == "again"
        assert memory.ask(away, lambda: "without") == "without"
    assert [(line["log_level"], line["event"], line.get("reason")) for line in logged] == [
        ("warning", "Redis is away: limits count in this process alone, and nothing is kept", "gone"),
        ("info", "Redis is back", None),
        ("warning", "Redis is away: limits count in this process alone, and nothing is kept", "gone"),
    ]


def test_without_redis_nothing_is_known_and_nothing_fails() -> None:
    for question, answer in (
        (lambda memory: memory.version(), None),
        (lambda memory: memory.kept("a"), None),
        (lambda memory: memory.keep("a", b"one", 1), None),
        (lambda memory: memory.data_changed(), None),
    ):
        assert question(SharedMemory("redis://127.0.0.1:1/0")) is answer


def test_a_mistake_in_a_question_is_no_absence_of_redis(memory: SharedMemory) -> None:
    with pytest.raises(ZeroDivisionError):
        memory.ask(lambda: 1 / 0, lambda: 0.0)


def test_a_process_has_one_memory_for_each_address() -> None:
    first = shared_memory.shared_memory("redis://127.0.0.1:1/0")
    assert shared_memory.shared_memory("redis://127.0.0.1:1/0") is first
    assert shared_memory.shared_memory("redis://127.0.0.1:1/1") is not first
    assert first.client.connection_pool.connection_kwargs["port"] == 1


class Data:
    """A table that counts how often it is read."""

    def __init__(self) -> None:
        self.reads = 0

    def read(self) -> pa.Table:
        self.reads += 1
        return pa.table({"n": pa.array([self.reads, None], pa.int32())})


def answer(memory: SharedMemory | None, data: Data, query: str = "summary", **parameters: Any) -> list[Any]:
    table = kept_or_read(memory, query, parameters, data.read)
    assert table.schema == pa.schema([("n", pa.int32())])
    return table["n"].to_pylist()


def test_an_answer_is_kept_until_the_data_changes(memory: SharedMemory) -> None:
    data = Data()
    assert [answer(memory, data, branch="main") for _ in range(2)] == [[1, None], [1, None]]
    [key] = memory.client.keys()
    assert memory.client.ttl(key) in (KEPT_SECONDS - 1, KEPT_SECONDS)
    assert key.startswith(b"cicd-health:answer:0:summary:")
    assert len(key.rpartition(b":")[2]) == 32
    memory.data_changed()
    assert answer(memory, data, branch="main") == [2, None]


def test_answers_to_other_questions_are_other_answers(memory: SharedMemory) -> None:
    data = Data()
    words: list[dict[str, Any]] = [
        {"branch": "main"}, {"branch": "dev"}, {"branch": None}, {"branch": "main", "until": NOON},
        {"branch": "main", "until": NOON + timedelta(minutes=1)}, {"branch": "main", "until": NOON - timedelta(days=1)},
        {"branch": "main", "since": NOON},
    ]  # fmt: skip
    assert [answer(memory, data, **each)[0] for each in words] == list(range(1, len(words) + 1))
    assert answer(memory, data, "freshness", branch="main")[0] == len(words) + 1


def test_within_a_minute_and_in_any_order_a_question_is_the_same(memory: SharedMemory) -> None:
    data = Data()
    assert answer(memory, data, until=NOON, branch="main") == [1, None]
    assert answer(memory, data, branch="main", until=NOON + timedelta(seconds=59)) == [1, None]


def test_what_few_ask_and_what_is_asked_without_redis_is_read_each_time(memory: SharedMemory) -> None:
    data = Data()
    assert "run_page" not in KEPT
    for where, query in ((memory, "run_page"), (None, "summary"), (SharedMemory("redis://127.0.0.1:1/0"), "summary")):
        before = data.reads
        assert [answer(where, data, query)[0] for _ in range(2)] == [before + 1, before + 2]
    assert memory.client.keys() == []
