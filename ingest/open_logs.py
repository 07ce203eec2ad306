"""Logs that somebody is reading: opened once for all who read them, the least used closed first."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass

from core.logs.opened import OpenLog
from ingest.joblogs import log_of
from ingest.service import Service

# Packed, a log takes a tenth of its size.
MOST_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Opened:
    """An open log with what is known of it."""

    log: OpenLog
    size_bytes: int
    is_cut: bool
    first_error_line: int | None


class OpenLogs:
    """For one event loop. A kept log never changes, so that an open one needs no second look at the store."""

    def __init__(self) -> None:
        self._open: OrderedDict[str, Opened] = OrderedDict()
        self._opening: dict[str, asyncio.Task[Opened]] = {}

    async def get(self, service: Service, job_id: str) -> Opened:
        """The log of a job, fetched and kept first where it isn't. Whoever asks meanwhile waits for the same.

        Raises NotFound, Gone, ProviderUnavailable.
        """
        if job_id in self._open:
            self._open.move_to_end(job_id)
            return self._open[job_id]
        opening = self._opening.get(job_id)
        if opening is None:
            opening = self._opening[job_id] = asyncio.create_task(self._read(service, job_id))
            opening.add_done_callback(lambda _: self._opening.pop(job_id, None))
        # One reader who goes away must not end it for the others.
        return await asyncio.shield(opening)

    async def _read(self, service: Service, job_id: str) -> Opened:
        row = await log_of(service, job_id)
        log = await asyncio.to_thread(OpenLog, bytes(row["content"]))
        first = row["first_error_line"]
        opened = Opened(log, int(row["size_bytes"]), bool(row["is_cut"]), int(first) if first else None)
        if row["status"] == "kept":
            self._open[job_id] = opened
        while len(self._open) > 1 and sum(each.log.size for each in self._open.values()) > MOST_BYTES:
            self._open.popitem(last=False)
        return opened
