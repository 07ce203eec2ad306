"""Connections to PostgreSQL: how they are set up, the cursor that the store's functions write through, and the pool."""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg_pool import ConnectionPool, PoolTimeout

from core.errors import StoreUnavailable, first_line
from core.store.postgres.dialect import with_marks

# A server that is gone without a word (power, network) is noticed on both sides within about 15 s: the leader's lock is
# freed and its work taken over. A transaction that hangs between two statements ends after 30 s.
_KEEPALIVE = {"keepalives_idle": "5", "keepalives_interval": "5", "keepalives_count": "2", "tcp_user_timeout": "15000"}
_OPTIONS = (
    "-c timezone=UTC -c jit=off -c tcp_keepalives_idle=5 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=2 "
    "-c tcp_user_timeout=15s -c idle_in_transaction_session_timeout=30s"
)
CONNECT_SECONDS = 10
# How long a reader waits for a free connection, or for a server that restarts.
BORROW_SECONDS = 4
# Longer than any page waits; what takes longer is a mistake that must not hold a connection of the pool.
READ_SECONDS = 60


def connect(
    url: str, name: str, *, read_only: bool = False, idle_seconds: int = 0
) -> "psycopg.Connection[tuple[Any, ...]]":
    """A connection of its own, in autocommit; the server ends it when nothing is asked for `idle_seconds` (0: never).

    Raises StoreUnavailable with the server's reason.
    """
    arguments = _arguments(url, name, read_only)
    if idle_seconds:
        arguments["options"] += f" -c idle_session_timeout={idle_seconds}s"
    try:
        return psycopg.connect(_address(url), autocommit=True, **arguments)
    except psycopg.Error as error:
        raise unavailable(error, url) from None


def pool(url: str, name: str, size: int) -> "ConnectionPool[psycopg.Connection[tuple[Any, ...]]]":
    """Up to `size` connections for reading, made when they are needed and checked before each use."""
    arguments = _arguments(url, name, read_only=True) | {"autocommit": True, "prepare_threshold": None}
    return ConnectionPool(
        _address(url), kwargs=arguments, min_size=0, max_size=size, max_idle=300, timeout=BORROW_SECONDS,
        check=ConnectionPool.check_connection, open=True, name=name,
    )  # fmt: skip


@contextmanager
def borrowed(
    connections: "ConnectionPool[psycopg.Connection[tuple[Any, ...]]]", url: str
) -> "Iterator[psycopg.Connection[tuple[Any, ...]]]":
    """A connection of the pool. What PostgreSQL says against a statement is raised as StoreUnavailable."""
    try:
        with connections.connection() as connection:
            yield connection
    except PoolTimeout:
        # The pool's own word says nothing; the server's does.
        connect(url, "check").close()
        raise StoreUnavailable(
            f"All {connections.max_size} connections to the database were busy for {BORROW_SECONDS} s.",
            hint="Raise DATABASE_POOL_SIZE, or start more replicas.",
        ) from None
    except psycopg.Error as error:
        raise unavailable(error, url) from None


def unavailable(error: psycopg.Error, url: str) -> StoreUnavailable:
    """The error for people: where, and the first line of what the server or the driver said; never the password."""
    reason = first_line(error)
    return StoreUnavailable(f"The database at {place_of(url)} refused: {reason}")


def place_of(url: str) -> str:
    """A database's address without user and password."""
    parts = urlsplit(_address(url))
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))


def _address(url: str) -> str:
    """SQLAlchemy's way of naming a driver (`postgresql+asyncpg://`) and asyncpg's `ssl=` are understood, too."""
    scheme, _, rest = url.partition("://")
    return re.sub(r"([?&])ssl=", r"\1sslmode=", f"{scheme.partition('+')[0]}://{rest}")


def _arguments(url: str, name: str, read_only: bool) -> dict[str, Any]:
    own = str(conninfo_to_dict(_address(url)).get("options") or "")
    reading = f" -c default_transaction_read_only=on -c statement_timeout={READ_SECONDS}s" if read_only else ""
    return {
        **_KEEPALIVE,
        "options": f"{own} {_OPTIONS}{reading}",
        "application_name": f"cicd-health {name}",
        "connect_timeout": str(CONNECT_SECONDS),
    }


class PostgresCursor:
    """A cursor on a connection of its own that takes the store's SQL: DuckDB's dialect, `?` for values."""

    dialect = "postgres"

    def __init__(self, connection: "psycopg.Connection[tuple[Any, ...]]") -> None:
        self.connection = connection
        self._cursor = connection.cursor()

    def execute(self, query: str, parameters: Sequence[Any] = (), /) -> "PostgresCursor":
        """Run a statement. Raises psycopg.Error."""
        return self.run(with_marks(query), parameters) if parameters else self.run(with_marks(query).replace("%%", "%"))

    def run(self, query: str, parameters: Sequence[Any] = ()) -> "PostgresCursor":
        """Run a statement that is PostgreSQL's own already, with `%s` for values where there are any."""
        self._cursor.execute(query, [storable(value) for value in parameters] or None)
        return self

    def executemany(self, query: str, parameters: Iterable[Sequence[Any]], /) -> None:
        rows = [[storable(value) for value in row] for row in parameters]
        self._cursor.executemany(with_marks(query), rows)

    def fetchone(self) -> Any:
        return self._cursor.fetchone() if self._cursor.description else (self._cursor.rowcount,)

    def fetchall(self) -> list[Any]:
        return self._cursor.fetchall() if self._cursor.description else [(self._cursor.rowcount,)]

    @property
    def description(self) -> Any:
        return self._cursor.description

    def close(self) -> None:
        self._cursor.close()


def storable(value: Any) -> Any:
    """PostgreSQL's text can't hold the character NUL, which webhooks may send."""
    if isinstance(value, str) and "\0" in value:
        return value.replace("\0", "\N{REPLACEMENT CHARACTER}")
    return value
