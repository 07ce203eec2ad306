"""The console log of a build, in parts: Jenkins says where each part ends, and whether more is being written."""

from collections.abc import Callable
from urllib.parse import quote

from ingest.polling.source import LogResult
from ingest.providers.jenkins.api import Jenkins, place_of
from ingest.providers.jenkins.parse import BESIDE

MOST_PARTS = 1000


async def read_console(jenkins: Jenkins, whose: str, job_id: str, feed: Callable[[bytes], None]) -> LogResult:
    """Read as far as the log is written now: `kept`, or `missing` where it is empty. Raises ProviderUnavailable."""
    place, start = _place(job_id), 0
    for _ in range(MOST_PARTS):
        async with jenkins.log_from(place, start, whose) as response:
            end = int(response.headers.get("X-Text-Size", "0"))
            more = response.headers.get("X-More-Data") == "true"
            async for piece in response.aiter_bytes():
                feed(piece)
        if not more or end <= start:
            break
        start = end
    return "kept" if end else "missing"


def _place(job_id: str) -> str:
    """`team/shop#17`, or `team/shop//jdk=21#17` for a configuration of a matrix project."""
    name, _, number = job_id.rpartition("#")
    job, _, axes = name.partition(BESIDE)
    inside = f"{quote(axes, safe='=,')}/" if axes else ""
    return f"{place_of(job.split('/'))}{inside}{number}/"
