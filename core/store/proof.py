"""Whether a delivery would be stored now: what the last writes tell, and a small write where they tell too little.

An empty commit proves nothing: it writes nothing, and so succeeds on a full disk.
"""

import secrets
import time

from core.errors import StoreUnavailable

# So long a write that worked is proof enough.
FRESH_SECONDS = 5.0
# What is written to find out: a block of most disks; and after a refusal as much as a large delivery takes, because a
# full disk may still have room for a little.
USUAL_BYTES, DOUBTFUL_BYTES = 4_000, 64_000


class Proof:
    """Told by the writer's thread of each write; any thread may ask."""

    def __init__(self) -> None:
        self._stored_at = float("-inf")
        self._is_doubtful = False

    def stored(self) -> None:
        """Something was really written, and committed."""
        self._stored_at = time.monotonic()
        self._is_doubtful = False

    def failed(self, error: Exception) -> None:
        """A write was refused; only an error of the database itself says anything about the next one."""
        self._is_doubtful = self._is_doubtful or isinstance(error, StoreUnavailable)

    @property
    def is_fresh(self) -> bool:
        return not self._is_doubtful and time.monotonic() - self._stored_at < FRESH_SECONDS

    def text(self) -> str:
        """What to write to find out, as long as the doubt is large; nothing compresses it."""
        return secrets.token_urlsafe((DOUBTFUL_BYTES if self._is_doubtful else USUAL_BYTES) * 3 // 4)
