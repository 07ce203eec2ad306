"""A whole database from a DuckDB file into PostgreSQL: in parts, each with its place noted in the same transaction.

Killed at any moment, the next start goes on after the last part that was committed.
"""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import duckdb
import psycopg
import pyarrow as pa
from psycopg import sql
from pyarrow import csv

from core.errors import Conflict, DashboardError
from core.store.postgres.connection import PostgresCursor
from core.store.postgres.frames import table_of

# Rows read at once; of tables whose rows may be large, few.
ROWS = 50_000
FEW_ROWS = {"deliveries": 2_000, "job_logs": 100}
# Not copied, or there already: what the target knows of itself.
OWN = ("schema_migrations", "import_progress", "import_indexes")
# A service that was started on the target before may have put its own settings there; those of the file count.
REPLACED = ("settings",)

PROGRESS = """CREATE TABLE IF NOT EXISTS import_progress (
    table_name TEXT PRIMARY KEY, source TEXT NOT NULL, next_row BIGINT NOT NULL, row_count BIGINT NOT NULL
)"""

# Kept up to date row by row, the indexes took most of the time: they are put aside and made again in the end.
INDEXES = "CREATE TABLE IF NOT EXISTS import_indexes (name TEXT PRIMARY KEY, definition TEXT NOT NULL)"
PUT_ASIDE = """INSERT INTO import_indexes
    SELECT i.indexname, i.indexdef FROM pg_indexes AS i
    WHERE i.schemaname = current_schema() AND i.tablename = ANY(%s)
        AND NOT EXISTS (SELECT 1 FROM pg_constraint AS c WHERE c.conname = i.indexname)
    RETURNING name"""


@dataclass(frozen=True, slots=True)
class Part:
    """How far a table is: `done` of `total` rows."""

    table: str
    done: int
    total: int


def copy_into(
    cursor: PostgresCursor, source: duckdb.DuckDBPyConnection, identity: str, told: Callable[[Part], object]
) -> dict[str, int]:
    """Copy every table of an open DuckDB file into a migrated, empty PostgreSQL database; `told` hears of each part.

    `identity` names the file's state: a started copy goes on only from the same one. Returns the rows of each table,
    counted in the target after the copy and equal to the source's.
    Raises Conflict where the target holds other data, DashboardError where the counts differ in the end.
    """
    tables = _tables(cursor)
    _begin(cursor, tables, identity)
    for table in tables:
        for part in _copy_table(cursor, source, table):
            told(part)
    indexes = cursor.run("SELECT name, definition FROM import_indexes ORDER BY name").fetchall()
    for done, (name, definition) in enumerate(indexes):
        told(Part("indexes", done, len(indexes)))
        cursor.run("BEGIN")
        cursor.run(definition)
        cursor.run("DELETE FROM import_indexes WHERE name = %s", [name])
        cursor.run("COMMIT")
    counts = {}
    for table in tables:
        counts[table] = _count(cursor, table)
        expected = _count(source, table)
        if counts[table] != expected:
            raise DashboardError(
                f"{table} holds {counts[table]:,} rows after the copy, but {expected:,} were in the file.",
                hint="Did something else write meanwhile? Empty the target and import again.",
            )
    cursor.run("DROP TABLE import_progress, import_indexes")
    cursor.run("VACUUM ANALYZE")
    return counts


def _tables(cursor: PostgresCursor) -> list[str]:
    rows = cursor.run("SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY 1").fetchall()
    return [name for (name,) in rows if name not in OWN]


def _begin(cursor: PostgresCursor, tables: list[str], identity: str) -> None:
    """Start in an empty target, or go on with the same source."""
    cursor.run("BEGIN")
    try:
        cursor.run(PROGRESS)
        cursor.run(INDEXES)
        cursor.run("LOCK TABLE import_progress")
        if not _is_started(cursor, identity):
            _check_empty(cursor, tables)
            for table in REPLACED:
                cursor.run(f"TRUNCATE {table}")
            for (index,) in cursor.run(PUT_ASIDE, [tables]).fetchall():
                cursor.run(f"DROP INDEX {index}")
            for table in tables:
                cursor.run("INSERT INTO import_progress VALUES (%s, %s, 0, 0)", [table, identity])
    except BaseException:
        cursor.run("ROLLBACK")
        raise
    cursor.run("COMMIT")


def _is_started(cursor: PostgresCursor, identity: str) -> bool:
    sources = {name for (name,) in cursor.run("SELECT DISTINCT source FROM import_progress").fetchall()}
    if sources - {identity}:
        raise Conflict(
            f"The target holds a part of another file ({', '.join(sources)}).",
            hint="Import that one, or start with an empty database.",
        )
    return bool(sources)


def _check_empty(cursor: PostgresCursor, tables: list[str]) -> None:
    filled = [table for table in tables if table not in REPLACED and _count(cursor, table)]
    if filled:
        raise Conflict(f"The target holds data already ({', '.join(filled)}).", hint="Import into an empty database.")


def _copy_table(cursor: PostgresCursor, source: duckdb.DuckDBPyConnection, table: str) -> Iterator[Part]:
    begin, done = cursor.run(
        "SELECT next_row, row_count FROM import_progress WHERE table_name = %s", [table]
    ).fetchone()
    total = _count(source, table)
    last = source.execute(f"SELECT coalesce(max(rowid), -1) FROM {table}").fetchone()  # noqa: S608 - our own tables
    assert last
    names, selected = _columns(source, table)
    step = FEW_ROWS.get(table, ROWS)
    yield Part(table, done, total)
    while begin <= last[0]:
        rows = source.execute(
            f"SELECT {selected} FROM {table} WHERE rowid >= ? AND rowid < ?",  # noqa: S608 - our own names
            [begin, begin + step],
        ).to_arrow_table()
        begin, done = begin + step, done + rows.num_rows
        cursor.run("BEGIN")
        try:
            _copy_rows(cursor.connection, table, names, rows)
            cursor.run(
                "UPDATE import_progress SET next_row = %s, row_count = %s WHERE table_name = %s", [begin, done, table]
            )
        except psycopg.Error:
            cursor.run("ROLLBACK")
            raise
        cursor.run("COMMIT")
        yield Part(table, done, total)


def _columns(source: duckdb.DuckDBPyConnection, table: str) -> tuple[list[str], str]:
    """A table's column names, and how they are read: without what PostgreSQL's text can't hold, bytes as hex."""
    found = source.execute(
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = ? "
        "AND table_catalog = current_database() ORDER BY ordinal_position",
        [table],
    ).fetchall()
    read = {
        "VARCHAR": "replace({0}, chr(0), chr(65533)) AS {0}",
        "BLOB": "'\\x' || lower(hex({0})) AS {0}",
    }
    return [name for name, _ in found], ", ".join(read.get(kind, "{0}").format(f'"{name}"') for name, kind in found)


def _copy_rows(connection: "psycopg.Connection[Any]", table: str, names: list[str], rows: pa.Table) -> None:
    """NULL is an empty cell without quotes, an empty text one with them: both sides take that as the rule of CSV."""
    target = io.BytesIO()
    csv.write_csv(rows, target, csv.WriteOptions(include_header=False, quoting_style="all_valid"))
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv)").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, names))
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(target.getbuffer())


def _count(cursor: Any, table: str) -> int:
    return int(cursor.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608 - our own tables


def copy_out(
    connection: "psycopg.Connection[Any]", target: duckdb.DuckDBPyConnection, told: Callable[[Part], object]
) -> dict[str, int]:
    """Copy every table, as of one moment, into an open, migrated and empty DuckDB file. Returns the rows of each."""
    counts = {}
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        for table in _tables(PostgresCursor(connection)):
            names = ", ".join(f'"{name}"' for name in _columns(target, table)[0])
            total, done = _count(connection, table), 0
            with connection.cursor(name="export", binary=True) as cursor:
                cursor.itersize = FEW_ROWS.get(table, ROWS)
                cursor.execute(sql.SQL("SELECT {} FROM {}").format(sql.SQL(names), sql.Identifier(table)))
                told(Part(table, 0, total))
                while rows := cursor.fetchmany(cursor.itersize):
                    target.register("part", table_of(cursor.description or [], rows))
                    target.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM part")  # noqa: S608 - our names
                    done += len(rows)
                    told(Part(table, done, total))
            counts[table] = _count(target, table)
            if counts[table] != total:
                raise DashboardError(f"{table} holds {counts[table]:,} rows after the copy, but {total:,} were read.")
    return counts
