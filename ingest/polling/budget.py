"""How many requests a CI system still allows us, and when the next one may go."""

import asyncio
import random
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

# Below this part of the hourly limit, background work is spread over the time that is left.
SCARCE = 0.25
# GitHub asks for at least a minute where it refuses a burst without saying how long, and for more each time.
FIRST_PAUSE = 60.0
LONGEST_PAUSE = 900.0
# Limits are by the hour; who asks for more has a clock that is wrong, or is no CI system.
LONGEST_WINDOW = 3700.0


class Budget:
    """Shared by all requests to one CI system. Knows only what its answers said."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._not_before = 0.0
        self._next_slot = 0.0
        self._reset = 0.0
        self._window_ends = 0.0
        self._next_pause = FIRST_PAUSE
        self.allowed = 0
        self.remaining = 0
        self.used = 0
        self.requests = 0
        self.points = 0

    def note(self, status: int, headers: Mapping[str, str]) -> None:
        """Learn from an answer. GitHub says `x-ratelimit-…`, others `ratelimit-…`; some say nothing."""
        self.requests += 1
        self.points += status != 304
        if status < 400 and self._clock() >= self._not_before:
            self._next_pause = FIRST_PAUSE
        try:
            remaining = int(_header(headers, "remaining"))
            allowed = int(_header(headers, "limit"))
            ends = float(_header(headers, "reset"))
        except ValueError:
            return
        # Answers overtake each other: within one window the smallest number is the newest.
        same_window = abs(ends - self._window_ends) <= 1 and allowed == self.allowed
        if ends < self._window_ends and not same_window:
            return
        self.remaining = min(self.remaining, remaining) if same_window else remaining
        self.allowed, self._window_ends = allowed, ends
        self._reset = self._clock() + ends - _server_time(headers)
        self.used = max(0, allowed - self.remaining)

    def pause(self, seconds: float) -> None:
        """Let no request go for `seconds`, a window at most: the CI system asked for it."""
        self._not_before = max(self._not_before, self._clock() + min(max(seconds, 1.0), LONGEST_WINDOW))

    def pause_longer(self) -> None:
        """The CI system asked for a pause without saying how long: a minute, then two, then four."""
        if self._clock() >= self._not_before:  # else another request was refused with this one
            self.pause(self._next_pause)
            self._next_pause = min(2 * self._next_pause, LONGEST_PAUSE)

    def wait_for_reset(self) -> None:
        """The limit is used up: let no request go until it is filled again."""
        self.remaining = 0
        self.pause(self._reset - self._clock() + 1)

    def blocked_for(self, reserve: float = 0.0) -> float:
        """Seconds until a request may go that leaves `reserve` (a part of the limit) to others."""
        now = self._clock()
        if now < self._not_before:
            return self._not_before - now
        if self.allowed and now < self._reset and self.remaining <= reserve * self.allowed:
            return self._reset - now + 1
        return 0.0

    async def admit(self, reserve: float = 0.0) -> None:
        """Return when a request may go. Requests with a reserve slow down while the limit is scarce."""
        while (seconds := self.blocked_for(reserve)) > 0:  # noqa: ASYNC110 - nothing happens that could set an event
            # Jitter keeps those who waited from starting in step; short naps notice a limit that was lifted.
            await asyncio.sleep(min(seconds, 30) + random.uniform(0, 0.3))  # noqa: S311
        if reserve and (seconds := self._slot(reserve)) > 0:
            await asyncio.sleep(seconds)

    def _slot(self, reserve: float) -> float:
        now = self._clock()
        if not self.allowed or now >= self._reset or self.remaining > SCARCE * self.allowed:
            return 0.0
        pace = (self._reset - now) / max(1.0, self.remaining - reserve * self.allowed)
        slot = max(now, self._next_slot)
        self._next_slot = slot + min(pace, 60)
        return slot - now

    @property
    def waits_until(self) -> datetime | None:
        """When the next request may go, where none may go now."""
        seconds = self.blocked_for()
        return datetime.now(UTC) + timedelta(seconds=seconds) if seconds > 0 else None

    @property
    def reset_at(self) -> datetime | None:
        if not self.allowed:
            return None
        return datetime.now(UTC) + timedelta(seconds=self._reset - self._clock())


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds of a `Retry-After` header, which may also be a date."""
    text = headers.get("retry-after", "")
    if not text:
        return None
    try:
        return max(0.0, float(text))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - _server_time(headers))
    except ValueError:
        return None


def _header(headers: Mapping[str, str], name: str) -> str:
    return headers.get(f"x-ratelimit-{name}") or headers.get(f"ratelimit-{name}") or ""


def _server_time(headers: Mapping[str, str]) -> float:
    """The server's own clock, because the reset is told by it; ours where it says nothing."""
    try:
        return parsedate_to_datetime(headers.get("date", "")).timestamp()
    except ValueError:
        return time.time()
