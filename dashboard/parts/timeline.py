"""Jobs or steps as rows with a bar each: when it waited, when it ran, how it ended. A small browser component.

Texts from outside reach the page as `textContent` only (`timeline.js`), so nothing in them can become markup.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pandas as pd

from dashboard.parts.component import component
from dashboard.parts.formats import STATUS_ICONS, duration, missing, text

LONGEST_NAME = 160
MOST_ROWS = 200

Row = dict[str, Any]


def rows(found: pd.DataFrame, now: datetime, address: Callable[[dict[Any, Any]], str] | None = None) -> list[Row]:
    """Rows of `name`, `status`, `created_at`, `started_at` and `finished_at` (UTC), with their bars in percent of the
    time that all of them took together. `address` gives what a row leads to.
    """
    shown = found.head(MOST_ROWS).to_dict("records")
    times = [_times(row, now) for row in shown]
    known = [moment for each in times for moment in each if moment is not None]
    begin, end = (min(known), max(known)) if known else (now, now)
    whole = max(end - begin, timedelta(seconds=1))
    return [
        {
            "name": text(row["name"])[:LONGEST_NAME],
            "status": text(row["status"]),
            "icon": STATUS_ICONS.get(text(row["status"]), "?"),
            "took": _took(row, started, finished),
            "wait": _bar(created, started, begin, whole),
            "run": _bar(started, finished, begin, whole),
            "waited": f"Waited {duration((started - created).total_seconds())}" if created and started else "",
            "path": address(row) if address else "",
        }
        for row, (created, started, finished) in zip(shown, times, strict=True)
    ]


def _times(row: dict[Any, Any], now: datetime) -> tuple[datetime | None, datetime | None, datetime | None]:
    """When it was asked for, began and ended; what still runs ends now, what was skipped took no time."""
    if text(row["status"]) == "skipped":
        return None, None, None
    created, started, finished = (_moment(row.get(name)) for name in ("created_at", "started_at", "finished_at"))
    if started and text(row["status"]) == "running":
        finished = max(now, started)
    if created and started and created > started:
        created = None  # re-runs have jobs that began before they were made
    return (created if started else None), started, finished


def _moment(value: Any) -> datetime | None:
    return None if value is None or missing(value) else value.to_pydatetime()


def _took(row: dict[Any, Any], started: datetime | None, finished: datetime | None) -> str:
    if text(row["status"]) == "skipped":
        return "skipped"
    return duration((finished - started).total_seconds() if started and finished else None)


def _bar(begin: datetime | None, end: datetime | None, first: datetime, whole: timedelta) -> list[float] | None:
    """Where a bar begins and how long it is, in percent."""
    if begin is None or end is None or end < begin:
        return None
    return [round((begin - first) / whole * 100, 2), round((end - begin) / whole * 100, 2)]


def draw(shown: list[Row], *, label: str, key: str) -> None:
    component("timeline")(data={"rows": shown, "label": label}, key=key)
