"""One line of a log as people read it: without time stamp, colours and control characters."""

import re

ANSI = re.compile(r"\x1b\[[0-9;:?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[@-Z\\-_]?")
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
# GitHub and GitLab begin each line so; GitLab adds the stream's number and kind, and + where a line goes on.
# https://docs.gitlab.com/ci/jobs/job_logs/#job-log-timestamps
STAMP = re.compile(r"^\ufeff?(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)(?: \d\d[OE]\+?)? ?", re.IGNORECASE)


def plain(line: str) -> str:
    """The words of a line alone."""
    line = STAMP.sub("", line)
    if "\x1b" in line:
        line = ANSI.sub("", line)
    return line.rstrip() if line.isprintable() else CONTROL.sub("", line).rstrip()
