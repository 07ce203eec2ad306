"""Archived files that a question misses on this machine: copied from the bucket, or named in the log."""

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
_told: dict[Path, Sequence[str]] = {}


def found(archive: Archive, names: Sequence[str]) -> list[str]:
    """Those files that can be read here, after a moment's wait for the bucket. Any thread may ask."""
    missing = archive.missing(names)
    if missing and archive.bucket:
        _fetch_soon(archive, missing)
        missing = archive.missing(names)
    with _lock:
        is_new = _told.get(archive.folder, []) != missing
        _told[archive.folder] = missing
    if missing and is_new:
        log.warning(
            "archived files are missing; their rows aren't shown", folder=str(archive.folder), files=len(missing)
        )
    gone = set(missing)
    return [name for name in names if name not in gone]


def _fetch_soon(archive: Archive, missing: Sequence[str]) -> None:
    """Begin to copy files from the bucket, unless that was tried a moment ago."""
    now = time.monotonic()
    with _lock:
        tried_at, names = _tried.get(archive.folder, (-PAUSE_SECONDS, ()))
        if names == missing and now - tried_at < PAUSE_SECONDS:
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
