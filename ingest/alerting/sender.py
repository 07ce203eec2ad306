"""Takes messages out of the outbox and sends them: one thread a channel, so that a slow one holds up nobody else.

The way of a message: claim the channel's next (with others that belong to it) → send → mark sent, or wait and try
again, or give up where the channel says that it will never take it.
"""

import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

import structlog

from core.alert_groups import Queued
from core.errors import BadRequest, DashboardError
from core.redaction import redactor
from core.settings import Settings
from core.store import outbox
from core.store.digest import KIND
from core.store.writer import Writer
from ingest.alerting.channels import ChannelFailure, PassingFailure, PermanentFailure
from ingest.alerting.channels.anywhere import Anywhere
from ingest.alerting.channels.mail import Mail
from ingest.alerting.channels.slack import Slack
from ingest.alerting.digest_message import digest_message
from ingest.alerting.messages import Message, message_of

log = structlog.get_logger()

# How late a message may be whose next attempt has come; new ones wake the sender at once.
IDLE_SECONDS = 1.0
FIRST_WAIT, LONGEST_WAIT = 2.0, 300.0


class Channel(Protocol):
    @property
    def name(self) -> str:
        """What the channel is called in the outbox."""

    @property
    def target(self) -> str:
        """Where it leads, for people; no secret."""

    def send(self, message: Message) -> str:
        """Send; returns what the channel answered. Raises PassingFailure or PermanentFailure."""


def channels_of(settings: Settings) -> list[Channel]:
    """The channels that are configured. Raises BadSetting for an address that nothing understands."""
    found: list[Channel] = []
    if settings.slack_webhook_url:
        found.append(Slack(settings.slack_webhook_url.get_secret_value()))
    if settings.smtp_host and settings.alert_email_to:
        password = settings.smtp_password.get_secret_value() if settings.smtp_password else None
        recipients = tuple(part.strip() for part in settings.alert_email_to.split(",") if part.strip())
        sender = settings.smtp_from or settings.smtp_username or recipients[0]
        found.append(Mail(settings.smtp_host, settings.smtp_port, sender, recipients, settings.smtp_username, password))
    addresses = settings.notify_urls.get_secret_value() if settings.notify_urls else ""
    urls = [part.strip() for part in addresses.split(",") if part.strip()]
    return found + [Anywhere(address, number) for number, address in enumerate(urls, 1)]


def wait_seconds(attempts: int, retry_after: float | None) -> float:
    """Doubling from two seconds to five minutes with a quarter of jitter, never sooner than the channel asked."""
    wait = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(attempts, 10))
    jittered: float = wait * random.uniform(0.75, 1.25)  # noqa: S311 -- spreads attempts, guards nothing
    return max(jittered, retry_after or 0.0)


class Sender:
    """The threads that send, while `may_send` says so. `wake` may be called from any thread."""

    def __init__(self, channels: Sequence[Channel], frontend: str, gather: timedelta = timedelta()) -> None:
        self.channels = {channel.name: channel for channel in channels}
        self._gather = gather
        self._frontend = frontend
        self._stopping = threading.Event()
        self._wakes = {name: threading.Event() for name in self.channels}
        self._threads: list[threading.Thread] = []
        self.may_send: Callable[[], bool] = lambda: True

    def start(self, writer: Writer) -> None:
        """Give back what a killed process was sending, then send."""
        self._stopping.clear()
        self._threads.clear()
        writer.transact(outbox.give_back).result()
        for name in self.channels:
            thread = threading.Thread(target=self._work, args=(name, writer), name=f"sender {name}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def wake(self) -> None:
        for wake in self._wakes.values():
            wake.set()

    def stop(self) -> None:
        """Finish the message that is being sent; the others wait in the outbox."""
        self._stopping.set()
        self.wake()
        for thread in self._threads:
            thread.join(timeout=30)

    def test(self, name: str | None, message: Message) -> tuple[str, str]:
        """Send now, past the outbox; (channel, what it answered). Raises BadRequest or ChannelFailure."""
        if not self.channels:
            raise BadRequest(
                "No channel is configured.",
                hint="Set SLACK_WEBHOOK_URL, SMTP_HOST with ALERT_EMAIL_TO, or NOTIFY_URLS.",
            )
        chosen = name or next(iter(self.channels))
        if chosen not in self.channels:
            raise BadRequest(f"channel {chosen} is not configured.", details={"known": sorted(self.channels)})
        return chosen, self.channels[chosen].send(message)

    def _work(self, name: str, writer: Writer) -> None:
        wake = self._wakes[name]
        while not self._stopping.is_set():
            wake.clear()
            try:
                while not self._stopping.is_set() and self.may_send() and self._send_next(name, writer):
                    pass
            except DashboardError as error:
                log.warning("outbox not readable, trying again", channel=name, reason=str(error))
            wake.wait(IDLE_SECONDS)

    def _send_next(self, name: str, writer: Writer) -> bool:
        """Send the next due message of a channel; whether there may be another."""
        claimed = writer.transact(lambda cursor: outbox.claim(cursor, name, datetime.now(UTC), self._gather)).result()
        if not claimed:
            return False
        try:
            self._send(name, claimed)
        except ChannelFailure as error:
            again = None
            if isinstance(error, PassingFailure):
                wait = wait_seconds(claimed[0].attempts, error.retry_after)
                again = datetime.now(UTC) + timedelta(seconds=wait)
            sentence = redactor().text(error.message)
            log.warning("message not sent", channel=name, reason=sentence, again_at=again and again.isoformat())
            writer.transact(lambda cursor: outbox.mark_failed(cursor, claimed, sentence, again)).result()
            return again is None
        writer.transact(lambda cursor: outbox.mark_sent(cursor, claimed, datetime.now(UTC))).result()
        return True

    def _message(self, claimed: Sequence[Queued]) -> Message:
        if claimed[0].kind == KIND:
            return digest_message(claimed[0].id, claimed[0].facts, self._frontend)
        return message_of(claimed, self._frontend)

    def _send(self, name: str, claimed: Sequence[Queued]) -> None:
        """Raises ChannelFailure, whatever goes wrong: one message must not end the thread of its channel."""
        try:
            # A log's excerpt or a commit message may say what nobody may hear.
            clean = [replace(queued, facts=redactor().anything(queued.facts)) for queued in claimed]
            self.channels[name].send(self._message(clean))
        except ChannelFailure:
            raise
        except Exception as error:
            log.exception("message not sent", channel=name)
            raise PermanentFailure(f"The message could not be made: {type(error).__name__}.") from None
