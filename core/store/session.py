"""The writer's place in a database: a cursor, transactions, and the statements that write rows."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Protocol

import duckdb

from core.errors import StoreUnavailable, first_line
from core.model import WorkflowRun
from core.store import stored_settings
from core.store.cursor import Cursor
from core.store.rows import RowWriter


class Session(Protocol):
    """Used by one thread. `rows` writes into the transaction that is open on `cursor`."""

    @property
    def cursor(self) -> Cursor: ...

    @property
    def rows(self) -> RowWriter: ...

    def begin(self, *, alone: bool) -> None:
        """Open a transaction; `alone`: it must come out as if nothing else had run at the same time."""

    def commit(self) -> None: ...

    def roll_back(self) -> None:
        """Undo what the transaction did, whatever state it is in."""

    def announce(self, runs: Sequence[WorkflowRun]) -> None:
        """Tell other processes, with the commit, of the runs that it brings."""

    def may_repeat(self, error: Exception, tries: int, *, alone: bool) -> bool:
        """Whether the transaction that failed may simply be run again, after the wait that this call takes."""

    def in_a_sentence(self, error: Exception) -> Exception:
        """The error that the caller gets."""

    def prove(self, text: str) -> None:
        """Write `text` into the transaction where nobody reads it, so that its commit takes space on the disk."""

    def close(self) -> None: ...


# The row of the settings table that is written to find out whether anything can be, and by whom.
PROOF, PROVER = "write_proof", "readiness"

# The system's words (strerror) for a disk that takes nothing more; DuckDB passes them on.
_FULL = ("No space left", "quota exceeded", "File too large", "Read-only file system", "Input/output error")


def refusal(error: duckdb.Error) -> StoreUnavailable:
    """What DuckDB's refusal of a write means, in a sentence that says what to do."""
    words = first_line(error)
    if isinstance(error, duckdb.FatalException) or any(part in words for part in _FULL):
        return StoreUnavailable(
            "The database's disk takes nothing more, so nothing was stored.",
            hint="Free some space, or make it writable again; the service goes on by itself, and what is sent again is "
            f"stored. {words}",
        )
    return StoreUnavailable("The database refused the write.", hint=words)


class FileSession:
    """On the DuckDB file that this process owns: nobody else writes, so nothing needs announcing."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.cursor = connection.cursor()
        self.rows = RowWriter(self.cursor)

    def begin(self, *, alone: bool) -> None:  # noqa: ARG002
        self.cursor.execute("BEGIN")

    def commit(self) -> None:
        self.cursor.execute("COMMIT")
        self.rows.is_wary = False

    def roll_back(self) -> None:
        self.rows.forget()
        with suppress(duckdb.Error):  # a fatal error has ended the transaction already
            self.cursor.execute("ROLLBACK")

    def announce(self, runs: Sequence[WorkflowRun]) -> None: ...

    def may_repeat(self, error: Exception, tries: int, *, alone: bool) -> bool:  # noqa: ARG002
        self.rows.is_wary = tries == 1 and isinstance(error, duckdb.ConstraintException)
        return self.rows.is_wary

    def in_a_sentence(self, error: Exception) -> Exception:
        return refusal(error) if isinstance(error, duckdb.Error) else error

    def prove(self, text: str) -> None:
        # A row that the same transaction removed again would not reach the log.
        stored_settings.put(self.cursor, {PROOF: text}, PROVER, datetime.now(UTC))

    def close(self) -> None:
        self.cursor.close()
