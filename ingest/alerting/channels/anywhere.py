"""Any service that Apprise knows (Teams, Discord, PagerDuty, Opsgenie, Telegram, ntfy …), by its Apprise URL."""

from urllib.parse import urlsplit

import apprise

from core.errors import BadSetting
from ingest.alerting.channels import PassingFailure
from ingest.alerting.messages import Message

KINDS = {"critical": apprise.NotifyType.FAILURE, "warning": apprise.NotifyType.WARNING}


class Anywhere:
    """One Apprise URL. Apprise tells no more than whether it worked, so each failure counts as passing."""

    def __init__(self, address: str, number: int) -> None:
        self.name = f"{urlsplit(address).scheme}-{number}"
        self._target = apprise.Apprise()
        if not self._target.add(address):
            raise BadSetting(f"Bad setting: NOTIFY_URLS: entry {number} is no address that Apprise understands.")

    def send(self, message: Message) -> str:
        """Hand the message to Apprise as plain text."""
        body = "\n\n".join("\n".join(f"{name}: {value}" for name, value in lines) for lines in message.alerts)
        links = "\n".join(link for link in message.links if link)
        kind = KINDS.get(message.severity, apprise.NotifyType.INFO)
        sent = self._target.notify(
            body=f"{body}\n\n{links}\n{message.id}".strip(),
            title=message.subject,
            notify_type=kind,
            body_format=apprise.NotifyFormat.TEXT,
        )
        if not sent:
            raise PassingFailure(f"{self.name} did not take the message.")
        return "sent"
