"""Where messages go: one module a channel, each with a class whose `send(message)` returns what the channel answered.

A channel raises `PassingFailure` for what may work later and `PermanentFailure` for what never will.
"""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from core.errors import DashboardError

# A channel that asks for more is asked again after this long.
LONGEST_ASKED = 3600.0


class ChannelFailure(DashboardError):
    """A channel didn't take a message; the sentence says what it answered."""

    code = "channel_failed"
    status = 502


class PassingFailure(ChannelFailure):
    """Worth another attempt, after `retry_after` seconds where the channel named them."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class PermanentFailure(ChannelFailure):
    """The same message will never be taken: wrong address, wrong credentials."""


def retry_after(value: str | None, now: datetime | None = None) -> float | None:
    """Seconds of a Retry-After header, which holds seconds or a date. https://www.rfc-editor.org/rfc/rfc9110#field.retry-after"""
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            at = parsedate_to_datetime(value)
        except ValueError:
            return None
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        seconds = (at - (now or datetime.now(UTC))).total_seconds()
    return min(LONGEST_ASKED, seconds) if seconds > 0 else None
