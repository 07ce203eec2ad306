"""Reading: named queries in, pandas frames out, from wherever the data can be reached right now."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, Protocol

import duckdb
import pandas as pd
import pyarrow as pa

from core.errors import StoreUnavailable, first_line
from core.queries import Value, bound
from core.store.duckdb_file import open_read_only
from core.store.extensions import load_quack
from core.store.quack import kept_token
from core.store.session import refusal

# What Quack answers to who fetches from a connection that it has ended.
RENEWED = "Invalid connection id"

Source = Literal["live", "file"]


class Reader(Protocol):
    def frame(self, query: str, **parameters: Value) -> pd.DataFrame:
        """The rows of a named query. Raises StoreUnavailable when the data can't be reached."""


class OwnerReader:
    """Reads in the process that owns the database; every call has its own cursor, so threads don't meet."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def frame(self, query: str, **parameters: Value) -> pd.DataFrame:
        try:
            with self._connection.cursor() as cursor:
                return cursor.execute(bound(query, parameters)).df()
        except duckdb.FatalException as error:  # given up, until the process has replaced itself
            raise refusal(error) from None

    def batches(self, query: str, rows: int, **parameters: Value) -> Iterator[pa.RecordBatch]:
        """The rows of a named query, about `rows` at a time, of one moment; at least one batch, perhaps empty."""
        with self._connection.cursor() as cursor:
            reader = cursor.execute(bound(query, parameters)).to_arrow_reader(rows)
            yield pa.RecordBatch.from_pylist([], schema=reader.schema)
            yield from reader


class RemoteReader:
    """Reads from another process: over Quack while ingest runs, else from the file itself, read-only and briefly.

    `source` tells which of the two answered last.
    """

    def __init__(
        self, *, port: int, token: str | None, token_path: Path, database: Path, archive: Path | None = None
    ) -> None:
        self._address = f"quack:127.0.0.1:{port}"
        self._token = token
        self._token_path = token_path
        self._database = database
        self._archive = archive
        self._client: duckdb.DuckDBPyConnection | None = None
        self._lock = threading.Lock()
        self.source: Source = "live"

    def frame(self, query: str, **parameters: Value) -> pd.DataFrame:
        return self.sql(bound(query, parameters))

    def sql(self, sql: str) -> pd.DataFrame:
        """The rows of one SELECT. Raises duckdb.Error when the server refuses or can't run it."""
        try:
            rows = self._ask_twice(sql)
        except (duckdb.IOException, duckdb.HTTPException, FileNotFoundError):
            rows = self._ask_file(sql)
            self.source = "file"
            return rows
        self.source = "live"
        return rows

    def _ask_twice(self, sql: str) -> pd.DataFrame:
        """Ask again where the server was renewed in the middle of the answer (`quack.renew_if_littered`)."""
        try:
            return self._ask_server(sql)
        except duckdb.InvalidInputException as error:
            if RENEWED not in str(error):
                raise
        return self._ask_server(sql)

    def _ask_server(self, sql: str) -> pd.DataFrame:
        if not (token := self._token or kept_token(self._token_path)):
            raise FileNotFoundError(self._token_path)
        with self._connection().cursor() as cursor:
            return cursor.execute(
                "FROM quack_query($address, $sql, token := $token)",
                {"address": self._address, "sql": sql, "token": token},
            ).df()

    def _ask_file(self, sql: str) -> pd.DataFrame:
        try:
            with open_read_only(self._database, self._archive) as connection:
                return connection.execute(sql).df()
        except duckdb.Error as error:
            raise StoreUnavailable("The database can't be read.", hint=first_line(error)) from None

    def _connection(self) -> duckdb.DuckDBPyConnection:
        with self._lock:
            if self._client is None:
                client = duckdb.connect(config={"threads": 1, "memory_limit": "512MB"})
                client.execute("SET GLOBAL TimeZone = 'UTC'")
                load_quack(client)
                self._client = client
            return self._client
