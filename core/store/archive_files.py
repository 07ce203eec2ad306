"""The files of the archive: by month in a folder of this machine, and in a bucket where one is set."""

import shutil
from collections.abc import Iterable, Iterator, Sequence
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

    def take_from(self, other: "Archive", names: Sequence[str]) -> Iterator[int]:
        """Copy files that this archive lacks from another one; yields how many are here, file after file.

        Raises StoreUnavailable for a file that neither has, before anything is copied.
        """
        lost = [name for name in other.missing(self.missing(names)) if not (self.bucket and self.bucket.holds(name))]
        if lost:
            raise StoreUnavailable(
                f"{len(lost)} archived files are neither in {other.folder} nor in {self}, {lost[0]} for one.",
                hint="Name the folder where they are: --archive FOLDER",
            )
        for done, name in enumerate(names, start=1):
            if self.missing([name]) and not other.missing([name]):
                self.place(name).parent.mkdir(parents=True, exist_ok=True)
                part = self.place(f"{name}.part")
                shutil.copyfile(other.place(name), part)
                part.replace(self.place(name))
            if self.bucket and not self.bucket.holds(name):
                self.bucket.upload(self.place(name), name)
            yield done

    def __str__(self) -> str:
        return str(self.bucket or self.folder)

    def discard(self, names: Iterable[str]) -> None:
        """Remove files that nothing refers to. What can't be removed from a bucket is never read, and stays."""
        for name in names:
            self.place(name).unlink(missing_ok=True)
            if self.bucket:
                self.bucket.remove(name)


def archive_of(settings: Settings) -> Archive:
    """The archive that the settings name. Nothing is asked of a bucket yet."""
    return Archive(settings.archive_path.resolve(), Bucket(settings) if settings.archive_bucket else None)
