"""How time is cut for GitHub's listings, which end after 1,000 results. Pure.

The cuts stand at fixed moments, so that the address of a listing of the past stays the same from day to day and its
ETag goes on to answer "nothing changed", at no cost.
"""

from datetime import UTC, datetime, timedelta

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
BLOCK = 8
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Window = tuple[datetime, datetime]


def windows(since: datetime, now: datetime) -> list[Window]:
    """Windows from tomorrow back to the day of `since`, newest first: whole blocks of 8 days where they fit, else days.

    The days around the present, where runs still begin, are cut small; the past is asked for in few requests.
    """
    first, last = (since - EPOCH) // DAY, (now - EPOCH) // DAY + 1
    found: list[Window] = []
    day = first
    while day <= last:
        whole = day % BLOCK == 0 and day + BLOCK <= last - 1
        length = BLOCK if whole else 1
        found.append((EPOCH + day * DAY, EPOCH + (day + length) * DAY - SECOND))
        day += length
    return found[::-1]


def halves(window: Window) -> tuple[Window, Window] | None:
    """The newer and the older half; None for a window of one second, which can't be cut."""
    start, end = window
    seconds = int((end - start).total_seconds())
    if seconds < 1:
        return None
    middle = start + timedelta(seconds=seconds // 2)
    return (middle + SECOND, end), (start, middle)


def created(window: Window) -> str:
    """The window in GitHub's search syntax, both ends included."""
    return "..".join(moment.strftime("%Y-%m-%dT%H:%M:%SZ") for moment in window)
