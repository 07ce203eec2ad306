"""The files of the archive: by month in a folder of this machine, and in a bucket where one is set."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import structlog

from core.errors import StoreUnavailable
from core.settings import Settings
from core.store.bucket import Bucket

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ArchivedFile:
    """Rows that left a table. `path`: its name within the archive; `newest_at`: the last moment of any of its runs."""

    path: str
    kind: str
    month: str
    row_count: int
    newest_at: datetime


@dataclass(frozen=True, slots=True)
class Archive:
    """`folder` is what is read; with a bucket, it holds copies of the bucket's files."""

    folder: Path
    bucket: Bucket | None = None

    def place(self, name: str) -> Path:
        return self.folder / name

    def missing(self, names: Iterable[str]) -> list[str]:
        """Those that can't be read here at the moment."""
        return [name for name in names if not self.place(name).exists()]

    def keep(self, names: Iterable[str]) -> None:
        """Bring new files to where the archive is. Raises StoreUnavailable if one doesn't arrive whole."""
        if self.bucket:
            for name in names:
                self.bucket.upload(self.place(name), name)

    def fetch(self, names: Iterable[str]) -> None:
        """Copy what is missing here from the bucket. Raises StoreUnavailable, for files lost in it after all others."""
        lost = []
        for name in self.missing(names) if self.bucket else []:
            assert self.bucket
            try:
                self.bucket.fetch(name, self.place(name))
            except FileNotFoundError:
                lost.append(name)
        if lost:
            raise StoreUnavailable(
                f"{len(lost)} archived files are not in {self.bucket}, {lost[0]} for one.",
                hint="Bring them back: their runs aren't shown meanwhile.",
            )

    def discard(self, names: Iterable[str]) -> None:
        """Remove files that nothing refers to. What can't be removed from a bucket is never read, and stays."""
        for name in names:
            self.place(name).unlink(missing_ok=True)
            if self.bucket:
                self.bucket.remove(name)


def archive_of(settings: Settings) -> Archive:
    """The archive that the settings name. Nothing is asked of a bucket yet."""
    return Archive(settings.archive_path.resolve(), Bucket(settings) if settings.archive_bucket else None)
