"""The log of a job: from the store, or else from the CI system and then kept."""

import asyncio
from datetime import UTC, datetime
from typing import Any

from core.errors import Gone, NotFound
from core.logs.keep import KeptLog
from core.store import job_logs
from ingest.api.frames import records
from ingest.service import Service

Row = dict[str, Any]


async def log_of(service: Service, job: Row, repository: str, provider: str) -> Row:
    """The kept row of a job's log, fetched first where it isn't kept. Raises NotFound, Gone, ProviderUnavailable."""
    rows = records(await asyncio.to_thread(service.reader.frame, "job_log", id=job["id"]))
    if not rows:
        source = service.polling.sources.get(provider)
        if source is None:
            raise NotFound("This log isn't kept, and its CI system isn't set up for fetching it.")
        kept = KeptLog(service.settings.log_max_bytes)
        status = await asyncio.wrap_future(
            service.polling.submit(source.read_log(repository, job["job_id"], kept.feed))
        )
        await asyncio.to_thread(_keep, service, job, status, kept)
        rows = records(await asyncio.to_thread(service.reader.frame, "job_log", id=job["id"]))
    if rows[0]["status"] == "expired":
        raise Gone("The log has expired at the CI system and was not kept.")
    if rows[0]["status"] == "missing":
        raise NotFound("The CI system has no log of this job.")
    return rows[0]


def _keep(service: Service, job: Row, status: str, kept: KeptLog) -> None:
    log = job_logs.packed(
        kept,
        job_id=job["id"],
        attempt_id=job["attempt_id"],
        status=status,
        has_failed=job["status"] == "failed",
        at=datetime.now(UTC),
    )
    service.writer.transact(lambda cursor: job_logs.keep(cursor, [log])).result()
