"""Slack by incoming webhook. https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks/"""

from urllib.parse import urlsplit

import httpx

from ingest.alerting.channels import PassingFailure, PermanentFailure, retry_after
from ingest.alerting.messages import Entry, Message

SECONDS = 10.0
SERVER_ERROR = 500
# Too early, too many, timed out: the same message may be taken later. https://www.rfc-editor.org/rfc/rfc9110#name-408
LATER = frozenset({408, 425, 429})


class Slack:
    """Posts one attachment for each alert, coloured by severity."""

    name = "slack"
    target = "Incoming webhook"

    def __init__(self, address: str) -> None:
        self._address = address

    def send(self, message: Message) -> str:
        """Post; returns Slack's answer. The address is a secret and stands in no error."""
        try:
            answer = httpx.post(self._address, json=payload(message), timeout=SECONDS)
        except httpx.InvalidURL:
            raise PermanentFailure("SLACK_WEBHOOK_URL is no address.") from None
        except httpx.HTTPError as error:
            raise PassingFailure(f"Slack can't be reached: {type(error).__name__}.") from None
        words = self._shown(answer.text)
        if answer.is_success:
            return words
        sentence = f"Slack answered {answer.status_code}: {words}"
        if answer.status_code in LATER or answer.status_code >= SERVER_ERROR:
            raise PassingFailure(sentence, retry_after(answer.headers.get("retry-after")))
        # Any other answer: this hook will never take this message (no_service, invalid_token, channel_is_archived).
        raise PermanentFailure(sentence)

    def _shown(self, text: str) -> str:
        """What was answered, without the secret path, which error pages of proxies repeat."""
        path = urlsplit(self._address).path
        hidden = text.replace(self._address, "***")
        return (hidden.replace(path, "***") if len(path) > 1 else hidden)[:200]


def payload(message: Message) -> dict[str, object]:
    """The body of the call. Text is escaped as Slack asks, and never read as its markup."""
    attachments = [_attachment(entry, message) for entry in message.in_full]
    if message.in_short:
        attachments.append(
            {
                "color": message.colour,
                "fallback": f"and {len(message.in_short)} more",
                "title": f"and {len(message.in_short)} more",
                "text": escaped("\n".join(f"• {entry.short}" for entry in message.in_short)),
                "mrkdwn_in": [],
            }
        )
    text = "\n".join(part for part in (message.subject, message.headline) if part)
    return {"text": escaped(text), "attachments": attachments}


def _attachment(entry: Entry, message: Message) -> dict[str, object]:
    fields: list[dict[str, object]] = [
        {"title": name, "value": escaped(value), "short": name not in ("Message", "Note")}
        for name, value in entry.lines
    ]
    if entry.excerpt:
        quoted = escaped(entry.excerpt[:1500]).replace("```", "'''")
        fields.append({"title": "Log", "value": f"```{quoted}```", "short": False})
    attachment: dict[str, object] = {
        "color": message.colour,
        "fallback": escaped(entry.short),
        "fields": fields,
        "footer": f"CI/CD Health · {message.id}",
        "mrkdwn_in": ["fields"] if entry.excerpt else [],
    }
    if entry.run_link:
        attachment |= {"title": entry.run_words, "title_link": entry.run_link}
    if entry.alert_link:
        # https://docs.slack.dev/legacy/legacy-messaging/legacy-secondary-message-attachments/
        words = "See the alert" if message.is_over else "Acknowledge"
        attachment["actions"] = [{"type": "button", "text": words, "url": entry.alert_link}]
    return attachment


def escaped(text: str) -> str:
    """https://docs.slack.dev/messaging/formatting-message-text/#escaping"""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
