"""What a line of a log says about a failure: the patterns of `patterns.toml`, each with its source."""

import re
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

# The worth of a line that only says that a step ended.
ENDED = 10
# From here on a line is marked as an error where the whole log is shown.
TELLING = 55
# A pattern of this worth is so particular that no other word in the line makes it innocent.
CERTAIN = 88


@dataclass(frozen=True, slots=True)
class Pattern:
    """`worth`: how much a line tells of the cause, 0 to 100. `after`: lines that follow and belong to it."""

    tool: str
    worth: int
    regex: re.Pattern[str]
    after: int


@dataclass(frozen=True, slots=True)
class _Book:
    words: tuple[str, ...]
    begins: re.Pattern[str]
    innocent: re.Pattern[str]
    patterns: tuple[Pattern, ...]


def pattern_of(line: str) -> Pattern | None:
    """The pattern that a clean line has (`clean.plain`), if it tells of a failure."""
    book = _book()
    small = line.lower()
    for word in book.words:
        if word in small:
            break
    else:
        if not book.begins.match(line):
            return None
    found = next((pattern for pattern in book.patterns if pattern.regex.search(line)), None)
    if found and ENDED < found.worth < CERTAIN and book.innocent.search(line):
        return None
    return found


@lru_cache
def _book() -> _Book:
    tables = tomllib.loads((files("core.logs") / "patterns.toml").read_text())
    patterns = tuple(
        Pattern(table["tool"], table["worth"], re.compile(table["regex"]), table.get("after", 0))
        for table in tables["pattern"]
    )
    return _Book(
        tuple(tables["words"]), re.compile(tables["begins"]), re.compile("|".join(tables["innocent"])), patterns
    )
