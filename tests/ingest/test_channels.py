"""Each channel against a real server: what it delivers, what it keeps to itself, and which refusals are for good."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from core.alert_groups import Queued
from core.errors import BadSetting
from ingest.alerting.channels import ChannelFailure, PassingFailure, PermanentFailure, mail, retry_after
from ingest.alerting.channels.anywhere import Anywhere
from ingest.alerting.channels.mail import Mail
from ingest.alerting.channels.slack import Slack
from ingest.alerting.messages import Message, message_of
from tests.builders import NOON
from tests.ports import free_port
from tests.sinks import Sink, sink

__all__ = ["sink"]  # a fixture

FACTS = {"type": "pipeline_failure", "severity": "critical", "pipeline": "CI", "message": "CI failed on main"}
ALERT = message_of([Queued("m1", "raised", 0, NOON, FACTS)], "https://health.example.org")


def failure_of(send: Callable[[Message], str]) -> ChannelFailure:
    with pytest.raises(ChannelFailure) as caught:
        send(ALERT)
    return caught.value


# Mail.


@dataclass
class Mailbox:
    """What a mail server got: recipients and text of each mail, whether it came encrypted, and passwords."""

    refused: dict[str, str] = field(default_factory=dict)
    login_refusal: str | None = None
    delivered: list[tuple[list[str], str]] = field(default_factory=list)
    passwords: list[bytes] = field(default_factory=list)
    private: list[bool] = field(default_factory=list)

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802
        if answer := self.refused.get(address):
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.delivered.append((envelope.rcpt_tos, envelope.content.decode()))
        self.private.append(session.ssl is not None)
        return "250 OK"

    def authenticate(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, given: Any) -> AuthResult:
        assert isinstance(given, LoginPassword)
        self.passwords.append(given.password)
        is_right = given.password == b"right"
        return AuthResult(success=is_right, handled=False, message=None if is_right else self.login_refusal)


@contextmanager
def mail_server(mailbox: Mailbox, **options: Any) -> Iterator[int]:
    """A mail server on loopback; gives its port."""
    port = free_port()
    controller = Controller(mailbox, hostname="127.0.0.1", port=port, **options)
    controller.start()
    try:
        yield port
    finally:
        controller.stop()


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def authority(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> trustme.CA:
    """Whom this machine trusts, beside nobody else."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    return authority


def identity(authority: trustme.CA, host: str = "127.0.0.1") -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(host).configure_cert(context)
    return context


def account(port: int, password: str | None = None, *recipients: str) -> Mail:
    user = "health" if password else None
    return Mail("127.0.0.1", port, "ci@example.org", recipients or ("ana@example.org",), user, password)


def test_where_the_server_offers_encryption_password_and_mail_travel_in_it(
    mailbox: Mailbox, authority: trustme.CA
) -> None:
    options = {"tls_context": identity(authority), "authenticator": mailbox.authenticate, "auth_required": True}
    with mail_server(mailbox, require_starttls=True, **options) as port:
        assert account(port, "right").send(ALERT) == "<m1@cicd-health.invalid>"
    assert (mailbox.private, mailbox.passwords) == ([True], [b"right"])
    [(recipients, text)] = mailbox.delivered
    assert recipients == ["ana@example.org"]
    assert "CI failed on main" in text


def test_on_the_port_of_encryption_from_the_start_nothing_is_said_before_it(
    mailbox: Mailbox, authority: trustme.CA, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {"ssl_context": identity(authority), "authenticator": mailbox.authenticate, "auth_require_tls": False}
    with mail_server(mailbox, **options) as port:
        monkeypatch.setattr(mail, "TLS_PORT", port)  # 465 may be in use, or not ours to open
        account(port, "right").send(ALERT)
    assert (len(mailbox.delivered), mailbox.passwords) == (1, [b"right"])


@pytest.mark.parametrize("host", ["127.0.0.1", "mail.example.org"])
def test_a_server_that_is_not_who_it_says_gets_neither_password_nor_mail(
    mailbox: Mailbox, authority: trustme.CA, host: str
) -> None:
    """By another authority, or by the right one for another name."""
    issuer = trustme.CA() if host == "127.0.0.1" else authority
    options = {"tls_context": identity(issuer, host), "authenticator": mailbox.authenticate}
    with mail_server(mailbox, **options) as port:
        failure = failure_of(account(port, "right").send)
    assert isinstance(failure, PassingFailure)
    assert "SSLCertVerificationError" in failure.message
    assert (mailbox.delivered, mailbox.passwords) == ([], [])


def test_a_password_never_travels_in_the_open_beyond_this_machine(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    with mail_server(mailbox, authenticator=mailbox.authenticate, auth_require_tls=False) as port:
        account(port, "right").send(ALERT)
        monkeypatch.setattr(mail, "ip_address", lambda _: ip_address("198.51.100.7"))  # as though it stood elsewhere
        failure = failure_of(account(port, "right").send)
    assert isinstance(failure, PermanentFailure)
    assert "offers no encryption" in failure.message
    assert (len(mailbox.delivered), len(mailbox.passwords)) == (1, 1)


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [(None, PermanentFailure, 535), ("454 Temporary authentication failure", PassingFailure, 454)],
)
def test_a_refused_login_is_for_good_unless_the_server_says_that_it_passes(
    mailbox: Mailbox, answer: str | None, kind: type[ChannelFailure], code: int
) -> None:
    mailbox.login_refusal = answer
    with mail_server(mailbox, authenticator=mailbox.authenticate, auth_require_tls=False) as port:
        failure = failure_of(account(port, "wrong").send)
    assert type(failure) is kind
    assert failure.message == f"The mail server refused the login ({code})."
    assert mailbox.delivered == []


def test_a_server_that_knows_no_login_says_so(mailbox: Mailbox) -> None:
    with mail_server(mailbox) as port:
        failure = failure_of(account(port, "right").send)
    assert isinstance(failure, PermanentFailure)
    assert "AUTH extension not supported" in failure.message


@pytest.mark.parametrize(
    ("answers", "kind", "codes"),
    [
        (["550 No such user", "550 No such user"], PermanentFailure, "550, 550"),
        (["550 No such user", "450 Come later"], PassingFailure, "550, 450"),
    ],
)
def test_refused_recipients_are_asked_for_again_while_one_may_be_taken_later(
    mailbox: Mailbox, answers: list[str], kind: type[ChannelFailure], codes: str
) -> None:
    names = ["ana@example.org", "bob@example.org"]
    mailbox.refused = dict(zip(names, answers, strict=True))
    with mail_server(mailbox) as port:
        failure = failure_of(account(port, None, *names).send)
    assert type(failure) is kind
    assert failure.message == f"The mail server refused the recipients ({codes})."


def test_a_recipient_who_is_refused_beside_others_is_named(mailbox: Mailbox) -> None:
    mailbox.refused = {"bob@example.org": "550 No such user"}
    with mail_server(mailbox) as port:
        answer = account(port, None, "ana@example.org", "bob@example.org").send(ALERT)
    assert answer == "<m1@cicd-health.invalid>, but refused for bob@example.org (550)"
    assert [recipients for recipients, _ in mailbox.delivered] == [["ana@example.org"]]


def test_a_mail_that_is_too_large_is_refused_for_good(mailbox: Mailbox) -> None:
    with mail_server(mailbox, data_size_limit=100) as port:
        failure = failure_of(account(port).send)
    assert isinstance(failure, PermanentFailure)
    assert failure.message.startswith("The mail server answered 552: ")


def test_a_mail_server_that_is_away_is_asked_again() -> None:
    failure = failure_of(account(free_port()).send)
    assert isinstance(failure, PassingFailure)
    assert failure.message == "The mail server can't be reached: ConnectionRefusedError."


def test_a_server_that_speaks_something_else_is_asked_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        other.listen()
        port = other.getsockname()[1]

        def answer() -> None:
            connection, _ = other.accept()
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            connection.close()

        threading.Thread(target=answer, daemon=True).start()
        assert isinstance(failure_of(account(port).send), PassingFailure)


# Slack, and what Apprise reaches.


@pytest.mark.parametrize("status", [408, 425, 429, 500, 503])
def test_slack_is_asked_again_after_what_may_pass_and_as_late_as_it_asks(sink: Sink, status: int) -> None:
    sink.status, sink.headers = status, {"Retry-After": "90"}
    failure = failure_of(Slack(sink.url).send)
    assert isinstance(failure, PassingFailure)
    assert failure.retry_after == 90
    assert failure.message == f"Slack answered {status}: invalid_token at ***"


@pytest.mark.parametrize("status", [302, 400, 403, 404, 410])
def test_what_slack_refuses_for_good_is_not_sent_again(sink: Sink, status: int) -> None:
    sink.status = status
    assert isinstance(failure_of(Slack(sink.url).send), PermanentFailure)


@pytest.mark.parametrize(
    ("address", "kind"),
    [("http://[::1", PermanentFailure), (f"http://127.0.0.1:{free_port()}/services/secret", PassingFailure)],
)
def test_an_address_of_slack_stands_in_no_error(address: str, kind: type[ChannelFailure]) -> None:
    failure = failure_of(Slack(address).send)
    assert type(failure) is kind
    assert "secret" not in failure.message
    assert "::1" not in failure.message


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None), ("", None), ("120", 120), ("0.5", 0.5), ("0", None), ("-5", None), ("nan", None), ("soon", None),
        ("inf", 3600), ("86400", 3600), ("Mon, 02 Mar 2026 12:02:00 GMT", 120),
        ("Mon, 02 Mar 2026 12:02:00 -0000", 120), ("Mon, 02 Mar 2026 14:02:00 +0200", 120),
        ("Mon, 02 Mar 2026 11:00:00 GMT", None), ("Tue, 03 Mar 2026 12:00:00 GMT", 3600),
        ("Mon, 99 Mar 2026 12:00:00 GMT", None),
    ],
)  # fmt: skip
def test_a_channel_may_ask_for_an_hour_at_most_in_seconds_or_by_a_date(
    header: str | None, seconds: float | None
) -> None:
    assert retry_after(header, NOON) == seconds


def test_a_date_is_counted_from_now() -> None:
    assert retry_after("Fri, 31 Dec 2100 00:00:00 GMT") == 3600
    assert retry_after(datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")) is None


def test_an_address_of_apprise_takes_a_message(sink: Sink) -> None:
    channel = Anywhere(sink.url.replace("http://", "json://"), 2)
    assert (channel.name, channel.send(ALERT)) == ("json-2", "sent")
    [body] = sink.bodies
    assert body["title"] == "[CRITICAL] pipeline_failure: CI"
    assert body["type"] == "failure"
    assert body["message"].endswith("m1")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, PermanentFailure),
        (404, PermanentFailure),
        (429, PassingFailure),
        (408, PassingFailure),
        (503, PassingFailure),
    ],
)
def test_a_refusal_that_apprise_reports_is_told_apart_by_its_status(
    sink: Sink, status: int, kind: type[ChannelFailure]
) -> None:
    sink.status = status
    failure = failure_of(Anywhere(sink.url.replace("http://", "json://"), 1).send)
    assert type(failure) is kind
    assert failure.message == f"json-1 answered {status}."


def test_what_apprise_cannot_reach_is_asked_again_and_what_it_cannot_read_is_a_bad_setting() -> None:
    failure = failure_of(Anywhere(f"json://127.0.0.1:{free_port()}/secret", 1).send)
    assert isinstance(failure, PassingFailure)
    assert failure.message == "json-1 did not take the message."
    with pytest.raises(BadSetting, match=r"entry 3 is no address"):
        Anywhere("nothing://of/apprise", 3)
