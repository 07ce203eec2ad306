"""The marks that CI systems put into logs: groups that fold, errors, warnings, commands. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from core.logs.clean import STAMP, plain

# GitHub's runner writes these; `##[` is what a workflow command such as `::error::` becomes.
# https://github.com/actions/runner/blob/main/docs/adrs/0276-problem-matchers.md
GITHUB = re.compile(r"##\[([a-z-]+)(?: [^\]]*)?\]")
# https://docs.gitlab.com/ci/jobs/job_logs/#custom-collapsible-sections
GITLAB = re.compile(r"section_(start|end):\d+:([\w.-]+)(\[[^\]]*\])?[\r ]*(?:\x1b\[0?K)?")
# https://www.jenkins.io/doc/book/pipeline/syntax/#stage
JENKINS = re.compile(r"^\[Pipeline\] (?:\{(?: \((.*)\))?|(\}))$")
KINDS = {
    "group": "group", "error": "error", "warning": "warning", "notice": "notice", "debug": "debug",
    "command": "command", "section": "command", "endgroup": "end", "start-action": "quiet", "end-action": "quiet",
}  # fmt: skip
LONGEST_TITLE = 200
MOST_GROUPS = 5000
MOST_ERRORS = 1000


@dataclass(frozen=True, slots=True)
class Group:
    """Lines that fold away, from 1: the heading `start` stays, the lines after it up to `end` don't."""

    start: int
    end: int
    title: str
    is_folded: bool


@dataclass(frozen=True, slots=True)
class Marked:
    """A line as it is shown: when it was written, what it is (group, end, error, …, or empty), and its text."""

    stamp: str
    kind: str
    text: str


def marked(line: str) -> Marked:
    """The line without its marks and time stamp; the text keeps its colours."""
    stamp = ""
    found = STAMP.match(line)
    if found:
        stamp, line = found[1], line[found.end() :]
    if line.startswith("##["):
        command = GITHUB.match(line)
        if command and command[1] in KINDS:
            kind = KINDS[command[1]]
            return Marked(stamp, kind, line if kind == "quiet" else line[command.end() :])
    if line.startswith("[command]"):
        return Marked(stamp, "command", line.removeprefix("[command]"))
    if "section_" in line and GITLAB.search(line):
        kinds = [section[1] for section in GITLAB.finditer(line)]
        text = GITLAB.sub("", line)
        return Marked(stamp, "group" if "start" in kinds else "end" if not plain(text) else "", text)
    if line.startswith("[Pipeline]"):
        stage = JENKINS.match(line)
        return Marked(stamp, "group" if stage and stage[1] else "quiet", stage[1] if stage and stage[1] else line)
    return Marked(stamp, "", line)


class Marks:
    """Collects groups and errors from lines in order; `close` ends what was left open."""

    def __init__(self) -> None:
        self.groups: list[Group] = []
        self.errors: list[int] = []
        self.stamps: list[tuple[int, str, str]] = []
        self._open: list[tuple[int, str, bool, str] | None] = []

    def read(self, lines: Iterable[str], first: int) -> None:
        """Look at lines, the first of which has the number `first`."""
        for number, line in enumerate(lines, first):
            if "##[" in line:
                self._github(number, line)
            elif "section_" in line:
                self._gitlab(number, line)
            elif line.startswith("[Pipeline]"):
                self._jenkins(number, line)
            elif line.endswith("Post job cleanup."):
                self._stamp(number, line)

    def close(self, last: int) -> None:
        while self._open:
            self._end(last)
        self.groups.sort(key=lambda group: (group.start, -group.end))

    def _github(self, number: int, line: str) -> None:
        found = marked(line)
        if found.kind == "group":
            if self._open:
                self._end(number - 1)  # GitHub's groups don't nest
            self._stamp(number, line)
            self._begin(number, found.text, "", is_folded=True)
        elif found.kind == "end":
            self._end(number)
        elif found.kind == "error" and len(self.errors) < MOST_ERRORS:
            self.errors.append(number)

    def _gitlab(self, number: int, line: str) -> None:
        for section in GITLAB.finditer(line):
            if section[1] == "start":
                title = plain(GITLAB.sub("", line)) or section[2].replace("_", " ")
                self._begin(number, title, section[2], is_folded="collapsed=true" in (section[3] or ""))
            elif any(entry and entry[3] == section[2] for entry in self._open):
                # One that was never ended ends with the one around it.
                while self._end(number if not plain(GITLAB.sub("", line)) else number - 1) != section[2]:
                    pass

    def _jenkins(self, number: int, line: str) -> None:
        found = JENKINS.match(line)
        if found and found[2]:
            self._end(number)
        elif found:
            if found[1]:
                self._begin(number, found[1], "", is_folded=False)
            else:
                self._open.append(None)

    def _begin(self, number: int, title: str, name: str, *, is_folded: bool) -> None:
        self._open.append((number, plain(title)[:LONGEST_TITLE], is_folded, name))

    def _end(self, number: int) -> str | None:
        """Close the innermost group with line `number`; its name, None where nothing was open."""
        entry = self._open.pop() if self._open else None
        if entry is None:
            return None
        if number > entry[0] and len(self.groups) < MOST_GROUPS:
            self.groups.append(Group(entry[0], number, entry[1], entry[2]))
        return entry[3]

    def _stamp(self, number: int, line: str) -> None:
        found = STAMP.match(line)
        if found and len(self.stamps) < MOST_GROUPS:
            self.stamps.append((number, found[1], line[found.end() :]))
