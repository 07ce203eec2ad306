"""GitLab's job traces as people read them: section markers become the groups that the log viewer folds. Pure.

https://docs.gitlab.com/ci/jobs/job_logs/#custom-collapsible-sections
"""

import re

_MARKER = re.compile(rb"section_(start|end):\d+:([\w.-]+)(?:\[[^\]\r\n]*\])?\r?\x1b\[0K")
# With FF_TIMESTAMPS a line begins with a moment, a stream's number, E or O, and + where it goes on with the last one.
# https://docs.gitlab.com/runner/configuration/feature-flags/
_STAMP = re.compile(rb"^(\d{4}-\d\d-\d\dT[\d:.]+Z )[0-9a-f]{2}[EO](\+| ?)")
# A line without an end must not grow for ever.
LONGEST_LINE = 1_000_000


class Trace:
    """Feed it the pieces of a trace; it returns what is ready of the text."""

    def __init__(self) -> None:
        self._rest = b""
        self._begun = False

    def feed(self, piece: bytes) -> bytes:
        *lines, self._rest = (self._rest + piece).split(b"\n")
        if len(self._rest) > LONGEST_LINE:
            lines, self._rest = [*lines, self._rest], b""
        return b"".join(map(self._line, lines))

    def end(self) -> bytes:
        rest, self._rest = self._rest, b""
        return (self._line(rest) if rest else b"") + (b"\n" if self._begun else b"")

    def _line(self, line: bytes) -> bytes:
        """The line with the end of the one before it, since a line may turn out to go on with that."""
        stamp = _STAMP.match(line)
        begin = b"\n" if self._begun else b""
        moment = b""
        if stamp:
            line, moment = line[stamp.end() :], stamp[1]
            if stamp[2] == b"+":
                begin, moment = b"", b""
        self._begun = True
        return begin + b"\n".join(moment + part for part in _parts(line.removesuffix(b"\r")))


def _parts(line: bytes) -> list[bytes]:
    """One line as several: markers share lines with each other and with the header of a section."""
    found: list[bytes] = []
    end = 0
    group: bytes | None = None
    for marker in _MARKER.finditer(line):
        found += _text(line[end : marker.start()], group)
        group = None
        if marker[1] == b"start":
            group = marker[2]
        else:
            found.append(b"##[endgroup]")
        end = marker.end()
    return found + _text(line[end:], group, empty=not found)


def _text(text: bytes, group: bytes | None, *, empty: bool = False) -> list[bytes]:
    if group is not None:
        return [b"##[group]" + (_clean(text) or group.replace(b"_", b" "))]
    return [text] if text or empty else []


def _clean(text: bytes) -> bytes:
    """A header without the sequences that clear the line before it."""
    return re.sub(rb"^(\r|\x1b\[0K|\x1b\[0;m)+", b"", text)
