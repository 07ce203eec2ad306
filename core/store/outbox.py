"""Messages about alerts that wait to be sent, claimed by one sender at a time for each channel.

A message is `pending`, then `sending` while a sender holds it, then `sent` or `failed` (for good). One that a killed
process was sending is sent again, with the same id, by which the receiver can tell.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

import orjson

from core.alert_groups import Queued, Sent, next_group
from core.errors import Conflict, NotFound
from core.store.cursor import Cursor, ask

# How long a sender has what it claimed; longer than any channel takes to answer.
LEASE = timedelta(minutes=3)
# No channel is left alone for longer than this (it may ask for an hour). A message that waits longer was told to by a
# clock that has been set right since.
LONGEST_REST = timedelta(hours=2)
# The longest queue that is looked at when the next message is chosen.
LOOKED_AT = 500


def give_back(cursor: Cursor) -> None:
    """At the start of the only process on a database: what the process before was sending waits again."""
    cursor.execute("UPDATE notifications SET status = 'pending', next_attempt_at = NULL WHERE status = 'sending'")


def claim(cursor: Cursor, channel: str, now: datetime, gather: timedelta) -> list[Queued]:
    """The channel's next messages, which go out as one; empty while there is nothing to send.

    Steps: nothing while another sender has a message of this channel, or the channel rests after a failure → choose
    (`core.alert_groups`) → take by compare-and-set. What another sender took meanwhile is left out.
    """
    rows = cursor.execute(
        """SELECT id, kind, attempts, created_at, payload, next_attempt_at FROM notifications
        WHERE channel = ? AND status IN ('pending', 'sending') ORDER BY created_at, id LIMIT ?""",
        [channel, LOOKED_AT],
    ).fetchall()
    if not rows or any(row[5] and now < row[5] <= now + LONGEST_REST for row in rows):
        return []
    waiting = [Queued(row[0], row[1], row[2], row[3], orjson.loads(row[4])) for row in rows]
    sent = cursor.execute(
        """SELECT kind, repository, sent_at FROM notifications
        WHERE channel = ? AND status = 'sent' AND sent_at > ? AND sent_at <= ?""",
        [channel, now - gather, now],
    ).fetchall()
    chosen = next_group(waiting, [Sent(kind, repository or "", at) for kind, repository, at in sent], now, gather)
    return [_with_excerpt(cursor, message) for message in chosen if _take(cursor, message, now)]


def _take(cursor: Cursor, message: Queued, now: datetime) -> bool:
    taken = cursor.execute(
        """UPDATE notifications SET status = 'sending', next_attempt_at = ?
        WHERE id = ? AND attempts = ? AND (next_attempt_at IS NULL OR next_attempt_at <= ? OR next_attempt_at > ?)
            AND status IN ('pending', 'sending') RETURNING id""",
        [now + LEASE, message.id, message.attempts, now, now + LONGEST_REST],
    ).fetchall()
    return len(taken) == 1


def _with_excerpt(cursor: Cursor, message: Queued) -> Queued:
    """With why the run failed, as far as it is known by now: logs arrive later than alerts."""
    attempt_id = message.facts.get("attempt_id")
    if message.kind != "raised" or not attempt_id:
        return message
    row = ask(cursor, "attempt_excerpt", {"attempt_id": attempt_id}).fetchone()
    facts = message.facts | {"excerpt": row[1] if row else None}
    return Queued(message.id, message.kind, message.attempts, message.created_at, facts)


def mark_sent(cursor: Cursor, messages: Sequence[Queued], now: datetime) -> None:
    for message in messages:
        cursor.execute(
            """UPDATE notifications SET status = 'sent', attempts = attempts + 1, sent_at = ?, next_attempt_at = NULL,
                error = NULL
            WHERE id = ?""",
            [now, message.id],
        )


def mark_failed(cursor: Cursor, messages: Sequence[Queued], error: str, next_attempt_at: datetime | None) -> None:
    """Keep why sending failed; without a next attempt it failed for good."""
    for message in messages:
        cursor.execute(
            "UPDATE notifications SET status = ?, attempts = attempts + 1, error = ?, next_attempt_at = ? WHERE id = ?",
            ["pending" if next_attempt_at else "failed", error[:500], next_attempt_at, message.id],
        )


def retry(cursor: Cursor, message_id: str, known: Collection[str], now: datetime) -> str:
    """Send a message again that failed for good, or now what waits for its next attempt; returns its channel.

    Raises NotFound, or Conflict for one that was sent or is being sent, or whose channel is none of the `known`.
    """
    row = cursor.execute("SELECT status, channel FROM notifications WHERE id = ?", [message_id]).fetchone()
    if row is None:
        raise NotFound("There is no such message.", details={"id": message_id})
    if row[1] not in known:
        raise Conflict(f"The channel {row[1]} is no longer configured.")
    changed = cursor.execute(
        """UPDATE notifications SET status = 'pending', next_attempt_at = ?
        WHERE id = ? AND status IN ('failed', 'pending') RETURNING channel""",
        [now, message_id],
    ).fetchall()
    if not changed:
        words = "was sent already" if row[0] == "sent" else "is being sent"
        raise Conflict(f"The message {words}.", details={"status": row[0]})
    channel = str(changed[0][0])
    # The channel rests while any of its messages does.
    cursor.execute(
        "UPDATE notifications SET next_attempt_at = ? WHERE channel = ? AND status = 'pending'", [now, channel]
    )
    return channel
