"""Finds where durations changed, some pipelines at a time, and keeps it: the page only reads."""

from datetime import datetime
from functools import partial

from core.insights import regressions
from core.insights.regressions import FoundChange
from core.store.cursor import Cursor
from core.store.reader import Reader
from core.store.writer import Writer

AT_ONCE = 20


def find_changes(reader: Reader, writer: Writer, now: datetime, seen: dict[str, datetime]) -> int:
    """Look at every pipeline that finished a run since it was `seen`, which is updated; returns how many those were."""
    since = now - regressions.HISTORY
    active = reader.frame("active_pipelines", since=since)
    newest = dict(zip(active["pipeline_id"], active["newest_at"], strict=True))
    due = [str(name) for name, at in newest.items() if seen.get(str(name)) != at]
    for start in range(0, len(due), AT_ONCE):
        part = tuple(due[start : start + AT_ONCE])
        runs = reader.frame("regression_series", pipeline_ids=part, since=since, limit=regressions.MOST_RUNS)
        found = regressions.found_in(runs)
        writer.transact(partial(_replace, pipeline_ids=part, found=found, now=now)).result()
        seen.update({name: newest[name] for name in part})
    return len(due)


def _replace(cursor: Cursor, pipeline_ids: tuple[str, ...], found: list[FoundChange], now: datetime) -> None:
    for pipeline_id in pipeline_ids:
        cursor.execute("DELETE FROM duration_changes WHERE pipeline_id = ?", [pipeline_id])
    for one in found:
        change = one.change
        cursor.execute(
            "INSERT INTO duration_changes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                one.pipeline_id, one.job, one.attempt_id, one.head_sha, one.changed_at.to_pydatetime(),
                one.before_attempt_id, one.before_sha, change.before, change.after, change.ratio, change.low,
                change.high, change.p_value, change.runs_before, change.runs_after, one.is_newest, one.on_default, now,
            ],
        )  # fmt: skip
