"""Deliveries that were stored lately, known to all replicas: a CI system that repeats itself costs no transaction."""

import asyncio
from hashlib import blake2b

from core.model import Delivery
from core.store.shared_memory import SharedMemory

# Repetitions come within minutes. A database that was set back to a backup must not wait long to be told again.
KNOWN_SECONDS = 600


class Seen:
    """Only speeds up what the database decides: without Redis nothing is known here."""

    def __init__(self, memory: SharedMemory | None) -> None:
        self._memory = memory

    async def knows(self, delivery: Delivery) -> bool:
        """True for one that was stored; one that failed may be understood today."""
        if self._memory is None:
            return False
        return await asyncio.to_thread(self._memory.kept, _key(delivery)) is not None

    async def note(self, delivery: Delivery) -> None:
        """Call this after the commit that holds the delivery, never before."""
        if self._memory and delivery.result != "failed":
            await asyncio.to_thread(self._memory.keep, _key(delivery), b"1", KNOWN_SECONDS)


def _key(delivery: Delivery) -> str:
    name = f"{delivery.provider} {delivery.delivery_id}".encode("utf-8", "surrogatepass")
    return f"seen:{blake2b(name, digest_size=16).hexdigest()}"
