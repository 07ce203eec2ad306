"""PostgreSQL databases of the tests: an empty one, and several writers on one as replicas have them."""

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from core.store.duckdb_file import open_owned
from core.store.postgres.connection import PostgresCursor, connect
from core.store.postgres.migrations import migrate_postgres
from core.store.postgres.session import PostgresSession
from core.store.postgres.transfer import copy_into
from core.store.writer import Writer
from tests.postgres_server import PostgresServer


@pytest.fixture(scope="session")
def simulated_url(
    simulated_file: Path, tmp_path_factory: pytest.TempPathFactory, postgres_server: PostgresServer
) -> str:
    """The simulated history in PostgreSQL, to be copied: nobody connects to it."""

    def make(url: str) -> None:
        path = tmp_path_factory.mktemp("history") / "health.duckdb"
        shutil.copyfile(simulated_file, path)
        with (
            closing(open_owned(path, memory_limit="1GB", threads=2)) as file,
            connect(url, "test") as connection,
        ):
            migrate_postgres(connection, url)
            copy_into(PostgresCursor(connection), file, "test", lambda _: None)

    return postgres_server.once("simulated", make)


@pytest.fixture
def url(postgres_server: PostgresServer) -> Iterator[str]:
    """The address of a database of one test's own with the newest schema."""
    url = postgres_server.migrated()
    yield url
    postgres_server.drop(url)


@pytest.fixture
def cursor(url: str) -> Iterator[PostgresCursor]:
    """A cursor on the database of `url`."""
    with connect(url, "test") as connection:
        yield PostgresCursor(connection)


@pytest.fixture
def target(postgres_url: str) -> Iterator[PostgresCursor]:
    """A cursor on a migrated, empty database."""
    connection = connect(postgres_url, "test")
    migrate_postgres(connection, postgres_url)
    yield PostgresCursor(connection)
    connection.close()


@pytest.fixture
def replicas(target: PostgresCursor, postgres_url: str) -> Iterator[list[Writer]]:
    """The writers of three replicas on the database of `target`."""
    writers = [Writer(PostgresSession(postgres_url)) for _ in range(3)]
    yield writers
    for writer in writers:
        writer.close()
