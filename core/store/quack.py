"""The read-only SQL endpoint: DuckDB's Quack protocol on loopback, one SELECT at a time, with a token.

Served by the ingest process; used by the dashboard and by any notebook or DuckDB shell.
"""

import os
import secrets
from pathlib import Path

import duckdb

from core.errors import StoreUnavailable
from core.settings import Settings
from core.store.extensions import load_quack

# Being a SELECT isn't enough: `SELECT * FROM quack_stop(...)` is one too. So table functions are admitted by name, and
# as many must be found by name as there are in all (an alias that hides one from the pattern makes the counts differ).
TABLE_FUNCTIONS = (
    "unnest", "range", "generate_series", "json_each", "json_tree", "duckdb_tables", "duckdb_columns", "duckdb_views",
    "duckdb_schemas", "duckdb_databases", "duckdb_types", "duckdb_constraints", "pragma_table_info",
)  # fmt: skip
REFUSED_SCALARS = ("write_log", "sleep_ms", "setseed", "nextval")

# Quack asks this macro about every statement; DuckDB's own parser serialises nothing but a SELECT. Inside the JSON a
# string of the statement has its quotes escaped, so no string literal can look like a function call.
AUTHORISATION = f"""
CREATE OR REPLACE MACRO admit_select(session_id, statement) AS (
    WITH parsed AS (SELECT json_serialize_sql(statement::VARCHAR)::VARCHAR AS tree)
    SELECT json_extract_string(tree, '$.error') = 'false'
        AND len(regexp_extract_all(tree, '"type":"TABLE_FUNCTION"')) = len(regexp_extract_all(
            tree, '"type":"TABLE_FUNCTION"[^{{]*"function":[{{][^{{]*"function_name":"({"|".join(TABLE_FUNCTIONS)})"'))
        AND NOT regexp_matches(tree, '"function_name":"(quack_[a-z_]*|{"|".join(REFUSED_SCALARS)})"')
    FROM parsed)"""  # noqa: S608 - only constants of this module


# Whoever is killed in the middle of a result leaves its connection behind, with 60 MB and a view of the past: the
# server never notices. Nobody's question takes so long, nor do so many at once take a while.
LONG_SECONDS = 300
MANY, WHILE_SECONDS = 8, 20


def token_of(path: Path, configured: str | None) -> str:
    """The endpoint's token: the configured one, else one made once and kept in `path` with mode 0600."""
    return configured or kept_token(path) or _made_token(path)


def token(chosen: Settings) -> str:
    """The endpoint's token by the settings."""
    configured = chosen.quack_token.get_secret_value() if chosen.quack_token else None
    return token_of(chosen.quack_token_path, configured)


def kept_token(path: Path) -> str:
    """The token in `path`; empty where none was made yet, or a crash of the machine left an empty file of it."""
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        return ""


def _made_token(path: Path) -> str:
    made, token = path.with_name(f"{path.name}.new"), secrets.token_hex(24)
    handle = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(token)
        file.flush()
        os.fsync(handle)
    made.replace(path)
    return token


def serve(connection: duckdb.DuckDBPyConnection, port: int, token: str) -> None:
    """Serve `connection`'s database on 127.0.0.1."""
    load_quack(connection)
    connection.execute(AUTHORISATION)
    connection.execute("SET GLOBAL quack_authorization_function = 'admit_select'")
    _listen(connection, port, token)


def renew_if_littered(connection: duckdb.DuckDBPyConnection, port: int, token: str) -> bool:
    """End all connections where lost ones have gathered; whether that was so. Who is being answered asks again."""
    with connection.cursor() as cursor:
        row = cursor.execute(
            """SELECT count(*) FILTER (WHERE age > ?), count(*) FILTER (WHERE age > ?)
            FROM (SELECT epoch((now() AT TIME ZONE 'UTC') - query_started_at) AS age
                FROM quack_active_connections() WHERE state = 'active')""",
            [LONG_SECONDS, WHILE_SECONDS],
        ).fetchone()
        assert row
        if row[0] == 0 and row[1] < MANY:
            return False
        stop(cursor, port)
        _listen(cursor, port, token)
        return True


def _listen(connection: duckdb.DuckDBPyConnection, port: int, token: str) -> None:
    try:
        connection.execute(
            f"CALL quack_serve('quack:127.0.0.1:{port}', token := '{token.replace(chr(39), chr(39) * 2)}')"
        )
    except duckdb.Error as error:
        raise StoreUnavailable(
            f"The SQL endpoint can't listen on port {port}.",
            hint=f"Set QUACK_PORT to a free port. {str(error).splitlines()[0]}",
        ) from None


def lock(connection: duckdb.DuckDBPyConnection, *folders: Path) -> None:
    """Shut the database off from files and the network, but for these folders (backups, archived runs)."""
    connection.execute("SET allowed_directories = ?", [[f"{folder.resolve()}/" for folder in folders]])
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def stop(connection: duckdb.DuckDBPyConnection, port: int) -> None:
    """Stop serving; clients get an error and fall back to the file."""
    connection.execute(f"CALL quack_stop('quack:127.0.0.1:{port}')")
