"""A line of a log as a page shows it: when, what kind, its text in pieces of one look."""

from dataclasses import dataclass

from core.logs.ansi import Segment, segments
from core.logs.clean import plain
from core.logs.marks import marked
from core.logs.patterns import TELLING, pattern_of

LONGEST = 4_000
LOOKED_AT = 2_000


@dataclass(frozen=True, slots=True)
class ShownLine:
    """`kind`: group, end (of one), error, warning, notice, debug, command, quiet or none. `more`: what is left out."""

    stamp: str
    kind: str
    segments: list[Segment]
    more: int


def shown(raw: str, longest: int = LONGEST) -> ShownLine:
    """The line as it is shown, at most `longest` characters of it."""
    line = marked(raw)
    kind = line.kind
    if not kind:
        pattern = pattern_of(plain(line.text[:LOOKED_AT]))
        kind = "error" if pattern and pattern.worth >= TELLING else ""
    return ShownLine(line.stamp, kind, segments(line.text[:longest]), max(0, len(line.text) - longest))
