"""What brings a DuckDB service back by itself after its disk was full.

DuckDB gives a database up for the rest of the process when it can't finish a checkpoint: every statement then fails,
also once there is space again. All that was committed is in the file and its log, so the process replaces itself by a
fresh one, as soon as the disk takes what a checkpoint writes.
"""

import os
import sys
import threading
from contextlib import suppress
from pathlib import Path

import duckdb
import structlog

from core.errors import first_line

log = structlog.get_logger()

LOOK_SECONDS = 1.0
# Beside twice the log, which a checkpoint writes into the file block by block.
SPARE_BYTES = 8_000_000
PIECE = b"\0" * 1_000_000


class Recovery:
    """A thread that watches the connection of the process that owns a database."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, database: Path) -> None:
        self._connection = connection
        self._database = database
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="recovery", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()

    def _watch(self) -> None:
        is_told = False
        while not self._stopping.wait(LOOK_SECONDS):
            if not (reason := _given_up(self._connection)):
                continue
            if not is_told:
                log.error("the database was given up; waiting for space on its disk", reason=reason)
                is_told = True
            if has_space(self._database):
                log.warning("starting again: the disk has space")
                os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 - this very program


def _given_up(connection: duckdb.DuckDBPyConnection) -> str:
    """Why DuckDB has given the database up; empty while it hasn't."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except duckdb.FatalException as error:
        return first_line(error)
    return ""


def has_space(database: Path) -> bool:
    """Whether the disk takes a file that reaches beyond the database's end by what a checkpoint needs: it is tried."""
    sizes = [path.stat().st_size if path.exists() else 0 for path in (database, Path(f"{database}.wal"))]
    needed = 2 * sizes[1] + SPARE_BYTES
    probe = database.with_name(f"{database.name}.probe")
    try:
        with probe.open("wb") as file:
            file.seek(sizes[0])  # a hole takes no space, but counts against a limit on a file's size
            for _ in range(needed // len(PIECE) + 1):
                file.write(PIECE)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        return False
    finally:
        with suppress(OSError):
            probe.unlink(missing_ok=True)
    return True
