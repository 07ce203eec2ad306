"""What the timer does for the insight pages: it keeps ready what would be slow to find out while somebody waits."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from core.store.duration_changes import find_changes
from core.store.failure_lines import pick_lines
from core.store.reader import Reader
from core.store.writer import Writer


@dataclass(frozen=True, slots=True)
class InsightJobs:
    """Each method is one timed job; it does a bounded part and leaves the rest to its next time."""

    reader: Reader
    writer: Writer
    _looked_at: dict[str, datetime] = field(default_factory=dict)

    def pick_lines(self) -> None:
        """The lines by which failures are grouped, of logs that were kept since."""
        pick_lines(self.reader, self.writer)

    def find_changes(self) -> None:
        """Where durations changed, of pipelines that finished a run since the last look."""
        find_changes(self.reader, self.writer, datetime.now(UTC), self._looked_at)
