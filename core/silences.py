"""Silences and maintenance windows: when one is in force, and which alerts it covers. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from core.alert_routes import matches
from core.errors import BadRequest

# None: it does not repeat.
PERIOD_DAYS: dict[str | None, int] = {"daily": 1, "weekly": 7}


@dataclass(frozen=True, slots=True)
class Silence:
    """A Matcher: no messages about what matches between two moments (UTC).

    One that repeats comes back each day or week at the same time by the clock of `zone`, also when the clocks change.
    """

    id: str
    starts_at: datetime
    ends_at: datetime
    pipeline_id: str | None = None
    repository: str | None = None
    branch: str | None = None
    type: str | None = None
    repeats: str | None = None
    zone: str | None = None

    def is_in_force(self, now: datetime) -> bool:
        return any(start <= now < end for start, end in self._near(now))

    def covers(self, facts: Mapping[str, Any], now: datetime) -> bool:
        """Whether it holds messages about an alert with these facts (pipeline_id, repository, branch, type)."""
        return self.is_in_force(now) and matches(self, facts)

    def next_window(self, now: datetime) -> tuple[datetime, datetime] | None:
        """The window in force or the next one, in UTC; None when there will be none."""
        return next((window for window in self._near(now) if window[1] > now), None)

    def _near(self, now: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The windows around a moment, in order."""
        period = PERIOD_DAYS.get(self.repeats)
        if period is None:
            yield self.starts_at, self.ends_at
            return
        zone = zone_named(self.zone)
        first, last = self.starts_at.astimezone(zone), self.ends_at.astimezone(zone)
        elapsed = max(0, (now.astimezone(zone).date() - first.date()).days // period)
        for number in range(max(0, elapsed - 1), elapsed + 2):
            # Adding days to a local time keeps its clock reading.
            shift = timedelta(days=number * period)
            yield (first + shift).astimezone(UTC), (last + shift).astimezone(UTC)


def zone_named(name: str | None) -> ZoneInfo:
    """A time zone by its IANA name, UTC for None. Raises BadRequest."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadRequest(f"{name!r} is no time zone.", hint="Use a name such as Europe/Madrid.") from None


def check_window(starts_at: datetime, ends_at: datetime, repeats: str | None, now: datetime) -> None:
    """Raise BadRequest for a window that is over, ends before it begins, or overlaps its own repetition."""
    if ends_at <= starts_at or (ends_at <= now and not repeats):
        raise BadRequest("ends_at must lie after starts_at and in the future.")
    period = PERIOD_DAYS.get(repeats)
    if period and ends_at - starts_at >= timedelta(days=period):
        raise BadRequest(f"A window that repeats {repeats} must be shorter than its period.")
