"""Ways to take a disk from a service that runs, and to give it back.

None but the small disks needs a privilege. A limit on the size of files (`RLIMIT_FSIZE`, set from outside) fails as a
full disk does, in the middle of a write. A disk that has turned read-only is played by strace, which answers what the
service asks of its files as the kernel then does: a mount with open files can't be made read-only from outside.
"""

import resource
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from bench.processes import Running

SIZE = "64m"
ENOUGH = resource.RLIM_INFINITY
# What changes a file or its place in a folder, and what makes changes last.
CHANGES = (
    "write,pwrite64,writev,pwritev,ftruncate,fallocate,fsync,fdatasync,openat,unlink,unlinkat,rename,renameat,renameat2"
)


class Disk(Protocol):
    """`words`: what the refusal must say beside that the disk takes nothing more."""

    words: str

    def take(self, service: Running, database: Path, where: str) -> None: ...

    def give_back(self, service: Running, database: Path) -> None: ...


class Limit:
    """No file of the service may grow beyond what it is."""

    words = "File too large"

    def take(self, service: Running, database: Path, where: str) -> None:
        grown = database if where == "checkpoint" else log_of(database)
        resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE, (grown.stat().st_size + 200_000, ENOUGH))

    def give_back(self, service: Running, _: Path) -> None:
        resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE, (ENOUGH, ENOUGH))


class Filler:
    """A file that takes the rest of the disk."""

    words = "No space left"

    def take(self, _: Running, database: Path, _where: str) -> None:
        fill(database.parent)

    def give_back(self, _: Running, database: Path) -> None:
        empty(database.parent)


class ReadOnly:
    """The disk was turned read-only by the kernel, as after an error of the device; what is open stays open."""

    words = "Read-only file system"

    def take(self, service: Running, database: Path, _where: str) -> None:
        files = [database, log_of(database), *(database.with_name(f"{database.name}{end}") for end in MADE)]
        places = [part for file in files for part in ("-P", str(file))]
        command = ["strace", "-f", "-p", str(service.process.pid), *places, "-e", f"trace={CHANGES}"]
        self._strace = subprocess.Popen(
            [*command, "-e", f"inject={CHANGES}:error=EROFS", "-o", "/dev/null"], stderr=subprocess.PIPE, text=True
        )
        assert self._strace.stderr
        if "attached" not in (said := self._strace.stderr.readline()):
            raise RuntimeError(f"strace can't look at the service: {said}{self._strace.stderr.read()}")

    def give_back(self, _: Running, _database: Path) -> None:
        self._strace.send_signal(signal.SIGINT)
        self._strace.communicate(timeout=60)


# What DuckDB and the recovery make beside a database and its log.
MADE = (".probe", ".wal.checkpoint", ".wal.recovery")


def log_of(database: Path) -> Path:
    return Path(f"{database}.wal")


def fill(folder: Path, spare: int = 500_000) -> None:
    """Take all of a disk but `spare` bytes."""
    with suppress(OSError):  # others were quicker: it is full
        (folder / "filler").write_bytes(b"\0" * max(0, shutil.disk_usage(folder).free - spare))


def empty(folder: Path) -> None:
    (folder / "filler").unlink()


@contextmanager
def small_disk(size: str = SIZE) -> Iterator[Path | None]:
    """A disk in memory, of 64 MB or `size`, for the length of a `with` block; None where mounting is not allowed."""
    with tempfile.TemporaryDirectory(prefix="drill-disk-") as name:
        if mount("-t", "tmpfs", "-o", f"size={size}", "tmpfs", name):
            yield None
            return
        try:
            yield Path(name)
        finally:
            subprocess.run(["umount", name], check=True)


class BreakableDisk:
    """An ext4 in a file, which the kernel turns read-only when it is told of an error; mended as a person would."""

    def __init__(self, folder: Path) -> None:
        self._image = folder / "image"
        self.place = folder / "disk"

    def make(self) -> bool:
        """False where mounting is not allowed."""
        with self._image.open("wb") as file:
            file.truncate(64_000_000)
        self.place.mkdir()
        subprocess.run(["mkfs.ext4", "-q", "-F", self._image], check=True)
        return not self._mount()

    def _mount(self) -> int:
        return mount("-o", "loop,errors=remount-ro", str(self._image), str(self.place))

    def break_(self) -> None:
        device = subprocess.run(
            ["findmnt", "-no", "SOURCE", self.place], check=True, capture_output=True, text=True
        ).stdout
        Path(f"/sys/fs/ext4/{Path(device.strip()).name}/trigger_fs_error").write_text("1")

    def mend(self) -> None:
        """Nobody may have a file of it open."""
        self.unmount()
        subprocess.run(["e2fsck", "-fy", self._image], capture_output=True)
        if self._mount():
            raise RuntimeError("the mended disk can't be mounted")

    def unmount(self) -> None:
        subprocess.run(["umount", self.place], check=True)


def mount(*arguments: str) -> int:
    """The exit code of `mount`; 1 where there is none."""
    try:
        return subprocess.run(["mount", *arguments], capture_output=True).returncode
    except FileNotFoundError:
        return 1
