"""Fetching the log of a job from its CI system and keeping it, compressed. Used on demand and behind the rounds."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from core.errors import DashboardError
from core.logs.keep import KeptLog
from core.store import job_logs
from core.store.writer import Writer
from ingest.polling.book import Book
from ingest.polling.http import patiently
from ingest.polling.source import LogAddress, LogResult, Source

log = structlog.get_logger()

# Logs of jobs that failed within this time are fetched without being asked for, after an outage of ours too.
FRESH = timedelta(days=3)
PIECE = 10
ASK_AGAIN = timedelta(minutes=5)
# A CI system may need this long to put the log of a finished job where it can be asked for.
SETTLED = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class WantedLog:
    """A stored job whose log isn't kept. `id` and `attempt_id` are those of its rows."""

    id: str
    attempt_id: str
    address: LogAddress
    status: str
    finished_at: datetime | None

    @classmethod
    def of(cls, row: dict[str, Any]) -> "WantedLog":
        """From a row of the queries `job_log_address` and `poll_wanted_logs`."""
        address = LogAddress(row["repository"], row["run_id"], row["run_attempt"], row["job_id"], row["name"])
        return cls(row["id"], row["attempt_id"], address, row["status"], row["finished_at"])


async def fetch_log(source: Source, writer: Writer, wanted: WantedLog, most_bytes: int) -> LogResult:
    """Fetch a log and keep it, or keep that there is none any more. Raises ProviderUnavailable."""
    result: LogResult = "missing"
    async for attempt in patiently():
        with attempt:
            kept = KeptLog(most_bytes)
            result = await source.read_log(wanted.address, kept.feed)
    now = datetime.now(UTC)
    may_come = wanted.finished_at is None or now - wanted.finished_at < SETTLED
    # A running job's log is read again whenever somebody asks, and once more when it has ended.
    status = "partial" if result == "kept" and wanted.finished_at is None else result
    if result != "missing" or not may_come:
        row = await asyncio.to_thread(
            job_logs.packed,
            kept,
            job_id=wanted.id,
            attempt_id=wanted.attempt_id,
            status=status,
            has_failed=wanted.status == "failed",
            at=now,
        )
        await asyncio.wrap_future(writer.transact(lambda cursor: job_logs.keep(cursor, [row])))
    return result


class FailedLogs:
    """Fetches the logs of jobs that failed on default branches before anybody asks: CI systems drop them some day."""

    def __init__(self, writer: Writer, most_bytes: int) -> None:
        self._writer = writer
        self._most_bytes = most_bytes
        self._not_before: dict[str, datetime] = {}

    async def read_some(self, source: Source, book: Book) -> bool:
        """A few logs of one repository. False where none is wanted that can be fetched now."""
        if book.state.repository_id is None:
            return False
        now = datetime.now(UTC)
        self._not_before = {name: moment for name, moment in self._not_before.items() if moment > now}
        rows = book.rows(
            "poll_wanted_logs",
            provider=source.provider,
            repository_id=book.state.repository_id,
            since=now - FRESH,
            limit=PIECE + len(self._not_before),
        )
        wanted = [WantedLog.of(row) for row in rows if row["id"] not in self._not_before][:PIECE]
        await asyncio.gather(*(self._read(source, one) for one in wanted))
        return bool(wanted)

    async def _read(self, source: Source, wanted: WantedLog) -> None:
        # Whatever comes of it, one that isn't kept then is left alone for a while.
        self._not_before[wanted.id] = datetime.now(UTC) + ASK_AGAIN
        try:
            await fetch_log(source, self._writer, wanted, self._most_bytes)
        except DashboardError as error:
            log.warning("a log can't be fetched", repository=wanted.address.repository, reason=str(error))
