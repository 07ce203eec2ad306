"""Whether a delivery would be stored now: asked by health checks, answered by what is really written."""

import random
import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from core.errors import StoreUnavailable
from core.model import Changes, Delivery
from core.store.session import PROOF
from core.store.writer import Writer

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def delivery(size: int, delivery_id: str = "one") -> Delivery:
    body = random.Random(size).randbytes(size // 2).hex()
    return Delivery("github-actions", delivery_id, "ping", None, NOON, "ignored", None, body, Changes())


def proofs(database: duckdb.DuckDBPyConnection) -> list[int]:
    """The size of what was written to find out."""
    rows = database.execute("SELECT length(value) FROM settings WHERE key = ?", [PROOF]).fetchall()
    return [int(size) for (size,) in rows]


@contextmanager
def log_of_at_most(tmp_path: Path, more: int) -> Iterator[None]:
    """No file of this process may reach beyond the database's log and `more` bytes."""
    log = tmp_path / "health.duckdb.wal"
    whole = resource.getrlimit(resource.RLIMIT_FSIZE)
    begun = log.stat().st_size if log.exists() else 0
    resource.setrlimit(resource.RLIMIT_FSIZE, (begun + more, whole[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, whole)


def test_a_log_that_is_full_is_noticed_though_nothing_was_refused_yet(writer: Writer, tmp_path: Path) -> None:
    with log_of_at_most(tmp_path, 100):
        for _ in range(2):
            with pytest.raises(StoreUnavailable, match="disk takes nothing more"):
                writer.prove(5)
        writer.transact(lambda _: None).result()
        with pytest.raises(StoreUnavailable):
            writer.prove(5)
    writer.prove(5)


def test_after_a_refusal_a_little_room_is_not_enough(
    writer: Writer, database: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    with log_of_at_most(tmp_path, 30_000):
        writer.prove(5)
        with pytest.raises(StoreUnavailable):
            writer.submit_delivery(delivery(200_000)).result()
        with pytest.raises(StoreUnavailable):
            writer.prove(5)
    [small] = proofs(database)
    writer.prove(5)
    [large] = proofs(database)
    assert (small, large) == (4_000, 64_000)


def test_a_delivery_that_was_just_stored_is_proof_and_one_that_was_known_is_none(
    writer: Writer, database: duckdb.DuckDBPyConnection
) -> None:
    writer.submit_delivery(delivery(100)).result()
    writer.prove(5)
    assert proofs(database) == []
    with pytest.raises(ZeroDivisionError):
        writer.transact(lambda _: 1 / 0).result()
    writer.prove(5)
    assert proofs(database) == [], "a mistake of a caller says nothing about the disk"


def test_a_known_delivery_is_no_proof(database: duckdb.DuckDBPyConnection) -> None:
    earlier = Writer(database)
    earlier.submit_delivery(delivery(100)).result()
    earlier.close()
    writer = Writer(database)
    assert writer.submit_delivery(delivery(100)).result() == "duplicate"
    writer.prove(5)
    writer.close()
    assert proofs(database) == [4_000]


def test_what_was_written_to_find_out_is_proof_too(writer: Writer, database: duckdb.DuckDBPyConnection) -> None:
    written = "SELECT value, updated_by FROM settings WHERE key = ?"
    writer.transact(lambda _: None).result()
    writer.prove(5)
    [(text, by)] = database.execute(written, [PROOF]).fetchall()
    assert by == "readiness"
    writer.prove(5)
    assert database.execute(written, [PROOF]).fetchall() == [(text, by)]


def test_a_writer_that_is_busy_or_stopped_says_so(writer: Writer) -> None:
    busy, go_on = threading.Event(), threading.Event()

    def wait(_: object) -> None:
        busy.set()
        assert go_on.wait(10)

    waiting = writer.transact(wait)
    assert busy.wait(10)
    with pytest.raises(StoreUnavailable, match=r"Nothing was stored for 0\.05 s") as caught:
        writer.prove(0.05)
    assert caught.value.hint == "A long change may be going on; see the log."
    go_on.set()
    waiting.result(10)
    writer.close()
    with pytest.raises(StoreUnavailable, match="stopping"):
        writer.prove(5)
