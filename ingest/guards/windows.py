"""Sliding windows of requests (the `limits` library): in this process, or in Redis for all replicas together."""

import asyncio
import time
from collections.abc import Callable
from functools import cached_property
from typing import TypeVar

from limits import RateLimitItem, WindowStats
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import MovingWindowRateLimiter

from core.settings import Settings
from core.store.shared_memory import PREFIX, SharedMemory, shared_memory

T = TypeVar("T")


class Windows:
    """While Redis is away each process counts for itself."""

    def __init__(self, settings: Callable[[], Settings]) -> None:
        self._settings = settings
        self._own = MovingWindowRateLimiter(MemoryStorage())
        self._asked_at = 0.0

    async def hit(self, limit: RateLimitItem, who: str) -> bool:
        """Count a request; False where it is one too many."""
        return await self._ask(lambda window: window.hit(limit, who))

    async def state(self, limit: RateLimitItem, who: str) -> WindowStats:
        return await self._ask(lambda window: window.get_window_stats(limit, who))

    async def _ask(self, question: Callable[[MovingWindowRateLimiter], T]) -> T:
        now = time.time()
        if now < self._asked_at - 1:  # set back: what was counted lies in the future and would never leave a window
            self._own = MovingWindowRateLimiter(MemoryStorage())
        self._asked_at = now
        if self._shared is None:
            return question(self._own)
        memory, window = self._shared
        return await asyncio.to_thread(memory.ask, lambda: question(window), lambda: question(self._own))

    @cached_property
    def _shared(self) -> tuple[SharedMemory, MovingWindowRateLimiter] | None:
        url = self._settings().redis_url
        if not url:
            return None
        memory = shared_memory(url)
        storage = RedisStorage(url, connection_pool=memory.client.connection_pool, key_prefix=f"{PREFIX}:limits")
        return memory, MovingWindowRateLimiter(storage)
