"""What a process takes while something is done to it: memory, and its database on disk."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

PACE_SECONDS = 0.2


@dataclass
class Gauge:
    """Samples in order: resident memory of the process, and bytes of the database with its log."""

    memory: list[int] = field(default_factory=list)
    disk: list[int] = field(default_factory=list)

    def look(self, pid: int, database: Path) -> None:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        self.memory.append(pages * os.sysconf("SC_PAGE_SIZE"))
        log = Path(f"{database}.wal")
        self.disk.append(sum(path.stat().st_size for path in (database, log) if path.exists()))

    def course(self, samples: list[int]) -> str:
        """Five samples over the whole time, in MB."""
        last = len(samples) - 1
        return " → ".join(f"{samples[last * quarter // 4] / 1e6:,.0f}" for quarter in range(5)) + " MB"


@contextmanager
def gauged(pid: int, database: Path) -> Iterator[Gauge]:
    """Look at a process again and again while a `with` block lasts."""
    gauge, ended = Gauge(), threading.Event()

    def watch() -> None:
        while not ended.wait(PACE_SECONDS):
            gauge.look(pid, database)

    gauge.look(pid, database)
    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield gauge
    finally:
        ended.set()
        thread.join()
