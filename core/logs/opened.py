"""A kept log, opened: its outline, some of its lines, a search in it. Only a block of it is unpacked at any time."""

import zlib
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from core.logs.clean import ANSI, STAMP
from core.logs.marks import Marks

PIECE = 65_536
# What GitHub writes first in every step but the one that sets the job up.
STEP_BEGINS = ("##[group]Run ", "Post job cleanup")
MOST_HITS = 10_000


@dataclass(frozen=True, slots=True)
class _Block:
    """A gzip member: where it begins and ends, the number of its first line (from 1), and the first time in it."""

    begin: int
    end: int
    first_line: int
    stamp: str


@dataclass(frozen=True, slots=True)
class Hits:
    """How many lines have the words, and the numbers of the first MOST_HITS of them."""

    total: int
    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class StepStart:
    """A step as the CI system tells it, for `OpenLog.step_lines`."""

    name: str
    started_at: datetime | None


class OpenLog:
    """`content` is what KeptLog.packed made. Thread-safe: nothing changes after the opening."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self._blocks: list[_Block] = []
        marks = Marks()
        number = 1
        for begin, end, text in _members(content):
            lines = _split(text)
            stamp = next((found[1] for line in lines if (found := STAMP.match(line))), "")
            self._blocks.append(_Block(begin, end, number, stamp))
            marks.read(lines, number)
            number += len(lines)
        self.total = number - 1
        marks.close(self.total)
        self.groups = marks.groups
        self.errors = marks.errors
        self._stamps = marks.stamps
        self.size = len(content)

    def lines(self, start: int, count: int) -> list[str]:
        """At most `count` lines from number `start` on."""
        found: list[str] = []
        index = max(0, bisect_right(self._blocks, start, key=lambda block: block.first_line) - 1)
        for block in self._blocks[index:]:
            if len(found) >= count:
                break
            skip = max(0, start - block.first_line)
            found += self._lines_of(block)[skip : skip + count - len(found)]
        return found

    def search(self, words: str) -> Hits:
        """Lines that have `words`, small or large, whatever their colours."""
        wanted = words.lower()
        total = 0
        numbers: list[int] = []
        for block in self._blocks if wanted else []:
            text = self._text_of(block)
            if "\x1b" in text:
                text = ANSI.sub("", text)
            text = text.lower()
            if wanted not in text:
                continue
            for number, line in enumerate(_split(text), block.first_line):
                stamp = STAMP.match(line)
                if line.find(wanted, stamp.end() if stamp else 0) >= 0:
                    total += 1
                    if len(numbers) < MOST_HITS:
                        numbers.append(number)
        return Hits(total, tuple(numbers))

    def step_lines(self, steps: Sequence[StepStart]) -> list[int | None]:
        """The line with which each step begins, by its time; None where the log has no times or the step no begin.

        Steps that begin within a second are told apart by the group that GitHub opens with each of them.
        """
        found: list[int | None] = []
        after = 0
        for step in steps:
            line = self._line_at(step.started_at, after) if step.started_at else None
            found.append(line)
            after = line or after
        return found

    def _line_at(self, moment: datetime, after: int) -> int | None:
        begin = moment.strftime("%Y-%m-%dT%H:%M:%S")
        for number, stamp, text in self._stamps if after else ():
            if number > after and stamp[:19] == begin and text.startswith(STEP_BEGINS):
                return number
        timed = [block for block in self._blocks if block.stamp]
        index = bisect_right(timed, begin, key=lambda block: block.stamp[:19]) - 1
        for block in timed[max(0, index) :][:2]:
            for number, line in enumerate(self._lines_of(block), block.first_line):
                found = STAMP.match(line)
                if found and found[1][:19] >= begin and number > after:
                    return number
        return None

    def _text_of(self, block: _Block) -> str:
        return zlib.decompress(self.content[block.begin : block.end], 31).decode()

    def _lines_of(self, block: _Block) -> list[str]:
        return _split(self._text_of(block))


def text_of(content: bytes) -> Iterator[bytes]:
    """The text of a kept log, unpacked piece by piece."""
    at = 0
    while at < len(content):
        unpacker = zlib.decompressobj(31)
        while not unpacker.eof and at < len(content):
            piece = content[at : at + PIECE]
            yield unpacker.decompress(piece)
            at += len(piece) - len(unpacker.unused_data)
        yield unpacker.flush()


def _members(content: bytes) -> Iterator[tuple[int, int, str]]:
    """Each gzip member: where it begins, where it ends, its text."""
    at = 0
    while at < len(content):
        begin, parts, unpacker = at, [], zlib.decompressobj(31)
        while not unpacker.eof and at < len(content):
            piece = content[at : at + PIECE]
            parts.append(unpacker.decompress(piece))
            at += len(piece) - len(unpacker.unused_data)
        yield begin, at, b"".join(parts).decode()


def _split(text: str) -> list[str]:
    """Lines at LF alone. What ends a block ends a line; only the last block may end without."""
    return text.removesuffix("\n").split("\n")
