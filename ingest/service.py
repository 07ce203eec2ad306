"""What runs inside an ingest process: the database, its writer, the SQL endpoint, and what one process does for all."""

import asyncio
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog

from core.errors import DashboardError
from core.settings import Settings
from core.store import providers, quack, stored_settings
from core.store.database import OwnedFile, SharedPostgres, open_database
from core.store.postgres.reader import PostgresReader
from core.store.reader import OwnerReader
from core.store.telling import Policy
from core.store.writer import Writer
from ingest.access.callers import Callers
from ingest.alerting.evaluator import Evaluator
from ingest.alerting.sender import Sender, channels_of
from ingest.duties import Duties
from ingest.insight_jobs import InsightJobs
from ingest.leadership import Leadership, somebody_leads
from ingest.polling.engine import Polling
from ingest.providers.about import provider_rows
from ingest.recovery import Recovery
from ingest.scheduler import Timer
from ingest.seen import Seen

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Service:
    """One running ingest process. On PostgreSQL it may be one of several; `leadership` is None where it never leads."""

    settings: Settings
    database: OwnedFile | SharedPostgres
    writer: Writer
    reader: OwnerReader | PostgresReader
    polling: Polling
    timer: Timer
    callers: Callers
    evaluator: Evaluator
    sender: Sender
    duties: Duties
    leadership: Leadership | None
    seen: Seen
    recovery: Recovery | None

    @classmethod
    def start(cls, settings: Settings) -> "Service":
        """Open the database, start the writer and the duties. Raises DashboardError, leaving nothing open."""
        gather = timedelta(seconds=settings.alert_group_seconds)
        sender = Sender(channels_of(settings), settings.frontend_origin, gather)
        database = open_database(settings)
        try:
            if isinstance(database, OwnedFile):
                _serve_sql(database, settings)
            # The writer's thread comes back from DuckDB a dozen times in each commit; by default a busy event loop
            # keeps it waiting for 5 ms each time.
            sys.setswitchinterval(0.0005)
            evaluator = Evaluator(Policy(tuple(sender.channels), settings.notify_min_severity), sender.wake)
            # Of what was stored in a shared database, the leader hears by its notification.
            is_own = isinstance(database, OwnedFile)
            writer = Writer(database.session(), on_runs=evaluator.notice) if is_own else Writer(database.session())
        except BaseException:
            database.close()
            raise
        polling = Polling(settings, database.reader, writer)
        try:
            polling.start()
        except BaseException:
            polling.stop()
            writer.close()
            _close(database, settings)
            raise
        timer = Timer(
            database, writer, settings, evaluator, polling, InsightJobs(database.reader, writer, settings, sender)
        )
        duties = Duties(settings, writer, polling, evaluator, sender, timer)
        configured_key = settings.api_write_key.get_secret_value() if settings.api_write_key else None
        now = datetime.now(UTC)
        writer.transact(lambda cursor: stored_settings.seed_write_key(cursor, configured_key, now)).result()
        known = provider_rows(settings, polling.sources)
        writer.transact(lambda cursor: providers.put(cursor, known)).result()
        leadership = None
        if is_own:
            duties.take_on()
        elif settings.run_scheduler:
            leadership = duties.leadership()
            leadership.start()
        recovery = Recovery(database.connection, database.path) if isinstance(database, OwnedFile) else None
        if recovery:
            recovery.start()
        log.info("ingest started", database=database.place)
        callers = Callers(settings, database.reader)
        return cls(
            settings, database, writer, database.reader, polling, timer, callers, evaluator, sender, duties, leadership,
            Seen(None if isinstance(database, OwnedFile) else database.memory), recovery,
        )  # fmt: skip

    @property
    def leads(self) -> bool:
        """Whether this process does at the moment what only one may do."""
        return self.leadership.leads if self.leadership else isinstance(self.database, OwnedFile)

    def is_led(self) -> bool:
        """Whether this or another process does what only one may do. Raises StoreUnavailable."""
        if isinstance(self.reader, OwnerReader):
            return True
        with self.reader.connection() as connection:
            return somebody_leads(connection)

    async def stop(self) -> None:
        """Finish what was accepted, write it into the database and let go of it."""
        await asyncio.to_thread(self.stop_now)

    def stop_now(self) -> None:
        if self.recovery:
            self.recovery.stop()
        self.polling.stop()
        if self.leadership:
            self.leadership.stop()
        else:
            self.duties.lay_down()
        self.writer.close()
        _close(self.database, self.settings)
        log.info("ingest stopped")


def _serve_sql(database: OwnedFile, settings: Settings) -> None:
    quack.serve(database.connection, settings.quack_port, quack.token(settings))
    quack.lock(database.connection, backup_folder(settings), settings.archive_path)
    log.info("SQL endpoint ready", address=f"127.0.0.1:{settings.quack_port}")


def _close(database: OwnedFile | SharedPostgres, settings: Settings) -> None:
    if isinstance(database, OwnedFile):
        quack.stop(database.connection, settings.quack_port)
    database.close()


def backup_folder(settings: Settings) -> Path:
    """Where backups are made while serving: beside the database."""
    folder = settings.database_path.parent / "backups"
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise DashboardError(f"The folder {folder} can't be made: {error.strerror}.") from None
    return folder
