"""How many deliveries came again: counted in memory, stored with the next batch that stores a delivery anyway."""

from collections import Counter
from collections.abc import Iterable
from datetime import date

from core.store.cursor import Cursor


class Duplicates:
    """Used by the writer's thread. A batch may be tried several times; only `committed` makes its count final."""

    def __init__(self) -> None:
        self._waiting: Counter[str] = Counter()
        self._after: Counter[str] = Counter()

    def found(self, providers: Iterable[str]) -> None:
        """The duplicates of a batch, each by its CI system."""
        self._after = self._waiting + Counter(providers)

    def store(self, cursor: Cursor, day: date) -> None:
        """Write what waits into the batch's transaction."""
        if not self._after:
            return
        cursor.executemany(
            """INSERT INTO delivery_duplicates (provider, day, number) VALUES (?, ?, ?)
            ON CONFLICT (provider, day) DO UPDATE SET number = delivery_duplicates.number + excluded.number""",
            [[provider, day, number] for provider, number in sorted(self._after.items())],
        )
        self._after = Counter()

    def committed(self) -> None:
        self._waiting = self._after
