"""The kept logs of jobs: one row each, its text compressed."""

from collections.abc import Iterable
from dataclasses import astuple, dataclass
from datetime import datetime

from core.logs.excerpt import excerpt_of
from core.logs.keep import KeptLog
from core.store.cursor import Cursor


@dataclass(frozen=True, slots=True)
class JobLog:
    """`status`: kept, expired or missing at the CI system. `content`: the text, packed, `size_bytes` what came in."""

    job_id: str
    attempt_id: str
    fetched_at: datetime
    status: str
    size_bytes: int
    is_cut: bool
    content: bytes
    excerpt: str | None
    first_error_line: int | None


def packed(kept: KeptLog, *, job_id: str, attempt_id: str, status: str, has_failed: bool, at: datetime) -> JobLog:
    """The row of a log that was fed whole. Only the log of a job that has failed has an excerpt: others may say
    "error" too.
    """
    why = excerpt_of(kept)
    excerpt, line = (why.text if has_failed else None, why.first_line) if why else (None, None)
    return JobLog(job_id, attempt_id, at, status, kept.size, kept.is_cut, kept.packed(), excerpt, line)


def keep(cursor: Cursor, logs: Iterable[JobLog]) -> None:
    """Store the logs; one that is there already is replaced."""
    cursor.executemany(
        """INSERT INTO job_logs (
            job_id, attempt_id, fetched_at, status, size_bytes, is_cut, content, excerpt, first_error_line
        ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (job_id) DO UPDATE SET
            fetched_at = excluded.fetched_at, status = excluded.status, size_bytes = excluded.size_bytes,
            is_cut = excluded.is_cut, content = excluded.content, excerpt = excluded.excerpt,
            first_error_line = excluded.first_error_line""",
        [astuple(log) for log in logs],
    )
