"""Numbered forward migrations: `core/sql/migrations/NNNN_name.sql`, each applied once, in one transaction."""

from importlib.resources import files

import duckdb

from core.errors import StoreUnavailable

TABLE = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    version INTEGER PRIMARY KEY, name VARCHAR NOT NULL, applied_at TIMESTAMPTZ NOT NULL
)"""


def known_migrations() -> list[tuple[int, str, str]]:
    """All migrations of this program in order: (version, name, SQL)."""
    folder = files("core") / "sql" / "migrations"
    found = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return [(int(name[:4]), name[5:-4], (folder / name).read_text()) for name in found]


def schema_version(connection: duckdb.DuckDBPyConnection) -> int:
    """The version of an open database; 0 when it has no schema. Raises StoreUnavailable for a foreign database."""
    tables = {
        name
        for (name,) in connection.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_catalog = current_database()"
        ).fetchall()
    }
    if not tables:
        return 0
    if "schema_migrations" not in tables:
        raise StoreUnavailable(
            "The database holds tables of another program.",
            hint="Point DATABASE_URL at a new file; this one was not touched.",
        )
    row = connection.execute("SELECT coalesce(max(version), 0) FROM schema_migrations").fetchone()
    return int(row[0]) if row else 0


def check_not_newer(version: int, newest: int | None = None) -> None:
    """Raise StoreUnavailable if a later program wrote the database."""
    newest = newest or known_migrations()[-1][0]
    if version > newest:
        raise StoreUnavailable(
            f"The database has schema version {version}; this program knows versions up to {newest}.",
            hint="Start the newer program again, or restore a backup; nothing was touched.",
        )


def migrate(connection: duckdb.DuckDBPyConnection) -> int:
    """Bring an open database to the newest schema and return its version. Each migration commits alone."""
    version = schema_version(connection)
    check_not_newer(version)
    connection.execute(TABLE)
    for number, name, sql in known_migrations():
        if number <= version:
            continue
        connection.execute("BEGIN")
        connection.execute(sql)
        connection.execute("INSERT INTO schema_migrations VALUES (?, ?, now())", [number, name])
        connection.execute("COMMIT")
        version = number
    return version
