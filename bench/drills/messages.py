"""What receivers heard, and whether it is what the outbox holds: each message by its own id, and none left out."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from bench.drills import Report, problem

# Of a message that waits, or was told, the id by which its receiver knows it; of a group, that of the first.
KNOWN = "SELECT id, channel, alert_id, kind FROM notifications"


def slack_ids(bodies: Iterable[dict[str, Any]]) -> list[str]:
    return [body["attachments"][0]["footer"].rsplit(" ", 1)[1] for body in bodies]


def mail_ids(contents: Iterable[str]) -> list[str]:
    return [found for content in contents for found in re.findall(r"^Message-ID: <(.+?)@", content, re.MULTILINE)]


def slack_entries(bodies: Iterable[dict[str, Any]]) -> int:
    """How many alerts were told, whole or as one line of a large group."""
    return sum(
        attachment["text"].count("•") if "text" in attachment else 1
        for body in bodies
        for attachment in body["attachments"]
    )


def compared(channel: str, ids: Sequence[str], entries: int | None, outbox: Collection[tuple[Any, ...]]) -> Report:
    """`ids` in the order of arrival, and how many alerts they told where that is known, against rows of KNOWN."""
    known = {row[0] for row in outbox if row[1] == channel}
    made = Counter((row[2], row[3]) for row in outbox if row[1] == channel and row[2])
    strange, doubled = len(set(ids) - known), sum(made.values()) - len(made)
    return Report(
        {
            f"messages by {channel}": f"{len(set(ids)):,} about {len(known):,} alerts and recoveries, "
            f"{len(ids) - len(set(ids))} came again with the same id, {strange + doubled} with another"
        },
        (
            *problem(f"{channel} got nothing", if_=not ids),
            *problem(f"{channel}: {strange} messages came with an id that nobody gave them", if_=strange > 0),
            *problem(f"{channel}: {doubled} messages were made twice", if_=doubled > 0),
            *problem(
                f"{channel}: {entries} of {len(known)} were told", if_=entries is not None and entries < len(known)
            ),
        ),
    )
