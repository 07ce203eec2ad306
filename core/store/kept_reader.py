"""Answers of the queries that every viewer asks, kept in Redis for some seconds and only while nothing changes."""

import hashlib
from collections.abc import Callable
from datetime import datetime

import pyarrow as pa

from core.queries import Value
from core.store.shared_memory import SharedMemory

# What the overview, the API's summary and the lights ask; pages of runs are too many to be asked twice.
KEPT = frozenset(
    {"summary", "daily_outcomes", "alert_counts", "filter_options", "freshness", "pipeline_states", "run_count"}
)
KEPT_SECONDS = 10


def kept_or_read(
    memory: SharedMemory | None, query: str, parameters: dict[str, Value], read: Callable[[], pa.Table]
) -> pa.Table:
    """The rows of a query. The data's version is a part of the key, so an answer is never older than a commit.

    The version is asked for before the database is: an answer read while a commit comes in is kept under the version
    before it, for which nobody asks any more. A process that dies between its commit and the count of versions leaves
    an old answer for KEPT_SECONDS at most.
    """
    version = memory.version() if memory and query in KEPT else None
    if memory is None or version is None:
        return read()
    key = _key(version, query, parameters)
    kept = memory.kept(key)
    if kept is not None:
        return pa.ipc.open_stream(kept).read_all()
    table = read()
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    memory.keep(key, sink.getvalue().to_pybytes(), KEPT_SECONDS)
    return table


def _key(version: int, query: str, parameters: dict[str, Value]) -> str:
    """Times count by the minute: windows that move with the clock are told apart, those of two viewers are not."""
    named = {
        name: f"{value:%Y-%m-%dT%H:%M}" if isinstance(value, datetime) else value
        for name, value in sorted(parameters.items())
    }
    return f"answer:{version}:{query}:{hashlib.sha256(repr(named).encode()).hexdigest()[:32]}"
