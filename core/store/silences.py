"""Silences in the database: made and ended by people, read by each evaluation."""

from datetime import datetime

from core.errors import NotFound
from core.silences import Silence
from core.store.cursor import Cursor


def add(cursor: Cursor, silence: Silence, reason: str, by: str, now: datetime) -> None:
    cursor.execute(
        """INSERT INTO silences
            (id, starts_at, ends_at, pipeline_id, repository, branch, type, reason, created_by, created_at, repeats,
            zone)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        [silence.id, silence.starts_at, silence.ends_at, silence.pipeline_id, silence.repository, silence.branch,
         silence.type, reason, by, now, silence.repeats, silence.zone],
    )  # fmt: skip


def end(cursor: Cursor, silence_id: str) -> None:
    """End a silence now. Raises NotFound."""
    ended = cursor.execute("DELETE FROM silences WHERE id = ? RETURNING id", [silence_id]).fetchall()
    if not ended:
        raise NotFound("There is no such silence.", details={"id": silence_id})
