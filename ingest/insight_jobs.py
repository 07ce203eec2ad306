"""What the timer does for the insight pages: it keeps ready what would be slow to find out while somebody waits."""

from dataclasses import dataclass

from core.store.failure_lines import pick_lines
from core.store.reader import Reader
from core.store.writer import Writer


@dataclass(frozen=True, slots=True)
class InsightJobs:
    """Each method is one timed job; it does a bounded part and leaves the rest to its next time."""

    reader: Reader
    writer: Writer

    def pick_lines(self) -> None:
        """The lines by which failures are grouped, of logs that were kept since."""
        pick_lines(self.reader, self.writer)
