"""When what an answer shows last changed: the header Last-Modified. (ETag: `ingest.guards.etag`.)"""

from collections.abc import Iterable
from datetime import datetime
from email.utils import format_datetime

from fastapi import Response


def last_modified(response: Response, changes: Iterable[datetime | None]) -> None:
    """Set Last-Modified to the newest of `changes`; nothing without any."""
    newest = max((change for change in changes if change), default=None)
    if newest:
        response.headers["Last-Modified"] = format_datetime(newest, usegmt=True)
