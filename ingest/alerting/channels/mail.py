"""E-mail over SMTP: STARTTLS where the server offers it, TLS from the start on port 465, plain text and HTML."""

import smtplib
import ssl
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from html import escape
from ipaddress import ip_address

import structlog

from ingest.alerting.channels import ChannelFailure, PassingFailure, PermanentFailure
from ingest.alerting.messages import Entry, Message

log = structlog.get_logger()

SECONDS = 20.0
LOG_LENGTH = 3000
TLS_PORT = 465
PERMANENT = 500  # https://www.rfc-editor.org/rfc/rfc5321#section-4.2.1


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail to all recipients for each message."""

    host: str
    port: int
    sender: str
    recipients: tuple[str, ...]
    username: str | None = None
    password: str | None = None
    name = "email"

    @property
    def target(self) -> str:
        return f"{', '.join(self.recipients)} by {self.host}"

    def send(self, message: Message) -> str:
        """Deliver to the server; returns the mail's Message-ID, and who of several recipients was refused."""
        mail = mail_of(message, self.sender, self.recipients)
        try:
            with self._connected() as server:
                if self.username and self.password:
                    self._check_private(server)
                    server.login(self.username, self.password)
                refused = server.send_message(mail)
        except smtplib.SMTPAuthenticationError as error:
            raise _kind(error.smtp_code)(f"The mail server refused the login ({error.smtp_code}).") from None
        except smtplib.SMTPResponseException as error:
            raise _kind(error.smtp_code)(
                f"The mail server answered {error.smtp_code}: {_text(error.smtp_error)}"
            ) from None
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            raise _kind(min(codes))(f"The mail server refused the recipients ({', '.join(map(str, codes))}).") from None
        except smtplib.SMTPNotSupportedError as error:
            raise PermanentFailure(f"The mail server can't do what is asked of it: {error}") from None
        except (OSError, smtplib.SMTPException) as error:
            raise PassingFailure(f"The mail server can't be reached: {type(error).__name__}.") from None
        if not refused:
            return str(mail["Message-ID"])
        names = ", ".join(f"{address} ({code})" for address, (code, _) in refused.items())
        log.warning("a mail went to some of its recipients only", refused=names)
        return f"{mail['Message-ID']}, but refused for {names}"

    def _check_private(self, server: smtplib.SMTP) -> None:
        """A password doesn't travel in the open, except within this machine."""
        peer = server.sock.getpeername()[0] if server.sock else ""
        if not isinstance(server.sock, ssl.SSLSocket) and not ip_address(peer).is_loopback:
            raise PermanentFailure("The mail server offers no encryption (STARTTLS), so the password was not sent.")

    def _connected(self) -> smtplib.SMTP:
        if self.port == TLS_PORT:
            return smtplib.SMTP_SSL(self.host, self.port, timeout=SECONDS, context=ssl.create_default_context())
        server = smtplib.SMTP(self.host, self.port, timeout=SECONDS)
        try:
            server.ehlo()
            if server.has_extn("starttls"):
                server.starttls(context=ssl.create_default_context())
                server.ehlo()
        except BaseException:
            with suppress(smtplib.SMTPException, OSError):
                server.close()
            raise
        return server


def _kind(code: int) -> type[ChannelFailure]:
    return PermanentFailure if code >= PERMANENT else PassingFailure


def mail_of(message: Message, sender: str, recipients: tuple[str, ...]) -> EmailMessage:
    """The mail with both bodies; whatever an alert contains is text in it."""
    mail = EmailMessage()
    # An encoded word (RFC 2047) in a name would be decoded while the header is made, with the line ends it may hold.
    mail["Subject"] = message.subject.replace("=?", "= ?")
    mail["From"] = sender
    mail["To"] = ", ".join(recipients)
    mail["Date"] = format_datetime(datetime.now(UTC))
    # The same in every attempt, by which a mail that comes twice after a crash is recognised.
    mail["Message-ID"] = f"<{message.id}@cicd-health.invalid>"
    mail.set_content(_plain(message))
    mail.add_alternative(_html(message), subtype="html")
    return mail


def _plain(message: Message) -> str:
    parts = [message.headline] if message.headline else []
    for entry in message.in_full:
        text = [f"{name}: {value}" for name, value in entry.lines]
        text += [f"{entry.run_words}: {entry.run_link}"] if entry.run_link else []
        text += [f"Alert: {entry.alert_link}"] if entry.alert_link else []
        text += ["", entry.excerpt[:LOG_LENGTH]] if entry.excerpt else []
        parts.append("\n".join(text))
    if message.in_short:
        parts.append("\n".join([f"and {len(message.in_short)} more:", *(entry.short for entry in message.in_short)]))
    return "\n\n".join(parts) + "\n"


def _html(message: Message) -> str:
    more = "".join(f"<li>{escape(entry.short)}</li>" for entry in message.in_short)
    parts = [
        f"<p>{escape(message.headline)}</p>" if message.headline else "",
        *(_entry_html(entry, message) for entry in message.in_full),
        f"<p>and {len(message.in_short)} more:</p><ul>{more}</ul>" if more else "",
    ]
    return (
        f'<html><body style="font-family:sans-serif"><h3>{escape(message.subject)}</h3>{"".join(parts)}</body></html>'
    )


def _entry_html(entry: Entry, message: Message) -> str:
    rows = "".join(
        f'<tr><td style="padding:2px 12px 2px 0;color:#666">{escape(name)}</td><td>{escape(value)}</td></tr>'
        for name, value in entry.lines
    )
    log = ""
    if entry.excerpt:
        log = f'<pre style="background:#f5f5f5;padding:8px;overflow:auto">{escape(entry.excerpt[:LOG_LENGTH])}</pre>'
    words = "See the alert" if message.is_over else "Acknowledge"
    links = " · ".join(
        f'<a href="{escape(link)}">{text}</a>'
        for link, text in ((entry.run_link, entry.run_words), (entry.alert_link, words))
        if link
    )
    return (
        f'<div style="border-left:4px solid {message.colour};padding-left:12px;margin-bottom:16px">'
        f"<table>{rows}</table>{log}{f'<p>{links}</p>' if links else ''}</div>"
    )


def _text(answer: bytes | str) -> str:
    return (answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer)[:200]
