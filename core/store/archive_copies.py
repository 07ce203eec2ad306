"""This machine's copies of the archived files in a bucket, fetched when a question misses them."""

import threading
import time
from collections.abc import Sequence
from pathlib import Path

import structlog

from core.errors import StoreUnavailable
from core.store.archive_files import Archive

log = structlog.get_logger()

# A bucket that is away is asked again after so long; who asks for what just moved waits for it for a moment.
PAUSE_SECONDS, WAIT_SECONDS = 60.0, 3.0

_lock = threading.Lock()
_tried: dict[Path, tuple[float, Sequence[str]]] = {}


def fetch_soon(archive: Archive, missing: Sequence[str]) -> None:
    """Begin to copy files from the bucket, if there is one, unless that was tried a moment ago. Any thread may ask."""
    now = time.monotonic()
    with _lock:
        tried_at, names = _tried.get(archive.folder, (-PAUSE_SECONDS, ()))
        if not archive.bucket or (names == missing and now - tried_at < PAUSE_SECONDS):
            return
        _tried[archive.folder] = now, missing
    thread = threading.Thread(target=_fetch, args=(archive, missing), name="archive copies", daemon=True)
    thread.start()
    thread.join(WAIT_SECONDS)


def _fetch(archive: Archive, missing: Sequence[str]) -> None:
    try:
        archive.fetch(missing)
    except StoreUnavailable as error:
        log.warning("archived files could not be fetched", reason=str(error))
