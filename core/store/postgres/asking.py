"""Answering a person's own SQL on PostgreSQL: DuckDB's SELECT in PostgreSQL's words, within the same bounds as there.

The server runs it in a transaction that is read-only, ends after some seconds, uses one core, and is rolled back.
"""

from typing import Any

import psycopg
from psycopg import errors, sql

from core.errors import BadRequest
from core.store.asking import MOST_TEXT, Answer, place_to_answer, plain
from core.store.postgres.admitting import admitted
from core.store.postgres.reader import PostgresReader

# What a column holds, in DuckDB's words; everything else is asked for as text.
_WORDS = {
    16: "BOOLEAN", 20: "BIGINT", 21: "SMALLINT", 23: "INTEGER", 700: "FLOAT", 701: "DOUBLE", 1082: "DATE",
    1114: "TIMESTAMP", 1184: "TIMESTAMP WITH TIME ZONE", 1186: "INTERVAL", 1700: "DECIMAL",
}  # fmt: skip
_GONE = ("08", "57")  # SQLSTATE classes: the connection, the server's own end


def ask(reader: PostgresReader, asked: str, *, limit: int, seconds: float) -> Answer:
    """The first `limit` rows of one SELECT, or what stands against it. Stopped after `seconds`.

    Raises BadRequest with the reason, TooManyRequests where others are being answered, StoreUnavailable.
    """
    text = admitted(asked)
    with place_to_answer(), reader.connection() as connection, connection.transaction(force_rollback=True):
        connection.execute("SET TRANSACTION READ ONLY")
        connection.execute(
            "SELECT set_config('statement_timeout', %s, TRUE), set_config('standard_conforming_strings', 'on', TRUE), "
            "set_config('max_parallel_workers_per_gather', '0', TRUE)",
            [f"{max(1, round(seconds * 1000))}ms"],
        )
        try:
            return _answer(connection, text, limit)
        except errors.QueryCanceled:
            raise BadRequest(
                f"The query was stopped after {seconds:g} s.", hint="Ask for less time, or count before you list."
            ) from None
        except psycopg.Error as error:
            if isinstance(error, psycopg.OperationalError) and (error.sqlstate or "08")[:2] in _GONE:
                raise
            raise BadRequest(str(error).strip()) from None


def _answer(connection: "psycopg.Connection[tuple[Any, ...]]", text: str, limit: int) -> Answer:
    query = sql.SQL(text)  # made from a checked tree, every name in quotes
    described = connection.execute(sql.SQL("SELECT * FROM ({}) AS asked LIMIT 0").format(query)).description or []
    names = [sql.Identifier(f"c{place}") for place in range(len(described))]
    # A text may be as long as a gigabyte; what nobody would read is cut where it is.
    read = [
        name if column.type_code in _WORDS else sql.SQL("left({}::text, {})").format(name, MOST_TEXT + 1)
        for name, column in zip(names, described, strict=True)
    ]
    whole = sql.SQL("SELECT {} FROM ({}) AS asked({}) LIMIT {}").format(
        sql.SQL(", ").join(read), query, sql.SQL(", ").join(names), limit + 1
    )
    rows = connection.execute(whole).fetchall()
    return Answer(
        [column.name for column in described],
        [_WORDS.get(column.type_code, "VARCHAR") for column in described],
        [[plain(value) for value in row] for row in rows[:limit]],
        len(rows) > limit,
    )
