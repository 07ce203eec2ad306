"""The same numbered migrations on PostgreSQL, one process at a time."""

from importlib.resources import files
from typing import Any

import psycopg

from core.errors import StoreUnavailable
from core.store.migrations import TABLE, check_not_newer, known_migrations
from core.store.postgres.connection import PostgresCursor, unavailable
from core.store.postgres.dialect import translated

# Any number will do, as long as nothing else locks it.
_LOCK = 7_461_001


def migrate_postgres(connection: "psycopg.Connection[tuple[Any, ...]]", url: str) -> None:
    """Bring the database to the newest schema; replicas that start at once wait for each other.

    Raises StoreUnavailable for a database that holds tables of another program or of a later version of this one.
    """
    cursor = PostgresCursor(connection)
    try:
        cursor.run("SELECT pg_advisory_lock(%s)", [_LOCK])
        try:
            _migrate(cursor)
        finally:
            cursor.run("SELECT pg_advisory_unlock(%s)", [_LOCK])
    except psycopg.Error as error:
        raise unavailable(error, url) from None


def _migrate(cursor: PostgresCursor) -> None:
    listed = cursor.run("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()").fetchall()
    tables = {name for (name,) in listed}
    if tables and "schema_migrations" not in tables:
        raise StoreUnavailable(
            "The database holds tables of another program.",
            hint="Point DATABASE_URL at an empty one; this one was not touched.",
        )
    cursor.execute(TABLE)
    applied = {number for (number,) in cursor.run("SELECT version FROM schema_migrations").fetchall()}
    migrations = sorted(_migrations())
    check_not_newer(max(applied, default=0), migrations[-1][0])
    for number, name, sql in migrations:
        if number in applied:
            continue
        cursor.run("BEGIN")
        try:
            cursor.run(sql)
            cursor.run("INSERT INTO schema_migrations VALUES (%s, %s, now())", [number, name])
            cursor.run("COMMIT")
        except psycopg.Error:
            cursor.run("ROLLBACK")
            raise


def _migrations() -> list[tuple[int, str, str]]:
    """Those that DuckDB knows, translated unless there is an own text, and those of PostgreSQL alone."""
    folder = files("core") / "sql" / "postgres" / "migrations"
    own = {entry.name[:-4]: entry.read_text() for entry in folder.iterdir() if entry.name.endswith(".sql")}
    shared = {f"{number:04d}_{name}": sql for number, name, sql in known_migrations()}
    texts = {name: translated(sql) for name, sql in shared.items() if name not in own} | own
    return [(int(name[:4]), name[5:], sql) for name, sql in texts.items()]
