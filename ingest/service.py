"""What runs inside the ingest process: the database it owns, its one writer, the SQL endpoint and the timer."""

import asyncio
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import structlog

from core.errors import DashboardError
from core.settings import Settings
from core.store import quack, stored_settings
from core.store.duckdb_file import open_owned
from core.store.reader import OwnerReader
from core.store.telling import Policy
from core.store.writer import Writer
from ingest.access.callers import Callers
from ingest.alerting.evaluator import Evaluator
from ingest.alerting.sender import Sender, channels_of
from ingest.polling.engine import Polling
from ingest.scheduler import Timer

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Service:
    """One running ingest process."""

    settings: Settings
    connection: duckdb.DuckDBPyConnection
    writer: Writer
    reader: OwnerReader
    polling: Polling
    timer: Timer
    callers: Callers
    evaluator: Evaluator
    sender: Sender

    @classmethod
    def start(cls, settings: Settings) -> "Service":
        """Open the database, serve it, start the writer and the timer. Raises DashboardError, leaving nothing open."""
        path = settings.database_path
        gather = timedelta(seconds=settings.alert_group_seconds)
        sender = Sender(channels_of(settings), settings.frontend_origin, gather)
        connection = open_owned(path, memory_limit=settings.duckdb_memory_limit, threads=settings.duckdb_threads)
        try:
            configured = settings.quack_token.get_secret_value() if settings.quack_token else None
            token = quack.token_of(settings.quack_token_path, configured)
            quack.serve(connection, settings.quack_port, token)
            quack.lock(connection, backup_folder(settings))
        except BaseException:
            connection.close()
            raise
        # The writer's thread comes back from DuckDB a dozen times in each commit; by default a busy event loop
        # keeps it waiting for 5 ms each time.
        sys.setswitchinterval(0.0005)
        evaluator = Evaluator(Policy(tuple(sender.channels), settings.notify_min_severity), sender.wake)
        writer = Writer(connection, on_runs=evaluator.notice)
        reader = OwnerReader(connection)
        polling = Polling(settings, reader, writer)
        try:
            polling.start()
        except BaseException:
            polling.stop()
            writer.close()
            quack.stop(connection, settings.quack_port)
            connection.close()
            raise
        sender.start(writer)
        evaluator.start(writer)
        configured_key = settings.api_write_key.get_secret_value() if settings.api_write_key else None
        now = datetime.now(UTC)
        writer.transact(lambda cursor: stored_settings.seed_write_key(cursor, configured_key, now)).result()
        timer = Timer(writer, settings, evaluator, polling)
        if settings.run_scheduler:
            timer.start()
        log.info("ingest started", database=str(path), sql_endpoint=f"127.0.0.1:{settings.quack_port}")
        return cls(settings, connection, writer, reader, polling, timer, Callers(settings, reader), evaluator, sender)

    async def stop(self) -> None:
        """Finish what was accepted, write it into the database file and let go of the file."""
        await asyncio.to_thread(self._stop)

    def _stop(self) -> None:
        self.polling.stop()
        self.timer.stop()
        self.evaluator.stop()
        self.sender.stop()
        self.writer.close()
        quack.stop(self.connection, self.settings.quack_port)
        try:
            self.connection.execute("CHECKPOINT")
        except duckdb.Error as error:
            log.warning(
                "no checkpoint on stop; the write-ahead log keeps the data", reason=str(error).split("\n", 1)[0]
            )
        self.connection.close()
        log.info("ingest stopped")


def backup_folder(settings: Settings) -> Path:
    """Where backups are made while serving: beside the database."""
    folder = settings.database_path.parent / "backups"
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise DashboardError(f"The folder {folder} can't be made: {error.strerror}.") from None
    return folder
