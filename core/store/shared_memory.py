"""Redis, for what is better shared but may be lost: limits, answers kept for a moment, deliveries seen lately.

Nothing depends on it. While it is away each question gets its default at once, one warning is logged, and every few
seconds one question tries it again.
"""

import threading
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar

import redis
import structlog

T = TypeVar("T")

log = structlog.get_logger()

# A healthy Redis answers in less than a millisecond; nobody shall wait long for one that isn't.
ANSWER_SECONDS = 0.25
REST_SECONDS = 5.0
PREFIX = "cicd-health"


class SharedMemory:
    """Thread-safe."""

    def __init__(self, url: str) -> None:
        self.client: redis.Redis = redis.Redis.from_url(
            url, socket_timeout=ANSWER_SECONDS, socket_connect_timeout=ANSWER_SECONDS, retry=None
        )
        self._lock = threading.Lock()
        self._rests_until = 0.0
        self._is_away = False

    def ask(self, question: Callable[[], T], otherwise: Callable[[], T]) -> T:
        """What `question` finds with Redis, or what `otherwise` finds without it."""
        if time.monotonic() < self._rests_until:
            return otherwise()
        try:
            answer = question()
        except redis.RedisError as error:
            self._note(error)
            return otherwise()
        if self._is_away:
            self._note(None)
        return answer

    def _note(self, error: redis.RedisError | None) -> None:
        with self._lock:
            was_away, self._is_away = self._is_away, error is not None
            self._rests_until = time.monotonic() + REST_SECONDS if error else 0.0
        if error and not was_away:
            log.warning("Redis is away: limits count in this process alone, and nothing is kept", reason=str(error))
        elif was_away and not error:
            log.info("Redis is back")

    def version(self) -> int | None:
        """How often the data was changed; None while nobody can tell."""
        return self.ask(lambda: int(self._get(f"{PREFIX}:version") or 0), lambda: None)

    def data_changed(self) -> None:
        """Call this after a commit: whatever was kept before is not asked for any more."""
        self.ask(lambda: self.client.incr(f"{PREFIX}:version"), lambda: 0)

    def kept(self, key: str) -> bytes | None:
        return self.ask(lambda: self._get(f"{PREFIX}:{key}"), lambda: None)

    def keep(self, key: str, value: bytes, seconds: int) -> None:
        self.ask(lambda: self.client.set(f"{PREFIX}:{key}", value, ex=seconds), lambda: None)

    def _get(self, key: str) -> bytes | None:
        found: Any = self.client.get(key)
        return bytes(found) if found is not None else None


@lru_cache(maxsize=4)
def shared_memory(url: str) -> SharedMemory:
    """The one of this process, so that it warns once."""
    return SharedMemory(url)
