"""Logs of GitHub's jobs: each job's own, or else its part of the run's zip. Both lie on another host."""

import asyncio
import lzma
import re
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from typing import IO

from core.errors import ProviderUnavailable
from ingest.polling.source import LogAddress, LogResult
from ingest.providers.github.api import GitHub, runs_of
from ingest.providers.refusals import is_gone, is_missing

Feed = Callable[[bytes], None]

PIECE = 65_536
IN_MEMORY = 4 * 2**20
# In UTF-16 units: https://github.com/cli/cli/issues/5011#issuecomment-1570713070
LONGEST_NAME = 90
# zipfile says RuntimeError of a password or a compression that it doesn't know, EOFError of contents that end early,
# ValueError of places outside the file; each decompressor has its own error (bzip2's is OSError).
UNREADABLE = (zipfile.BadZipFile, RuntimeError, EOFError, ValueError, OSError, zlib.error, lzma.LZMAError)


class Logs:
    def __init__(self, github: GitHub) -> None:
        self._github = github

    async def read(self, job: LogAddress, feed: Feed) -> LogResult:
        """GitHub keeps logs for 90 days (410 afterwards); a job's own may be missing where the run's zip isn't."""
        address = f"repos/{job.repository}/actions/jobs/{job.job_id}/logs"
        try:
            async with self._github.download(address, job.repository) as pieces:
                async for piece in pieces:
                    feed(piece)
        except ProviderUnavailable as error:
            if is_gone(error):
                return "expired"
            if not is_missing(error):
                raise
            return await self._from_zip(job, feed)
        return "kept"

    async def _from_zip(self, job: LogAddress, feed: Feed) -> LogResult:
        address = f"{runs_of(job.repository)}/{job.run_id}/attempts/{job.run_attempt}/logs"
        with tempfile.SpooledTemporaryFile(IN_MEMORY) as file:
            try:
                async with self._github.download(address, job.repository) as pieces:
                    async for piece in pieces:
                        file.write(piece)
            except ProviderUnavailable as error:
                if is_gone(error):
                    return "expired"
                if not is_missing(error):
                    raise
                return "missing"
            return await asyncio.to_thread(unpack, file, job.job_name, feed)


def unpack(file: IO[bytes], job_name: str, feed: Feed) -> LogResult:
    """The log of one job out of a run's zip: its whole log where there is one, else those of its steps in order."""
    name = _as_in_zip(job_name)
    try:
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
            whole = [one for one in names if re.fullmatch(rf"-?\d+_{re.escape(name)}\.txt", one)]
            steps = [one for one in names if re.fullmatch(rf"{re.escape(name)}/\d+_.*\.txt", one)]
            chosen = whole[:1] or sorted(steps, key=lambda one: int(one[len(name) + 1 :].split("_")[0]))
            for one in chosen:
                with archive.open(one) as member:
                    while piece := member.read(PIECE):
                        feed(piece)
    except UNREADABLE:
        raise ProviderUnavailable("GitHub's zip of the run's logs can't be read.") from None
    return "kept" if chosen else "missing"


def _as_in_zip(job_name: str) -> str:
    """A job's name as GitHub writes it into the zip: without what no file name may hold, and cut."""
    allowed = re.sub(r'[/\\:"*?<>|]', "", job_name)
    return allowed.encode("utf-16-le")[: 2 * LONGEST_NAME].decode("utf-16-le", "replace").strip()
