"""Any service that Apprise knows (Teams, Discord, PagerDuty, Opsgenie, Telegram, ntfy …), by its Apprise URL."""

import re
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
SECONDS = 30.0


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
        kind = KINDS.get(message.severity, apprise.NotifyType.INFO)
        result = self._target.notify(
            body=text_of(message),
            title=unmentioned(message.subject),
            notify_type=apprise.NotifyType.SUCCESS if message.is_over else kind,
            body_format=apprise.NotifyFormat.TEXT,
            timeout=SECONDS,
        )
        if result:
            return "sent"
        # Its lines may hold addresses, so they are searched and never shown. They are read to the end: a reader that
        # stops on the way keeps Apprise's lock, on which the thread that collects the result would wait for ever.
        lines = [str(entry.message) for entry in list(result.logs())]
        code = next((int(found[1]) for line in lines if (found := CODE.search(line))), None)
        if code is None:
            raise PassingFailure(f"{self.name} did not take the message.")
        sentence = f"{self.name} answered {code}."
        raise (PermanentFailure if 400 <= code < 500 and code not in LATER else PassingFailure)(sentence)


def text_of(message: Message) -> str:
    """The message as plain text that mentions nobody; its id ends it."""
    parts = [unmentioned(message.headline)]
    for entry in message.in_full:
        lines = [unmentioned(f"{name}: {value}") for name, value in entry.lines]
        lines += [unmentioned(entry.excerpt[:EXCERPT])] if entry.excerpt else []
        lines += [link for link in (entry.run_link, entry.alert_link) if link]
        parts.append("\n".join(lines))
    if message.in_short:
        shorts = [unmentioned(entry.short) for entry in message.in_short]
        parts.append("\n".join([f"and {len(message.in_short)} more:", *shorts]))
    return "\n\n".join(part for part in [*parts, message.id] if part)


def unmentioned(text: str) -> str:
    """Text in which nobody is called: chats read `@everyone` in plain text too, and a commit message may hold it.

    https://discord.com/developers/docs/resources/message#allowed-mentions-object
    """
    return text.replace("@", "@\u200b")
