"""The log of a job: from the store, or else from the CI system and then kept."""

import asyncio
from typing import Any

from core.errors import Gone, NotFound
from ingest.api.frames import records
from ingest.polling.logs import WantedLog, fetch_log
from ingest.service import Service

Row = dict[str, Any]


async def log_of(service: Service, job_id: str) -> Row:
    """The kept row of a stored job's log, fetched first where it isn't kept.

    Raises NotFound (also for a log that isn't there yet), Gone, ProviderUnavailable.
    """
    kept = await _rows(service, "job_log", job_id)
    # One that wasn't there, or not all of it, may have come meanwhile; one that has expired won't come back.
    if not kept or kept[0]["status"] in ("missing", "partial"):
        await _fetch(service, job_id)
        kept = await _rows(service, "job_log", job_id)
    if not kept or kept[0]["status"] == "missing":
        raise NotFound("The CI system has no log of this job.", hint="A running job's log appears once it has ended.")
    if kept[0]["status"] == "expired":
        raise Gone("The log has expired at the CI system and was not kept.")
    return kept[0]


async def _fetch(service: Service, job_id: str) -> None:
    found = await _rows(service, "job_log_address", job_id)
    source = service.polling.sources.get(found[0]["provider"]) if found else None
    if source is None:
        raise NotFound("This log isn't kept, and its CI system isn't set up for fetching it.")
    fetching = fetch_log(source, service.writer, WantedLog.of(found[0]), service.settings.log_max_bytes)
    await asyncio.wrap_future(service.polling.submit(fetching))


async def _rows(service: Service, query: str, job_id: str) -> list[Row]:
    return records(await asyncio.to_thread(service.reader.frame, query, id=job_id))
