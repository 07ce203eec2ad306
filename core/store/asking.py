"""Answering a person's own SQL: one SELECT over the data of runs, within bounds, so that none can hang the service."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import duckdb

from core.errors import BadRequest, TooManyRequests

MOST_ROWS = 10_000
MOST_TEXT = 2_000
AT_ONCE = 2

# What the documented views are made of. Settings, deliveries and messages may hold what is not for everybody's eyes.
OPEN_TABLES = frozenset({"pipelines", "workflow_runs", "jobs", "steps", "alerts", "alert_events"})
LINE = re.compile(r"\bLINE (\d+):")

_places = threading.BoundedSemaphore(AT_ONCE)


@dataclass(frozen=True, slots=True)
class Answer:
    """Names and types (DuckDB's words) of the columns, and the rows as plain JSON values; `is_cut`: there are more."""

    columns: list[str]
    types: list[str]
    rows: list[list[Any]]
    is_cut: bool


@contextmanager
def place_to_answer() -> Iterator[None]:
    """One of the AT_ONCE places of this process. Raises TooManyRequests where all are taken."""
    if not _places.acquire(blocking=False):
        raise TooManyRequests("Other queries are running.", hint="Try again in a few seconds.")
    try:
        yield
    finally:
        _places.release()


def ask(connection: duckdb.DuckDBPyConnection, sql: str, *, limit: int, seconds: float) -> Answer:
    """The first `limit` rows of one SELECT, or what DuckDB says against it.

    Admitted is what the SQL endpoint admits (`core.store.quack`), over OPEN_TABLES. Stopped after `seconds`.
    Raises BadRequest with DuckDB's words, TooManyRequests where AT_ONCE questions are being answered already.
    """
    asked = sql.strip().rstrip(";").strip()
    try:
        with place_to_answer(), connection.cursor() as cursor:
            _admit(cursor, asked)
            stop = threading.Timer(seconds, cursor.interrupt)
            stop.start()
            try:
                return _answer(cursor, asked, limit)
            except duckdb.InterruptException:
                raise BadRequest(
                    f"The query was stopped after {seconds:g} s.", hint="Ask for less time, or count before you list."
                ) from None
            finally:
                stop.cancel()
    except duckdb.Error as error:
        raise BadRequest(_words(error)) from None


def _admit(cursor: duckdb.DuckDBPyConnection, asked: str) -> None:
    row = cursor.execute("SELECT json_serialize_sql(?::VARCHAR)", [asked]).fetchone()
    parsed = duckdb.execute("SELECT ?::JSON ->> 'error', ?::JSON ->> 'error_message'", [row[0], row[0]]).fetchone()  # type: ignore[index]
    if parsed and parsed[0] == "true":
        raise BadRequest(str(parsed[1] or "This is no SELECT."))
    admitted = cursor.execute("SELECT admit_select('', ?)", [asked]).fetchone()
    if not admitted or not admitted[0]:
        raise BadRequest("Only one SELECT is answered here, without functions that reach outside the data.")
    closed = sorted(cursor.get_table_names(asked) - OPEN_TABLES)
    if closed:
        raise BadRequest(f"{', '.join(closed)} can't be read here.", hint="The views are listed beside the query.")


def _answer(cursor: duckdb.DuckDBPyConnection, asked: str, limit: int) -> Answer:
    found = cursor.execute(f"SELECT * FROM (\n{asked}\n) AS asked LIMIT {limit + 1:d}")  # noqa: S608 - admitted above
    described = found.description or []
    rows = found.fetchall()
    return Answer(
        [str(column[0]) for column in described],
        [str(column[1]) for column in described],
        [[plain(value) for value in row] for row in rows[:limit]],
        len(rows) > limit,
    )


def plain(value: Any) -> Any:
    """A value as JSON has it; what JSON has no word for, as text."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float | Decimal):
        number = float(value)
        return number if abs(number) < float("inf") else None
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    text = value if isinstance(value, str) else str(value)
    return text if len(text) <= MOST_TEXT else f"{text[:MOST_TEXT]} …"


def _words(error: duckdb.Error) -> str:
    """DuckDB's message, its line numbers counted in what was asked."""
    return LINE.sub(lambda found: f"LINE {max(1, int(found[1]) - 1)}:", str(error))
