"""Sliding windows of requests (the `limits` library): in this process, or in Redis for all replicas together."""

import asyncio
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

    async def hit(self, limit: RateLimitItem, who: str) -> bool:
        """Count a request; False where it is one too many."""
        return await self._ask(lambda window: window.hit(limit, who))

    async def state(self, limit: RateLimitItem, who: str) -> WindowStats:
        return await self._ask(lambda window: window.get_window_stats(limit, who))

    async def _ask(self, question: Callable[[MovingWindowRateLimiter], T]) -> T:
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
