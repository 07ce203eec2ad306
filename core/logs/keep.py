"""A log of any size, fed in pieces: its head and tail are kept, its middle is not; memory stays within the limit."""

import zlib
from collections import deque
from collections.abc import Iterator

# Text of so many bytes is compressed alone, so that a part of a log can be read without the rest.
BLOCK = 262_144


class KeptLog:
    """Iterating gives the kept lines, as often as wanted: head and tail, one line that says what is missing between."""

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
        rest = piece[room:]
        if rest:
            self._tail.append(rest)
            self._tail_size += len(rest)
        while self._tail and self._tail_size - len(self._tail[0]) >= self._tail_limit:
            self._tail_size -= len(self._tail.popleft())

    @property
    def is_cut(self) -> bool:
        return len(self._head) + self._tail_size < self.size

    def __iter__(self) -> Iterator[str]:
        begun: list[bytes] = []
        is_first = True
        for piece in self._pieces():
            *ended, rest = piece.split(b"\n")
            for line in ended:
                yield _text(b"".join([*begun, line]), is_first=is_first)
                begun, is_first = [], False
            begun.append(rest)
        yield _text(b"".join(begun), is_first=is_first)

    def packed(self) -> bytes:
        """The text as gzip, in members of about BLOCK bytes that end with a line. https://www.rfc-editor.org/rfc/rfc1952"""
        packed = bytearray()
        for block in self._blocks():
            packer = zlib.compressobj(6, zlib.DEFLATED, 31)
            packed += packer.compress(block) + packer.flush()
        return bytes(packed)

    def _blocks(self) -> Iterator[bytes]:
        lines: list[str] = []
        size = 0
        for line in self:
            if size >= BLOCK:
                yield ("\n".join(lines) + "\n").encode()
                lines, size = [], 0
            lines.append(line)
            size += len(line) + 1
        yield "\n".join(lines).encode()

    def _pieces(self) -> Iterator[bytes]:
        """Head and tail, at line ends where something between them is missing."""
        head = bytes(self._head)
        if not self.is_cut:
            yield head
            yield from self._tail
            return
        head = head[: head.rfind(b"\n") + 1] or head
        tail = list(self._tail)
        begun = next((index for index, piece in enumerate(tail) if b"\n" in piece), None)
        if begun is not None:
            tail = [tail[begun][tail[begun].find(b"\n") + 1 :], *tail[begun + 1 :]]
        left_out = self.size - len(head) - sum(len(piece) for piece in tail)
        yield head.rstrip(b"\n") + f"\n… {left_out:,} bytes were left out here …\n".encode()
        yield from tail


def _text(line: bytes, *, is_first: bool) -> str:
    text = line.removesuffix(b"\r").decode("utf-8", "replace")
    return text.removeprefix("\ufeff") if is_first else text
