"""E-mail over SMTP: STARTTLS where the server offers it, TLS from the start on port 465, plain text and HTML."""

import smtplib
import ssl
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from html import escape

from ingest.alerting.channels import PassingFailure, PermanentFailure
from ingest.alerting.messages import Message

SECONDS = 20.0
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

    def send(self, message: Message) -> str:
        """Deliver to the server; returns the mail's Message-ID."""
        mail = mail_of(message, self.sender, self.recipients)
        try:
            with self._connected() as server:
                if self.username and self.password:
                    server.login(self.username, self.password)
                server.send_message(mail)
        except smtplib.SMTPAuthenticationError as error:
            raise PermanentFailure(f"The mail server refused the login ({error.smtp_code}).") from None
        except smtplib.SMTPResponseException as error:
            kind = PermanentFailure if error.smtp_code >= PERMANENT else PassingFailure
            raise kind(f"The mail server answered {error.smtp_code}: {_text(error.smtp_error)}") from None
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            kind = PermanentFailure if min(codes) >= PERMANENT else PassingFailure
            raise kind(f"The mail server refused the recipients ({', '.join(map(str, codes))}).") from None
        except (OSError, smtplib.SMTPException) as error:
            raise PassingFailure(f"The mail server can't be reached: {type(error).__name__}.") from None
        return str(mail["Message-ID"])

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


def mail_of(message: Message, sender: str, recipients: tuple[str, ...]) -> EmailMessage:
    """The mail with both bodies; whatever an alert contains is text in it."""
    mail = EmailMessage()
    mail["Subject"] = message.subject
    mail["From"] = sender
    mail["To"] = ", ".join(recipients)
    mail["Date"] = format_datetime(datetime.now(UTC))
    mail["Message-ID"] = make_msgid(message.id, domain="cicd-health.invalid")
    mail.set_content(_plain(message))
    mail.add_alternative(_html(message), subtype="html")
    return mail


def _plain(message: Message) -> str:
    parts = []
    for lines, link, excerpt in zip(message.alerts, message.links, message.excerpts, strict=True):
        text = [f"{name}: {value}" for name, value in lines]
        text += [f"Run: {link}"] if link else []
        text += ["", excerpt[:3000]] if excerpt else []
        parts.append("\n".join(text))
    return "\n\n".join(parts) + "\n"


def _html(message: Message) -> str:
    parts = []
    for lines, link, excerpt in zip(message.alerts, message.links, message.excerpts, strict=True):
        rows = "".join(
            f'<tr><td style="padding:2px 12px 2px 0;color:#666">{escape(name)}</td><td>{escape(value)}</td></tr>'
            for name, value in lines
        )
        log = (
            f'<pre style="background:#f5f5f5;padding:8px;overflow:auto">{escape(excerpt[:3000])}</pre>'
            if excerpt
            else ""
        )
        run = f'<p><a href="{escape(link)}">Open the run</a></p>' if link else ""
        parts.append(
            f'<div style="border-left:4px solid {message.colour};padding-left:12px;margin-bottom:16px">'
            f"<table>{rows}</table>{log}{run}</div>"
        )
    return (
        f'<html><body style="font-family:sans-serif"><h3>{escape(message.subject)}</h3>{"".join(parts)}</body></html>'
    )


def _text(answer: bytes | str) -> str:
    return (answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer)[:200]
