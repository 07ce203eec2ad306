"""Model objects into PostgreSQL, a batch at a time: the same set-based statements over arrays of values.

Several processes write at once. Whatever is computed from all rows there are (which attempt is the latest, what a
repository is called) is guarded by advisory locks of its run or repository, and rows are taken in the order of their
keys, so that two batches wait for each other instead of locking each other out.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from hashlib import blake2b
from typing import Any

import sqlglot
from sqlglot import exp

from core.model import Changes, Delivery, Pipeline, Step, WorkflowRun
from core.queries import sql_text
from core.store.cursor import Cursor
from core.store.postgres.connection import PostgresCursor, storable
from core.store.postgres.dialect import rewritten
from core.store.rows import INCOMING, Key, Row, RowWriter

# Not one lock for each run: a server has room for some thousands of them.
_LOCKS = 1024
_LOCK_SPACE = 7_461_100_000

_TYPES = {
    "run_attempt": "int", "number": "int", "run_number": "bigint", "is_fork": "boolean", "created_at": "timestamptz",
    "started_at": "timestamptz", "finished_at": "timestamptz", "updated_at": "timestamptz",
    "received_at": "timestamptz",
}  # fmt: skip


class PostgresRows(RowWriter):
    """Writes into the transaction that is open on a cursor."""

    def __init__(self, cursor: PostgresCursor) -> None:
        self._postgres = cursor
        self._arrays: dict[str, list[list[Any]]] = {}

    def forget(self) -> None:
        """Nothing is known from one transaction to the next."""

    def write(self, changes: Sequence[Changes]) -> list[WorkflowRun]:
        keys = {run.run_key for change in changes for run in change.runs}
        keys |= {f"{row.provider} {row.repository_id}" for change in changes for row in change.pipelines}
        if keys:
            self._postgres.run(
                "SELECT pg_advisory_xact_lock(key) FROM unnest(%s::bigint[]) AS wanted(key)", [_lock_numbers(keys)]
            )
        return super().write(changes)

    def _keep_new(self, deliveries: Sequence[Delivery]) -> set[Key]:
        return set(self._run("insert_deliveries", incoming_deliveries=deliveries).fetchall())

    def _write_steps(self, steps: Sequence[Step]) -> None:
        self._run("upsert_steps", incoming_steps=steps)

    def _spread_names(self, pipelines: Sequence[Pipeline]) -> None:  # noqa: ARG002 - the statement knows them
        self._run("spread_repository_names")

    def _mark_latest(self, runs: Sequence[WorkflowRun]) -> None:
        self._run("mark_latest_attempts", incoming_runs=runs)

    def _run(self, statement: str, **tables: Sequence[Row]) -> Cursor:
        for name, rows in tables.items():
            self._arrays[name] = _columns(name, rows)
        text, names = _statement(statement)
        return self._postgres.run(text, [column for name in names for column in self._arrays[name]])


def _lock_numbers(keys: Iterable[str]) -> list[int]:
    numbers = {int.from_bytes(blake2b(key.encode("utf-8", "replace"), digest_size=4).digest(), "big") for key in keys}
    return sorted({_LOCK_SPACE + number % _LOCKS for number in numbers})


def _fields(name: str) -> list[str]:
    return [field for field in INCOMING[name].__dataclass_fields__ if field != "changes"]


def _key(row: Row) -> tuple[Any, ...]:
    if isinstance(row, Delivery):
        return row.provider, row.delivery_id
    return (row.job_id, row.number) if hasattr(row, "number") else (row.id,)  # type: ignore[union-attr]


def _columns(name: str, rows: Sequence[Row]) -> list[list[Any]]:
    ordered = sorted(rows, key=_key)
    return [[storable(getattr(row, field)) for row in ordered] for field in _fields(name)]


@cache
def _statement(name: str) -> tuple[str, tuple[str, ...]]:
    """A statement of `core/sql/write` in PostgreSQL's words, and which batches it reads, in the order of its values."""
    tree = rewritten(sqlglot.parse_one(sql_text("write", name), dialect="duckdb"))
    names = tuple(sorted({table.name for table in tree.find_all(exp.Table)} & INCOMING.keys()))
    text = tree.sql(dialect="postgres", comments=False).replace("%", "%%")
    return "WITH " + ", ".join(_batch(batch) for batch in names) + " " + text, names


def _batch(name: str) -> str:
    """The rows of a batch under its name, from one array for each column."""
    values = ", ".join(f"%s::{_TYPES.get(field, 'text')}[]" for field in _fields(name))
    columns = ", ".join(f'"{field}"' for field in _fields(name))
    return f"{name} AS (SELECT * FROM unnest({values}) AS batch({columns}))"  # noqa: S608 - our own names
