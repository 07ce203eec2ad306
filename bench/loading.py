"""The rows of a history in bulk into other stores: SQLite and PostgreSQL with the original schema, PostgreSQL with ours."""

import io
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pyarrow as pa
from psycopg import sql
from pyarrow import csv

from core.store.postgres.connection import connect
from core.store.postgres.migrations import migrate_postgres

ORIGINAL = Path(__file__).with_name("original")
TABLES = ("pipelines", "workflow_runs", "alerts")
ROWS = 100_000
ASIDE = """SELECT indexname, indexdef FROM pg_indexes AS i
    WHERE schemaname = current_schema() AND tablename = ANY(%s)
        AND NOT EXISTS (SELECT 1 FROM pg_constraint AS c WHERE c.conname = i.indexname)"""


def load_sqlite(source: duckdb.DuckDBPyConnection, path: Path) -> sqlite3.Connection:
    """The original schema in a file of its own: rows in one transaction, then the indexes, then ANALYZE."""
    target = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -1000000"):
        target.execute(f"PRAGMA {pragma}")
    target.executescript((ORIGINAL / "tables.sqlite.sql").read_text())
    for table, select in _original_rows():
        names = [(name, kind) for name, kind, *_ in source.execute(f"DESCRIBE {select}").fetchall()]
        # Times as SQLAlchemy writes them; as text of equal length they sort as times do.
        read = ", ".join(
            f"strftime({_quoted(n)}, '%Y-%m-%d %H:%M:%S.%f')" if k == "TIMESTAMP" else _quoted(n) for n, k in names
        )
        rows = source.execute(f"SELECT {read} FROM ({select})")
        insert = f"INSERT INTO {table} VALUES ({', '.join('?' * len(names))})"
        target.execute("BEGIN")
        while part := rows.fetchmany(ROWS):
            target.executemany(insert, part)
        target.execute("COMMIT")
    target.executescript((ORIGINAL / "indexes.sql").read_text())
    target.execute("ANALYZE")
    return target


def load_postgres(source: duckdb.DuckDBPyConnection, url: str) -> "psycopg.Connection[Any]":
    """The original schema in an empty database: COPY, then the indexes, then VACUUM ANALYZE."""
    target = psycopg.connect(url, autocommit=True)
    target.execute((ORIGINAL / "tables.postgres.sql").read_text())  # type: ignore[call-overload]
    for table, select in _original_rows():
        _copy(source, select, target, table)
    target.execute((ORIGINAL / "indexes.sql").read_text())  # type: ignore[call-overload]
    target.execute("VACUUM ANALYZE")
    return target


def load_own(source: duckdb.DuckDBPyConnection, url: str, tables: tuple[str, ...]) -> None:
    """Our schema in an empty database, `tables` filled: COPY, then the indexes, then VACUUM ANALYZE."""
    with connect(url, "bench") as target:
        migrate_postgres(target, url)
        indexes = target.execute(ASIDE, [list(tables)]).fetchall()
        for name, _ in indexes:
            target.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(name)))
        for table in tables:
            _copy(source, f"SELECT * FROM {table}", target, table)
        for _, definition in indexes:
            target.execute(definition)
        target.execute("VACUUM ANALYZE")


def _original_rows() -> Iterator[tuple[str, str]]:
    return zip(TABLES, (ORIGINAL / "rows.sql").read_text().split(";"), strict=False)


def _copy(source: duckdb.DuckDBPyConnection, select: str, target: "psycopg.Connection[Any]", table: str) -> None:
    reader = source.execute(select).to_arrow_reader(ROWS)
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv)").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, reader.schema.names))
    )
    with target.cursor() as cursor, cursor.copy(statement) as copy:
        for batch in reader:
            part = io.BytesIO()
            rows = pa.Table.from_batches([batch])
            csv.write_csv(rows, part, csv.WriteOptions(include_header=False, quoting_style="all_valid"))
            copy.write(part.getbuffer())


def _quoted(name: str) -> str:
    return f'"{name}"'
