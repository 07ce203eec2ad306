"""Which waiting messages go out together, and when. Pure: a channel's queue and last messages in, the next one out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

# Alerts in one message at most: Slack takes 100 attachments.
AT_ONCE = 100
# More messages of a kind than these within the gathering time have a cause in common: the rest goes out as one.
SINGLES = 5


@dataclass(frozen=True, slots=True)
class Queued:
    """One message that waits: `facts` is what alert_message.sql read when it was queued."""

    id: str
    kind: str
    attempts: int
    created_at: datetime
    facts: dict[str, Any]

    @property
    def repository(self) -> str:
        return str(self.facts.get("repository") or "")

    @property
    def thread(self) -> str:
        """What it is about: messages of one thread stay in order."""
        return str(self.facts.get("dedup_key") or self.id)


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that went out lately; those with one `at` and kind were one."""

    kind: str
    repository: str
    at: datetime


def next_group(waiting: Sequence[Queued], sent: Sequence[Sent], now: datetime, gather: timedelta) -> list[Queued]:
    """The messages to send now as one, the oldest first; empty while all that wait are still being gathered.

    The first message about a repository goes at once. Others of its kind that follow within `gather` wait for its end
    and go out together; when many repositories are concerned, so do all of that kind. `sent`: what went out within
    `gather`.
    """
    seen: set[tuple[str, str]] = set()
    for head in waiting:
        is_wide = _is_wide(head.kind, waiting, sent)
        key = (head.kind, "" if is_wide else head.repository)
        if key in seen:
            continue
        group = _group(head, waiting, is_wide=is_wide)
        if head not in group:
            continue  # something earlier of its thread waits
        seen.add(key)
        last = max((each.at for each in sent if each.kind == head.kind and _is_near(each, head, is_wide)), default=None)
        if last is None or last + gather <= now or len(group) == AT_ONCE:
            return group
    return []


def _is_wide(kind: str, waiting: Sequence[Queued], sent: Sequence[Sent]) -> bool:
    repositories = {message.repository for message in waiting if message.kind == kind}
    messages = {each.at for each in sent if each.kind == kind}
    return len(repositories) + len(messages) > SINGLES


def _is_near(sent: Sent, head: Queued, is_wide: bool) -> bool:
    return is_wide or sent.repository == head.repository


def _group(head: Queued, waiting: Sequence[Queued], *, is_wide: bool) -> list[Queued]:
    """What may go with `head`: nothing overtakes an earlier message of its own thread."""
    group: list[Queued] = []
    left_behind: set[str] = set()
    for message in waiting:
        belongs = message.kind == head.kind and (is_wide or message.repository == head.repository)
        if belongs and message.thread not in left_behind and len(group) < AT_ONCE:
            group.append(message)
        else:
            left_behind.add(message.thread)
    return group
