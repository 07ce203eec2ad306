"""One way to write a duration, a time, a share, and text that came from outside."""

import html
import math
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pandas as pd

NOTHING = "–"


def duration(seconds: float | None) -> str:
    """Seconds as `45s`, `3m 05s`, `2h 03m` or `1d 4h`; nothing known as a dash."""
    if seconds is None or pd.isna(seconds):
        return NOTHING
    whole = math.floor(seconds + 0.5)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    if hours >= 24:
        return f"{hours // 24}d {hours % 24}h"
    if hours:
        return f"{hours}h {minutes:02d}m"
    return f"{minutes}m {rest:02d}s" if minutes else f"{rest}s"


def share(fraction: float | None) -> str:
    """A fraction of 1 as `92.4 %`."""
    return NOTHING if fraction is None or pd.isna(fraction) else f"{fraction * 100:.1f} %"


def ago(moment: datetime | None, now: datetime) -> str:
    """How long ago, in the largest unit that says enough: `just now`, `5 min ago`, `3 h ago`, `12 d ago`."""
    if moment is None or pd.isna(moment):
        return NOTHING
    seconds = (now - moment).total_seconds()
    if seconds < 45:
        return "just now"
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit} ago"
    return "1 min ago"


def exact(moment: datetime | None, zone: str) -> str:
    """A moment in the viewer's zone, to the second, with the zone's short name."""
    if moment is None or pd.isna(moment):
        return NOTHING
    return moment.astimezone(ZoneInfo(zone)).strftime("%a %d %b %Y, %H:%M:%S %Z")


def first_line(message: str | None, length: int = 90) -> str:
    """The first line of a commit message, shortened."""
    if not message or pd.isna(message):
        return ""
    line = message.strip().split("\n", 1)[0]
    return line if len(line) <= length else line[: length - 1].rstrip() + "…"


def escaped(text: object) -> str:
    """Text from outside, safe inside HTML text and attributes; nothing known becomes empty."""
    if text is None or (not isinstance(text, str) and pd.isna(text)):  # type: ignore[call-overload]
        return ""
    return html.escape(str(text), quote=True)


def link(address: object, label: str, title: str = "") -> str:
    """A link in HTML, or only its label where the address isn't one of the web. `label` is HTML already."""
    if not isinstance(address, str) or not address.startswith(("https://", "http://")):
        return label
    return (
        f'<a href="{escaped(address)}" target="_blank" rel="noopener noreferrer" title="{escaped(title)}">{label}</a>'
    )


def utc_now() -> datetime:
    return datetime.now(UTC)
