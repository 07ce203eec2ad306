"""Where messages go: one module a channel, each with a class whose `send(messages)` returns what the channel answered.

A channel raises `PassingFailure` for what may work later and `PermanentFailure` for what never will.
"""

from core.errors import DashboardError


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
