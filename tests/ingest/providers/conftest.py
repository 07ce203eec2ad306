"""The real poller over a real database, of any CI system."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import duckdb
import pytest

from core.errors import StoreUnavailable
from core.model import Changes
from core.settings import load_settings
from core.store.reader import OwnerReader
from core.store.writer import Writer
from ingest.polling.engine import Polling

Poller = Callable[..., Polling]
Rows = Callable[[str], set[tuple[Any, ...]]]
Keep = Callable[[Changes | None], None]


@pytest.fixture
def poller(database: duckdb.DuckDBPyConnection, writer: Writer) -> Iterator[Poller]:
    """Start a poller with these settings; call it again for a poller after a restart."""
    running: list[Polling] = []

    def make(**settings: Any) -> Polling:
        polling = Polling(load_settings(**settings), OwnerReader(database), writer)
        running.append(polling)
        polling.start()
        return polling

    yield make
    for polling in running:
        with suppress(StoreUnavailable):  # a test may have stopped it
            polling.stop()


@pytest.fixture
def rows(database: duckdb.DuckDBPyConnection) -> Rows:
    """What a statement finds, as a set."""
    return lambda statement: set(database.cursor().execute(statement).fetchall())


@pytest.fixture
def keep(writer: Writer) -> Keep:
    """Store what a webhook says."""

    def store(changes: Changes | None) -> None:
        assert changes
        writer.submit_changes(changes).result()

    return store
