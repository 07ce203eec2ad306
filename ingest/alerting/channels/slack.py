"""Slack by incoming webhook. https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks/"""

import httpx

from ingest.alerting.channels import PassingFailure, PermanentFailure
from ingest.alerting.messages import Message

SECONDS = 10.0
TOO_MANY, SERVER_ERROR = 429, 500


class Slack:
    """Posts one attachment for each alert, coloured by severity."""

    name = "slack"

    def __init__(self, address: str) -> None:
        self._address = address

    def send(self, message: Message) -> str:
        """Post; returns Slack's answer. The address is a secret and stands in no error."""
        try:
            answer = httpx.post(self._address, json=payload(message), timeout=SECONDS)
        except httpx.HTTPError as error:
            raise PassingFailure(f"Slack can't be reached: {type(error).__name__}.") from None
        if answer.is_success:
            return answer.text[:200]
        sentence = f"Slack answered {answer.status_code}: {answer.text[:200]}"
        if answer.status_code == TOO_MANY or answer.status_code >= SERVER_ERROR:
            raise PassingFailure(sentence, _seconds(answer.headers.get("retry-after")))
        # Any other 4xx: this hook will never take this message (no_service, invalid_token, channel_is_archived).
        raise PermanentFailure(sentence)


def payload(message: Message) -> dict[str, object]:
    """The body of the call. Text is escaped as Slack asks, and never read as its markup."""
    attachments = []
    for lines, link, excerpt in zip(message.alerts, message.links, message.excerpts, strict=True):
        fields: list[dict[str, object]] = [
            {"title": name, "value": escaped(value), "short": name != "Message"} for name, value in lines
        ]
        if excerpt:
            quoted = escaped(excerpt[:1500]).replace("```", "'''")
            fields.append({"title": "Log", "value": f"```{quoted}```", "short": False})
        attachment: dict[str, object] = {
            "color": message.colour,
            "fallback": escaped(message.subject),
            "fields": fields,
            "footer": f"CI/CD Health · {message.id}",
            "mrkdwn_in": ["fields"] if excerpt else [],
        }
        if link:
            attachment |= {"title": "Open the run", "title_link": link}
        attachments.append(attachment)
    return {"text": escaped(message.subject), "attachments": attachments}


def escaped(text: str) -> str:
    """https://docs.slack.dev/messaging/formatting-message-text/#escaping"""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _seconds(value: str | None) -> float | None:
    try:
        return float(value) if value else None
    except ValueError:
        return None
