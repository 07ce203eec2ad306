"""The database of a service on PostgreSQL, with Redis beside it and without."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from core.settings import Settings, load_settings
from core.store.archive_files import Archive
from core.store.database import SharedPostgres, open_database, opened
from core.store.postgres.connection import PostgresCursor, connect
from core.store.writer import Writer
from tests.core.test_queries import EVERY
from tests.redis_server import RedisServer


@pytest.fixture
def redis_server() -> Iterator[RedisServer]:
    server = RedisServer().start()
    yield server
    server.kill()


def with_redis(url: str, server: RedisServer, tmp_path: Path) -> Settings:
    return load_settings(
        database_url=url, redis_url=server.url, database_pool_size=7, archive_folder=str(tmp_path / "archive")
    )


def test_it_is_migrated_and_named_without_a_password(postgres_url: str) -> None:
    with opened(load_settings(database_url=postgres_url.replace("tester@", "tester:secret@"))) as database:
        assert isinstance(database, SharedPostgres)
        assert database.place == postgres_url.replace("tester@", "")
        assert database.memory is None
        with connect(postgres_url, "test") as connection:
            cursor = PostgresCursor(connection)
            (size,) = cursor.run("SELECT pg_database_size(current_database())").fetchone()
            assert abs(database.size_bytes() - size) < 1_000_000
            with closing(Writer(database.session())) as writer:
                put = "INSERT INTO settings VALUES ('a', 'b', now(), NULL)"
                writer.transact(lambda cursor: cursor.execute(put).fetchall()).result()
            assert cursor.run("SELECT key FROM settings").fetchall() == [("a",)]
    with pytest.raises(Exception, match="closed"), database.reader.connection():
        pass


def test_answers_are_kept_in_redis_until_a_writer_changes_something(
    url: str, redis_server: RedisServer, tmp_path: Path
) -> None:
    database = open_database(with_redis(url, redis_server, tmp_path))
    assert isinstance(database, SharedPostgres)
    assert database.memory
    reader = database.reader
    assert (reader._pool.max_size, reader._pool.name) == (7, "ingest")
    assert reader._archive == Archive(tmp_path / "archive")
    with closing(database), closing(Writer(database.session())) as writer, connect(url, "behind") as connection:
        asked = EVERY | {"branch": "main"}
        put = "INSERT INTO settings VALUES ('simulated', 'true', now(), NULL)"
        assert not reader.frame("freshness")["simulated"].iloc[0]
        assert int(reader.frame("run_count", **asked)["total"].iloc[0]) == 0
        keys = sorted(key.decode().split(":")[3] for key in database.memory.client.keys("cicd-health:answer:*"))
        assert keys == ["freshness", "run_count"]
        reader.frame("run_count", **EVERY | {"branch": "dev"})
        assert len(database.memory.client.keys("cicd-health:answer:*")) == 3
        connection.execute(put)
        assert not reader.frame("freshness")["simulated"].iloc[0], "the answer is kept"
        writer.transact(lambda cursor: cursor.execute("DELETE FROM silences").fetchall()).result()
        before = database.memory.version()
        writer.transact(
            lambda cursor: cursor.execute("UPDATE settings SET updated_by = 'x' WHERE key = 'simulated'").fetchall()
        ).result()
        assert database.memory.version() != before
        assert reader.frame("freshness")["simulated"].iloc[0]
