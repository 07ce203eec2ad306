"""What the timer does for the insight pages: it keeps ready what would be slow to find out while somebody waits."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from core.settings import Settings
from core.store.believable import believable
from core.store.digest import due_moment, is_due, queue_digest, read_digest
from core.store.duration_changes import find_changes
from core.store.failure_lines import pick_lines
from core.store.reader import Reader
from core.store.writer import Writer
from ingest.alerting.sender import Sender


@dataclass(frozen=True, slots=True)
class InsightJobs:
    """Each method is one timed job; it does a bounded part and leaves the rest to its next time."""

    reader: Reader
    writer: Writer
    settings: Settings
    sender: Sender
    _looked_at: dict[str, datetime] = field(default_factory=dict)

    def pick_lines(self) -> None:
        """The lines by which failures are grouped, of logs that were kept since."""
        pick_lines(self.reader, self.writer)

    def find_changes(self) -> None:
        """Where durations changed, of pipelines that finished a run since the last look."""
        find_changes(self.reader, self.writer, datetime.now(UTC), self._looked_at)

    def send_digest(self) -> None:
        """The weekly digest to every channel, once it is due."""
        chosen, channels = self.settings, sorted(self.sender.channels)
        if not channels:
            return
        now = self.writer.transact(lambda cursor: believable(cursor, datetime.now(UTC))).result()
        due = due_moment(now, chosen.digest_schedule, chosen.digest_timezone)
        if due and self.writer.transact(lambda cursor: is_due(cursor, due, now)).result():
            made = read_digest(self.reader.frame, due, chosen.digest_timezone)
            self.writer.transact(lambda cursor: queue_digest(cursor, made, channels, due, now)).result()
            self.sender.wake()
