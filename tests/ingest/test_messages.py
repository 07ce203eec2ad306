"""What a message says of its alerts, and what becomes of one that can't be made or sent."""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from core.alert_groups import Queued
from core.errors import BadRequest
from core.store.writer import Writer
from ingest.alerting.channels.anywhere import text_of
from ingest.alerting.channels.mail import mail_of
from ingest.alerting.channels.slack import payload
from ingest.alerting.digest_message import as_text, digest_message
from ingest.alerting.messages import Message, message_of
from ingest.alerting.sender import FIRST_WAIT, LONGEST_WAIT, Sender, wait_seconds
from tests.builders import NOON
from tests.conftest import wait_for

FRONTEND = "https://health.example.org"


def ended(minutes: float | None) -> dict[str, Any]:
    until = None if minutes is None else (NOON + timedelta(minutes=minutes)).isoformat()
    return {"severity": "critical", "message": "CI failed", "created_at": NOON.isoformat(), "resolved_at": until}


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        (-1, "0 min"), (0.4, "0 min"), (59, "59 min"), (60, "1 h 00 min"), (61.2, "1 h 01 min"), (1439, "23 h 59 min"),
        (1440, "1 d 00 h"), (4000, "2 d 18 h"), (None, None),
    ],
)  # fmt: skip
def test_a_recovery_says_how_long_it_lasted(minutes: float | None, words: str | None) -> None:
    [entry] = message_of([Queued("m", "resolved", 0, NOON, ended(minutes))], FRONTEND).entries
    assert dict(entry.lines).get("Lasted") == words
    assert dict(entry.lines)["Message"] == "Recovered: CI failed"


def test_the_worst_alert_of_a_message_comes_first_and_names_it() -> None:
    kinds = ["info", "critical", "unheard-of", "warning"]
    queued = [Queued(str(place), "raised", 0, NOON, {"severity": kind, "message": kind, "repository": "acme/web"})
              for place, kind in enumerate(kinds)]  # fmt: skip
    message = message_of(queued, FRONTEND)
    assert message.subject == "[CRITICAL] 4 alerts: acme/web"
    assert [dict(entry.lines)["Message"] for entry in message.entries][:3] == ["critical", "warning", "info"]


def test_a_large_group_is_told_whole_in_every_channel() -> None:
    facts = {"severity": "warning", "repository": "acme/web"}
    queued = [Queued(str(n), "raised", 0, NOON, facts | {"message": f"number {n} failed"}) for n in range(10)]
    message = message_of(queued, FRONTEND)
    mail = mail_of(message, "ci@example.org", ("team@example.org",))
    plain, page = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain
    assert page
    slack = orjson.dumps(payload(message)).decode()
    for text in (plain.get_content(), page.get_content(), slack, text_of(message)):
        assert "and 2 more" in text
        assert [n for n in range(10) if f"number {n} failed" not in text] == []


DIGEST = {
    "title": "CI/CD week 10",
    "sections": [
        {
            "name": "Fix first",
            "lines": [{"text": "CI of acme/web", "path": "pipelines?id=1"}, {"text": "E2E", "path": ""}],
        },
        {"name": "Builds", "lines": [{"text": "x" * 700, "path": None}, {"text": "12 failed", "path": None}]},
    ],
}


def test_a_digest_numbers_what_to_fix_and_links_the_first_page() -> None:
    fix, builds = digest_message("m", DIGEST, FRONTEND).entries
    assert fix.lines == (("Fix first 1", "CI of acme/web"), ("Fix first 2", "E2E"))
    assert (fix.run_link, builds.run_link) == (f"{FRONTEND}/pipelines?id=1", None)
    assert builds.lines == (("Builds", "x" * 600), ("Builds", "12 failed"))
    assert as_text(DIGEST).splitlines()[:4] == ["CI/CD week 10", "", "Fix first", "  - CI of acme/web"]


def test_attempts_come_later_and_later_and_never_sooner_than_asked() -> None:
    for attempts in range(30):
        wait = min(LONGEST_WAIT, FIRST_WAIT * 2**attempts)
        assert 0.75 * wait <= wait_seconds(attempts, None) <= 1.25 * wait
    assert wait_seconds(0, 900) == 900


class Broken:
    """A channel that can't even make the first message."""

    name, target = "broken", "nowhere"

    def __init__(self) -> None:
        self.sent: list[str] = []

    def send(self, message: Message) -> str:
        if "first" in message.subject:
            raise ZeroDivisionError("a secret of the code")
        self.sent.append(message.subject)
        return "ok"


def queue(writer: Writer, number: int, pipeline: str) -> None:
    facts = {"type": "slow_build", "severity": "warning", "pipeline": pipeline, "repository": pipeline}
    statement = """INSERT INTO notifications (id, channel, kind, payload, status, attempts, created_at, repository)
        VALUES (?, 'broken', 'raised', ?, 'pending', 0, ?, ?)"""
    values = [f"m{number}", orjson.dumps(facts).decode(), datetime.now(UTC) + timedelta(microseconds=number), pipeline]
    writer.transact(lambda cursor: cursor.execute(statement, values)).result()


def test_a_message_that_cannot_be_made_ends_and_the_next_one_is_sent(writer: Writer) -> None:
    channel = Broken()
    queue(writer, 1, "first")
    queue(writer, 2, "second")
    sender = Sender([channel], FRONTEND)
    sender.start(writer)
    wait_for(lambda: channel.sent == ["[WARNING] slow_build: second"], "the second message")
    sender.stop()
    states = writer.transact(
        lambda cursor: cursor.execute("SELECT id, status, error FROM notifications ORDER BY id").fetchall()
    )
    assert states.result() == [
        ("m1", "failed", "The message could not be made: ZeroDivisionError."), ("m2", "sent", None),
    ]  # fmt: skip


def test_a_test_message_needs_a_channel_that_is_there() -> None:
    message = message_of([Queued("m", "raised", 0, NOON, ended(None))], FRONTEND)
    with pytest.raises(BadRequest, match=r"No channel is configured\. Set SLACK_WEBHOOK_URL"):
        Sender([], FRONTEND).test(None, message)
    with pytest.raises(BadRequest, match="channel pager is not configured"):
        Sender([Broken()], FRONTEND).test("pager", message)
    assert Sender([Broken()], FRONTEND).test(None, message) == ("broken", "ok")
