"""The log of a job: a small browser component that asks for the lines it shows, so that no log is too long.

Texts from outside reach the page as `textContent` only (`log_viewer.js`), so nothing in a log can become markup.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from core.logs.opened import OpenLog
from core.logs.shown import shown
from dashboard.parts.component import component, nothing
from dashboard.parts.formats import STATUS_ICONS, duration, missing, text
from dashboard.reads.logs import JobLog, search, step_lines

CHUNK = 400
MOST_CHUNKS = 5
LONGEST_QUERY = 200
LONGEST_NAME = 80


def draw(job: JobLog, steps: pd.DataFrame, *, target: tuple[int, int] | None, key: str, at_end: bool = False) -> None:
    """The log, opened at the lines `target`, else at its first error or (`at_end`) its end. `key` names the job."""
    wanted = _wanted(st.session_state.get(key))
    begin = job.log.total if at_end else job.first_error
    first = (target[0] if target else None) or begin or 1
    chunks = wanted["chunks"] or _around(first, job.log.total)
    query = wanted["query"]
    hits = search(job.log, f"{key} {job.log.total}", query) if query else None
    component("log_viewer")(
        data={
            "version": f"{key} {job.log.total}",
            "total": job.log.total,
            "chunk": CHUNK,
            "selected": list(target) if target else None,
            "first_error": job.first_error,
            "begin": first,
            "errors": job.log.errors,
            "groups": [[group.start, group.end, group.is_folded] for group in job.log.groups],
            "steps": _steps(job.log, steps),
            "chunks": {str(chunk): lines(job.log, chunk) for chunk in chunks},
            "query": query,
            "hits": {"total": hits.total, "lines": list(hits.lines)} if hits else None,
        },
        key=key,
        on_wanted_change=nothing,
    )


def lines(log: OpenLog, chunk: int) -> list[list[Any]]:
    """CHUNK lines as the component takes them: stamp, kind, characters left out, and the pieces of the text."""
    found = []
    for raw in log.lines(chunk * CHUNK + 1, CHUNK):
        line = shown(raw)
        pieces = [[piece.text, piece.colour, piece.background, piece.marks] for piece in line.segments]
        found.append([line.stamp, line.kind, line.more, pieces])
    return found


def _around(line: int, total: int) -> list[int]:
    """The chunks about a line, so that it is there with what surrounds it."""
    here, last = (line - 1) // CHUNK, max(0, total - 1) // CHUNK
    return [chunk for chunk in (here - 1, here, here + 1) if 0 <= chunk <= last]


def _wanted(state: Any) -> dict[str, Any]:
    """What the component asked for. It comes from a browser, so it may be anything."""
    asked = state.get("wanted") if isinstance(state, Mapping) else None
    chunks = asked.get("chunks") if isinstance(asked, Mapping) else None
    query = asked.get("query") if isinstance(asked, Mapping) else None
    numbers = chunks if isinstance(chunks, Sequence) and not isinstance(chunks, str) else []
    return {
        "chunks": [chunk for chunk in numbers if isinstance(chunk, int) and 0 <= chunk < 10_000_000][:MOST_CHUNKS],
        "query": query[:LONGEST_QUERY] if isinstance(query, str) else "",
    }


def _steps(log: OpenLog, steps: pd.DataFrame) -> list[dict[str, Any]]:
    """What to jump to: the steps that the CI system told of, else the outermost groups of the log."""
    found = [
        {
            "line": line,
            "name": f"{STATUS_ICONS.get(text(step['status']), '?')} {text(step['name'])[:LONGEST_NAME]}",
            "took": "" if missing(step["duration_seconds"]) else duration(float(step["duration_seconds"])),
        }
        for step, line in zip(steps.to_dict("records"), step_lines(log, steps), strict=True)
        if line
    ]
    if found:
        return found
    outermost, end = [], 0
    for group in log.groups:
        if group.start > end:
            outermost.append({"line": group.start, "name": group.title[:LONGEST_NAME], "took": ""})
            end = group.end
    return outermost[:500]
