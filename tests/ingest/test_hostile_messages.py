"""Whatever a commit, a branch or a name says is text in a message: it adds no header, tag or link, and calls nobody."""

import email
import json
import re
from email import policy
from email.message import EmailMessage
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.alert_groups import Queued
from ingest.alerting.channels.anywhere import text_of, unmentioned
from ingest.alerting.channels.mail import mail_of
from ingest.alerting.channels.slack import payload
from ingest.alerting.messages import Message, message_of
from tests.builders import NOON, repository
from tests.conftest import IngestProcess, wait_for
from tests.ingest.test_alert_delivery import fail
from tests.sinks import Mails, Sink, mails, sink

__all__ = ["mails", "sink"]  # fixtures

FRONTEND = "https://health.example.org"
PARTS = (
    "<!channel>", "<http://evil.example|CI>", "<@U012AB3CD>", "@everyone", "\r\nBcc: eve@example.org", "\n.\r\n",
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", '"><a href="http://evil.example">', "&lt;b&gt;",
    "```", "*bold* _x_ ~y~", "\x00", "\x85Bcc: eve@example.org", "\u2028", "\ud800", "=?utf-8?q?=0d=0aBcc:_eve?=", "é☃",
)  # fmt: skip
hostile = st.lists(st.sampled_from(PARTS) | st.text(st.characters(), max_size=8), max_size=6).map("".join)
FACTS = (
    "type", "pipeline", "repository", "message", "branch", "head_sha", "commit_message", "commit_author", "provider",
    "excerpt",
)  # fmt: skip
facts_of_an_alert = st.fixed_dictionaries(dict.fromkeys(FACTS, hostile))
TAGS = {"html", "body", "h3", "p", "ul", "li", "div", "table", "tr", "td", "pre", "a"}
HEADERS = {"Subject", "From", "To", "Date", "Message-ID", "MIME-Version", "Content-Type"}


class Page(HTMLParser):
    """What a mail program makes of a page: its tags, the attributes that do something, its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.links: list[str] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name == "href"]

    def handle_data(self, data: str) -> None:
        self.text += data


def message(facts: list[dict[str, Any]]) -> Message:
    ids = {"severity": "critical", "build_id": "gh-1-7", "alert_id": "a1"}
    return message_of([Queued("m1", "raised", 0, NOON, fact | ids) for fact in facts], FRONTEND)


def arrived(raw: str | bytes) -> EmailMessage:
    data = raw if isinstance(raw, bytes) else raw.encode("utf-8", "surrogateescape")
    return email.message_from_bytes(data, _class=EmailMessage, policy=policy.default)


def check_mail(mail: EmailMessage) -> Page:
    """Only our headers, once each, and only our tags and links; gives the page."""
    names = [name for name in mail if not name.startswith("X-")]
    assert sorted(names) == sorted(HEADERS)
    html = mail.get_body(("html",))
    assert html is not None
    page = Page(html.get_content())
    assert page.tags <= TAGS
    assert page.attributes <= {"style", "href"}
    assert all(link.startswith((f"{FRONTEND}/", "http://localhost")) for link in page.links)
    return page


def texts(value: Any) -> list[str]:
    """Every text of a JSON value."""
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for one in inner for text in texts(one)]


def check_slack(body: dict[str, object]) -> None:
    """Without a bracket Slack reads no link, no channel and no person; a quoted log can't end its own quotation."""
    assert not [text for text in texts(body) if "<" in text or ">" in text]
    attachments: Any = body["attachments"]
    fields = [field for attachment in attachments for field in attachment.get("fields", ())]
    assert all(field["value"].count("```") == 2 for field in fields if field["title"] == "Log")


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(st.lists(facts_of_an_alert, min_size=1, max_size=10))
def test_no_text_leaves_its_place_in_any_channel(facts: list[dict[str, Any]]) -> None:
    told = message(facts)
    check_mail(arrived(mail_of(told, "ci@example.org", ("team@example.org",)).as_bytes(policy=policy.SMTP)))
    body = payload(told)
    json.dumps(body).encode()
    check_slack(body)
    assert not re.search(r"@\w", text_of(told))
    text_of(told).encode()


def test_a_mention_stays_readable_and_calls_nobody() -> None:
    assert unmentioned("ask @everyone, <@123>") == "ask @\u200beveryone, <@\u200b123>"


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r", "\x0b", "\x0c", "\x1c", "\x85", "\u2028"])
def test_no_end_of_line_in_a_name_ends_the_subject(end: str) -> None:
    told = message([{"type": "pipeline_failure", "pipeline": f"CI{end}Bcc: eve@example.org"}])
    mail = arrived(mail_of(told, "ci@example.org", ("team@example.org",)).as_bytes(policy=policy.SMTP))
    assert mail["Bcc"] is None
    assert mail["Subject"] == "[CRITICAL] pipeline_failure: CI Bcc: eve@example.org"


def test_an_encoded_word_in_a_name_is_not_decoded_into_a_header() -> None:
    told = message([{"type": "pipeline_failure", "pipeline": "é=?utf-8?q?=0d=0aBcc:_eve=40example.org?="}])
    mail = arrived(mail_of(told, "ci@example.org", ("team@example.org",)).as_bytes(policy=policy.SMTP))
    assert mail["Bcc"] is None
    assert mail["Subject"] == "[CRITICAL] pipeline_failure: é= ?utf-8?q?=0d=0aBcc:_eve=40example.org?="


def test_hostile_texts_of_a_webhook_arrive_as_text(tmp_path: Path, sink: Sink, mails: Mails) -> None:
    environment = {
        "SLACK_WEBHOOK_URL": sink.url,
        "NOTIFY_URLS": sink.url.replace("http://", "json://"),
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": str(mails.port),
        "SMTP_FROM": "ci@example.org",
        "ALERT_EMAIL_TO": "team@example.org",
    }
    service = IngestProcess(tmp_path, environment).start()
    branch = "<http://evil.example|main>"
    try:
        fail(
            service, 1,
            workflow="CI\r\nBcc: eve@example.org",
            branch=branch,
            repo=repository(default_branch=branch),
            head_commit={
                "message": "<!channel> @everyone <img src=x onerror=alert(1)>",
                "author": {"name": "\"><a href='http://evil.example'>Eve</a>"},
            },
        )  # fmt: skip
        wait_for(lambda: len(sink.bodies) >= 2 and mails.contents, "the three messages")
    finally:
        service.stop()
    [slack] = [body for body in sink.bodies if "attachments" in body and "text" in body]
    check_slack(slack)
    mail = arrived(mails.contents[0])
    page = check_mail(mail)
    assert mail["Subject"] == "[CRITICAL] pipeline_failure: CI Bcc: eve@example.org"
    assert "<!channel> @everyone <img src=x onerror=alert(1)>" in page.text
    [anywhere] = [body for body in sink.bodies if body is not slack]
    assert "@\u200beveryone" in anywhere["message"]
    assert not re.search(r"@\w", anywhere["message"] + anywhere["title"])
