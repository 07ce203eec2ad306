"""Redis beside PostgreSQL: what replicas share by it, and that nothing is lost without it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from core.store import shared_memory
from core.store.kept_reader import KEPT
from core.store.postgres.connection import PostgresCursor
from core.store.postgres.reader import PostgresReader
from core.store.postgres.session import PostgresSession
from core.store.shared_memory import SharedMemory
from core.store.writer import Writer
from tests.builders import run_payload
from tests.conftest import wait_for
from tests.core.test_queries import EVERY
from tests.postgres.test_replicas import delivery
from tests.postgres.test_service import Start, start  # noqa: F401 - a fixture
from tests.redis_server import RedisServer


@pytest.fixture
def redis_server() -> Iterator[RedisServer]:
    server = RedisServer().start()
    yield server
    server.kill()


@pytest.fixture
def memory(redis_server: RedisServer) -> SharedMemory:
    return SharedMemory(redis_server.url)


def runs(reader: PostgresReader) -> int:
    return int(reader.frame("run_count", **EVERY | {"limit": 5})["total"].iloc[0])


@pytest.fixture
def writer(target: PostgresCursor, postgres_url: str, memory: SharedMemory) -> Iterator[Writer]:
    writer = Writer(PostgresSession(postgres_url, memory.data_changed))
    yield writer
    writer.close()


@pytest.fixture
def reader(target: PostgresCursor, postgres_url: str, memory: SharedMemory) -> Iterator[PostgresReader]:
    reader = PostgresReader(postgres_url, size=2, memory=memory)
    yield reader
    reader.close()


def test_an_answer_is_kept_until_something_changes(
    reader: PostgresReader, writer: Writer, target: PostgresCursor
) -> None:
    assert runs(reader) == 0
    assert not reader.frame("freshness")["simulated"].iloc[0]
    # Behind the writer's back, so that only a kept answer can still be the old one.
    target.execute("INSERT INTO settings VALUES ('simulated', 'true', now(), 'test')")
    assert not reader.frame("freshness")["simulated"].iloc[0]
    writer.submit_delivery(delivery(1, "workflow_run", run_payload())).result()
    assert runs(reader) == 1
    assert reader.frame("freshness")["simulated"].iloc[0]


def test_a_look_or_a_health_check_alone_ends_no_answer(
    writer: Writer, memory: SharedMemory, target: PostgresCursor
) -> None:
    before = memory.version()
    writer.transact(lambda cursor: cursor.execute("SELECT 1").fetchall()).result()
    writer.prove(5)
    assert memory.version() == before
    assert target.execute("SELECT count(*) FROM deliveries").fetchone() == (0,), "what was written to find out is gone"
    writer.transact(lambda cursor: cursor.execute("DELETE FROM silences").fetchall()).result()
    writer.transact(
        lambda cursor: cursor.execute("INSERT INTO settings VALUES ('a', 'b', ?, 'c')", [datetime.now(UTC)])
    ).result()
    assert memory.version() != before


def test_kept_answers_are_the_very_frames(reader: PostgresReader, writer: Writer, postgres_url: str) -> None:
    writer.submit_delivery(delivery(1, "workflow_run", run_payload())).result()
    plain = PostgresReader(postgres_url, size=2)
    for name in sorted(KEPT):
        first, second = (reader.frame(name, **EVERY) for _ in range(2))
        assert first.equals(second)
        assert first.equals(plain.frame(name, **EVERY))
        assert list(first.dtypes) == list(second.dtypes) == list(plain.frame(name, **EVERY).dtypes)
    plain.close()


def test_while_redis_is_away_everything_is_read_and_stored_and_it_is_told_once(
    reader: PostgresReader,
    writer: Writer,
    memory: SharedMemory,
    redis_server: RedisServer,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert runs(reader) == 0
    redis_server.kill()
    for number in range(1, 4):
        writer.submit_delivery(delivery(number, "workflow_run", run_payload(run_id=number))).result()
        assert runs(reader) == number
    assert capsys.readouterr().out.count("Redis is away") == 1
    monkeypatch.setattr(shared_memory, "REST_SECONDS", 0.0)
    monkeypatch.setattr(memory, "_rests_until", 0.0)
    back = RedisServer(port=redis_server.port).start()
    try:
        wait_for(lambda: memory.version() == 0, "Redis to be asked again")
        assert "Redis is back" in capsys.readouterr().out
        assert runs(reader) == 3
    finally:
        back.kill()


def calls(process: Any, number: int) -> list[int]:
    with ThreadPoolExecutor(4) as pool:
        url = f"{process.url}/api/v1/alerts"
        return list(pool.map(lambda _: httpx.get(url).status_code, range(number)))


def test_replicas_count_together_and_each_alone_without_redis(start: Start, redis_server: RedisServer) -> None:  # noqa: F811
    limits = {"REDIS_URL": redis_server.url, "RATE_LIMIT_PER_MINUTE": "30"}
    first, second = start(**limits), start(**limits)
    codes = calls(first, 20) + calls(second, 20)
    assert codes.count(200) == 30
    assert codes.count(429) == 10
    redis_server.kill()
    assert calls(first, 5) == [200] * 5
    payload = run_payload()
    assert first.send("workflow_run", payload, "one").json() == {"status": "processed"}
    assert second.send("workflow_run", payload, "one").json() == {"status": "duplicate"}
    assert first.log.count("Redis is away") == 1


def test_a_repeated_delivery_is_known_before_the_database_is_asked(
    start: Start,  # noqa: F811
    redis_server: RedisServer,
    postgres_url: str,
) -> None:
    first, second = start(REDIS_URL=redis_server.url), start(REDIS_URL=redis_server.url)
    payload = run_payload()
    assert first.send("workflow_run", payload, "one").json() == {"status": "processed"}
    assert second.send("workflow_run", payload, "one").json() == {"status": "duplicate"}
    assert SharedMemory(redis_server.url).client.keys("cicd-health:seen:*")
