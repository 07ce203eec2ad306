"""Keeps the telling line of each failed job's log, picked from its excerpt a bounded number at a time."""

from datetime import UTC, datetime
from functools import partial

from core.insights import failures
from core.store.cursor import Cursor
from core.store.reader import Reader
from core.store.writer import Writer

AT_ONCE = 500


def pick_lines(reader: Reader, writer: Writer, *, most: int = 20_000) -> int:
    """Pick the lines of excerpts that have none yet, `most` at most; returns how many were picked."""
    picked = 0
    while picked < most:
        rows = reader.frame("failure_lines_unread", rules=failures.RULES, limit=AT_ONCE)
        if rows.empty:
            break
        now = datetime.now(UTC)
        found = [
            _row(str(job_id), str(excerpt), now)
            for job_id, excerpt in zip(rows["job_id"], rows["excerpt"], strict=True)
        ]
        writer.transact(partial(_put, rows=found)).result()
        picked += len(found)
    return picked


def _row(job_id: str, excerpt: str, now: datetime) -> list[object]:
    line = failures.telling_line(excerpt)
    mask = failures.masked(line)
    return [job_id, failures.mask_id(mask), mask, line, failures.RULES, now]


def _put(cursor: Cursor, rows: list[list[object]]) -> None:
    for row in rows:
        cursor.execute(
            """INSERT INTO failure_lines VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (job_id) DO UPDATE SET
                mask_id = excluded.mask_id, masked = excluded.masked, line = excluded.line,
                version = excluded.version, read_at = excluded.read_at""",
            row,
        )
