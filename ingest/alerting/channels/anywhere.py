"""Any service that Apprise knows (Teams, Discord, PagerDuty, Opsgenie, Telegram, ntfy …), by its Apprise URL."""

import logging
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import apprise

from core.errors import BadSetting
from ingest.alerting.channels import PassingFailure, PermanentFailure
from ingest.alerting.messages import Message

KINDS = {"critical": apprise.NotifyType.FAILURE, "warning": apprise.NotifyType.WARNING}
# How Apprise ends its log line about a refused call: "…, error=401."
CODE = re.compile(r"error=(\d{3})\b")
LATER = frozenset({408, 425, 429})
EXCERPT = 800


class Anywhere:
    """One Apprise URL. Apprise says only whether it worked; the status of a refusal stands in its log."""

    def __init__(self, address: str, number: int) -> None:
        scheme = urlsplit(address).scheme
        self.name = f"{scheme}-{number}"
        self._target = apprise.Apprise()
        if not self._target.add(address):
            raise BadSetting(f"Bad setting: NOTIFY_URLS: entry {number} is no address that Apprise understands.")
        self.target = str(getattr(self._target[0], "service_name", scheme) or scheme)

    def send(self, message: Message) -> str:
        """Hand the message to Apprise as plain text."""
        with _logged() as lines:
            sent = self._target.notify(
                body=text_of(message),
                title=message.subject,
                notify_type=apprise.NotifyType.SUCCESS
                if message.is_over
                else KINDS.get(message.severity, apprise.NotifyType.INFO),
                body_format=apprise.NotifyFormat.TEXT,
            )
        if sent:
            return "sent"
        code = next((int(found[1]) for line in lines if (found := CODE.search(line))), None)
        if code is None:
            raise PassingFailure(f"{self.name} did not take the message.")
        sentence = f"{self.name} answered {code}."
        raise (PermanentFailure if 400 <= code < 500 and code not in LATER else PassingFailure)(sentence)


def text_of(message: Message) -> str:
    """The message as plain text; its id ends it."""
    parts = [message.headline]
    for entry in message.in_full:
        lines = [f"{name}: {value}" for name, value in entry.lines]
        lines += [entry.excerpt[:EXCERPT]] if entry.excerpt else []
        lines += [link for link in (entry.run_link, entry.alert_link) if link]
        parts.append("\n".join(lines))
    if message.in_short:
        parts.append("\n".join([f"and {len(message.in_short)} more:", *(entry.short for entry in message.in_short)]))
    return "\n\n".join(part for part in [*parts, message.id] if part)


@contextmanager
def _logged() -> Iterator[list[str]]:
    """What Apprise logs in this thread meanwhile. Its lines may hold addresses: they are searched, never shown."""
    lines: list[str] = []
    own = threading.get_ident()

    class Gather(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.thread == own:
                lines.append(record.getMessage())

    handler = Gather(level=logging.WARNING)
    logger = logging.getLogger("apprise")
    logger.addHandler(handler)
    try:
        yield lines
    finally:
        logger.removeHandler(handler)
