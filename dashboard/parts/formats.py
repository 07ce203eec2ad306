"""One way to write a duration, a time, a percentage, a text from outside. Pure functions; `now` is passed in."""

import math
import re
from datetime import datetime, tzinfo
from urllib.parse import quote, urlsplit

import pandas as pd

NOTHING = "–"
MARKDOWN = re.compile(r"([!-/:-@\[-`{-~])")
# What Streamlit turns into a link, an icon, an emoji or an arrow even where Markdown's marks are escaped.
LATE_CHANGES = re.compile(r"(?i)(?<=www)(?=\.)|(?<=@)|(?<=:)(?=[/\w+-])|(?<=[-<=])(?=[->=])")

STATUS_ICONS = {
    "success": "✓",
    "failed": "✕",
    "running": "▶",
    "queued": "◷",
    "cancelled": "⊘",
    "skipped": "↷",
    "blocked": "‖",
}


def missing(value: object) -> bool:
    """True for None, NaN and NaT, which all stand for SQL's NULL in a frame."""
    return value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and math.isnan(value))


def text(value: object) -> str:
    """A cell as text; NULL is an empty text."""
    return "" if missing(value) else str(value)


def duration(seconds: float | None) -> str:
    """Seconds in the two largest units: `45s`, `3m 20s`, `1h 05m`, `2d 04h`."""
    if seconds is None or missing(seconds):
        return NOTHING
    whole = math.floor(abs(seconds) + 0.5)
    sign = "-" if seconds < 0 and whole else ""
    if whole < 60:
        return f"{sign}{whole}s"
    if whole < 3600:
        return f"{sign}{whole // 60}m {whole % 60:02d}s"
    if whole < 86_400:
        return f"{sign}{whole // 3600}h {whole % 3600 // 60:02d}m"
    return f"{sign}{whole // 86_400}d {whole % 86_400 // 3600:02d}h"


def percentage(fraction: float | None) -> str:
    """A fraction of 1 with one decimal: `93.4%`. Only all is `100%` and only none `0%`: 99.98 % shows as `99.9%`."""
    if fraction is None or missing(fraction):
        return NOTHING
    if fraction in (0, 1):
        return f"{fraction:.0%}"
    return f"{min(max(fraction * 100, 0.1), 99.9):.1f}%"


def size(number: float) -> str:
    """Bytes in the largest unit of 1,000 that fits: `812 B`, `3.4 kB`, `50 MB`."""
    for unit, large in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if number >= large:
            return f"{number / large:.1f} {unit}" if number < 10 * large else f"{number / large:,.0f} {unit}"
    return f"{number:.0f} B"


def relative(at: datetime | None, now: datetime) -> str:
    """How long ago: `just now`, `4 min ago`, `3 h ago`, `2 days ago`. A moment ahead of us (clocks differ) is now."""
    if at is None or missing(at):
        return NOTHING
    seconds = (now - at).total_seconds()
    if seconds < 45:
        return "just now"
    if seconds < 3570:
        return f"{max(1, round(seconds / 60))} min ago"
    if seconds < 84_600:
        return f"{max(1, round(seconds / 3600))} h ago"
    days = round(seconds / 86_400)
    return "1 day ago" if days <= 1 else f"{days} days ago"


def exact(at: datetime | None, zone: tzinfo) -> str:
    """The moment in the viewer's zone, with the zone's name: `Mon 3 Nov 2025, 14:02:11 CET`."""
    if at is None or missing(at):
        return NOTHING
    local = at.astimezone(zone)
    return f"{local:%a} {local.day} {local:%b %Y, %H:%M:%S %Z}"


def first_line(message: object) -> str:
    """The subject of a commit message."""
    lines = text(message).strip().splitlines()
    return lines[0].strip() if lines else ""


def plain(value: object) -> str:
    """A text from outside, so that Streamlit's Markdown shows it as it is: nothing in it formats, links or loads.

    Every punctuation mark is escaped and line ends become spaces; an invisible joiner breaks up what is
    replaced after the escapes are gone.
    """
    joined = LATE_CHANGES.sub("\N{WORD JOINER}", " ".join(text(value).split()))
    return MARKDOWN.sub(r"\\\1", joined)


def safe_url(url: object) -> str | None:
    """The address if a browser may open it (http or https with a host), else None."""
    address = text(url).strip()
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not parts.netloc or any(c <= " " for c in address):
        return None
    return address


def commit_url(repository_url: object, sha: object, provider: str) -> str | None:
    """The commit's page in its repository, where the address is known."""
    base = safe_url(repository_url)
    if base is None or not re.fullmatch(r"[0-9a-fA-F]{7,64}", text(sha)):
        return None
    return f"{base.rstrip('/')}{'/-' if provider == 'gitlab' else ''}/commit/{sha}"


def run_path(run_id: object) -> str:
    """The address of a run's page, relative to any other page of the dashboard."""
    return f"run?id={quote(text(run_id), safe='')}"


def alert_path(alert_id: object) -> str:
    """The address of an alert's page, relative to any other page of the dashboard."""
    return f"alert?id={quote(text(alert_id), safe='')}"


def count(number: int, one: str, many: str) -> str:
    """`1 pipeline`, `1,204 pipelines`."""
    return f"{number:,} {one if number == 1 else many}"
