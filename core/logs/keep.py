"""A log of any size, fed in pieces: its head and tail are kept, its middle is not; memory stays within the limit."""

import re
from collections import deque

ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07]*(\x07|\x1b\\)|[\x00-\x08\x0b-\x1f\x7f]")
STAMP = re.compile(r"^\ufeff?\d{4}-\d\d-\d\dT[\d:.]+Z ?")
ERROR = re.compile(
    r"##\[error\]|^E {2,}\S|^(FAILED|ERROR) \S|^\s*--- FAIL|^FAIL\b|\[ERROR\] |\berror(\[E\d+\])?: |^Traceback |"
    r"^\w*(Error|Exception): |^\s*● |npm ERR!|\bfatal: |panic: |exit code [1-9]|Segmentation fault"
)
MOST_LINES = 12


class KeptLog:
    def __init__(self, limit: int) -> None:
        self._head_limit, self._tail_limit = limit // 4, limit - limit // 4
        self._head = bytearray()
        self._tail: deque[bytes] = deque()
        self._tail_size = 0
        self.size = 0

    def feed(self, piece: bytes) -> None:
        self.size += len(piece)
        room = self._head_limit - len(self._head)
        self._head += piece[:room]
        rest = piece[room:] if room < len(piece) else b""
        if rest:
            self._tail.append(rest)
            self._tail_size += len(rest)
        while self._tail and self._tail_size - len(self._tail[0]) >= self._tail_limit:
            self._tail_size -= len(self._tail.popleft())

    @property
    def is_cut(self) -> bool:
        return len(self._head) + self._tail_size < self.size

    def text(self) -> str:
        """Head and tail, one marker line between them where something was left out."""
        head, tail = bytes(self._head), b"".join(self._tail)
        if self.is_cut:
            head, tail = head[: head.rfind(b"\n") + 1] or head, tail[tail.find(b"\n") + 1 :]
            left_out = self.size - len(head) - len(tail)
            head = head.rstrip(b"\n") + f"\n… {left_out:,} bytes were left out here …\n".encode()
        return (head + tail).decode("utf-8", "replace").removeprefix("\ufeff").replace("\r\n", "\n")


def plain(line: str) -> str:
    """A line as people read it: without time stamp, colours and control characters."""
    return ANSI.sub("", STAMP.sub("", line)).rstrip()


def why(text: str) -> tuple[str | None, int | None]:
    """The few lines that say why a job failed, and the number of the first of them, from 1; None where none does."""
    found = [
        (number, line) for number, raw in enumerate(text.split("\n"), 1) if ERROR.search(line := plain(raw[:4000]))
    ]
    if not found:
        return None, None
    # The first line is where it went wrong, the last ones are how it ended.
    chosen = found if len(found) <= MOST_LINES else [*found[: MOST_LINES // 2], *found[-MOST_LINES // 2 :]]
    return "\n".join(line[:400] for _, line in chosen), found[0][0]
