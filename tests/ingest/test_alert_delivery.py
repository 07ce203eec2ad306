"""From a failed run to the channels: a real HTTP sink that fails on command, and a real mail server."""

import re
import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.builders import NOON, repository, run_payload
from tests.conftest import WRITE_KEY, IngestProcess, free_port, wait_for
from tests.sinks import Mails, Sink, mails, sink

__all__ = ["mails", "sink"]  # fixtures

KEY = {"X-API-KEY": WRITE_KEY}


@pytest.fixture
def service(tmp_path: Path, sink: Sink, mails: Mails) -> Iterator[IngestProcess]:
    environment = {
        "SLACK_WEBHOOK_URL": sink.url,
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": str(mails.port),
        "SMTP_FROM": "ci@example.org",
        "ALERT_EMAIL_TO": "team@example.org",
        "ALERT_GROUP_SECONDS": "2",
    }
    process = IngestProcess(tmp_path, environment).start()
    yield process
    if process.process and process.process.poll() is None:
        process.stop()


def test_a_failure_and_its_recovery_reach_slack_and_mail(service: IngestProcess, sink: Sink, mails: Mails) -> None:
    commit = {"message": "<!channel> <b>bold</b>", "author": {"name": "Ana"}}
    fail(service, 1, head_commit=commit)
    wait_for(lambda: sink.bodies and mails.contents, "both messages")
    [attachment] = sink.bodies[0]["attachments"]
    fields = {field["title"]: field["value"] for field in attachment["fields"]}
    assert fields["Message"] == "CI failed on main"
    assert "<" not in fields["Commit"]
    [alert] = get(service, "/alerts")["alerts"]
    assert attachment["actions"][0]["url"].endswith(f"/alert?id={alert['id']}")
    assert "Subject: [CRITICAL] pipeline_failure: CI" in mails.contents[0]
    succeed(service, 2)
    wait_for(lambda: len(sink.bodies) == 2, "the recovery")
    assert sink.texts()[1] == "[RESOLVED] pipeline_failure: CI"
    fields = {field["title"]: field["value"] for field in sink.bodies[1]["attachments"][0]["fields"]}
    assert fields["Lasted"].endswith("min")


def test_a_sink_that_is_down_delays_and_loses_nothing(service: IngestProcess, sink: Sink, mails: Mails) -> None:
    sink.status = 503
    fail(service, 1)
    wait_for(lambda: mails.contents, "the mail, which the sink doesn't hold up")
    wait_for(lambda: messages(service, "slack")[0]["error"], "the sink's refusal")
    assert messages(service, "slack")[0]["status"] == "pending"
    sink.status = 200
    wait_for(lambda: len(sink.bodies) == 1, "the delayed message")
    wait_for(lambda: messages(service, "slack")[0]["status"] == "sent", "its mark")


def test_a_channel_is_left_alone_for_as_long_as_it_asks(service: IngestProcess, sink: Sink) -> None:
    sink.status, sink.headers = 429, {"Retry-After": "120"}
    before = datetime.now(UTC)
    fail(service, 1)
    wait_for(lambda: messages(service, "slack") and messages(service, "slack")[0]["error"], "the refusal")
    [message] = messages(service, "slack")
    assert datetime.fromisoformat(message["next_attempt_at"]) >= before + timedelta(seconds=120)
    [slack] = [channel for channel in get(service, "/channels")["channels"] if channel["name"] == "slack"]
    assert (slack["waiting"], "429" in slack["error"]) == (1, True)


def test_a_refusal_for_good_stops_is_shown_and_can_be_tried_again(service: IngestProcess, sink: Sink) -> None:
    sink.status = 403
    fail(service, 1)
    wait_for(lambda: [m["status"] for m in messages(service, "slack")] == ["failed"], "the end of the attempts")
    [message] = messages(service, "slack")
    assert message["error"] == "Slack answered 403: invalid_token at ***"
    answer = httpx.post(f"{service.url}/api/v1/alert/test", json={"channel": "slack"}, headers=KEY)
    assert answer.status_code == 502
    assert "invalid_token" in answer.json()["error"]["message"]
    assert "/services/T0/B0/secret" not in service.log + answer.text
    sink.status = 200
    address = f"{service.url}/api/v1/notifications/{message['id']}/retry"
    assert httpx.post(address, headers=KEY).status_code == 202
    wait_for(lambda: len(sink.bodies) == 1, "the message")
    wait_for(lambda: messages(service, "slack")[0]["status"] == "sent", "its mark")
    assert (httpx.post(address, headers=KEY).status_code, httpx.post(address).status_code) == (409, 401)
    assert httpx.post(f"{service.url}/api/v1/notifications/none/retry", headers=KEY).status_code == 404


def test_a_message_that_a_killed_process_was_sending_comes_once_more_with_its_id(
    service: IngestProcess, sink: Sink, mails: Mails
) -> None:
    sink.gate.clear()
    fail(service, 1)
    wait_for(lambda: sink.calls and mails.contents, "the call, which gets no answer")
    service.stop(signal.SIGKILL)
    sink.gate.set()
    service.start()
    wait_for(lambda: messages(service, "slack")[0]["status"] == "sent", "the mark")
    ids = [call["attachments"][0]["footer"] for call in sink.calls]
    assert len(ids) == 2
    assert len(set(ids)) == 1
    assert re.search(r"Message-ID: <[0-9a-f]{32}@", mails.contents[0])


def test_many_pipelines_of_a_repository_are_one_message_after_the_first(service: IngestProcess, sink: Sink) -> None:
    for number in range(6):
        fail(service, number + 1, workflow=f"Build {number}", workflow_id=600 + number)
    wait_for(lambda: sum(told(body) for body in sink.bodies) == 6, "all of them")
    assert len(sink.bodies) <= 3
    # How many wait together depends on when the first message left.
    assert any("alerts: acme/web" in text for text in sink.texts())


def test_a_cause_that_many_repositories_share_is_one_message(service: IngestProcess, sink: Sink) -> None:
    sink.status = 503
    for number in range(8):
        fail(service, number + 1, repo=repository(f"acme/app{number}", 50 + number), workflow_id=700 + number)
    wait_for(lambda: len(messages(service, "slack")) == 8, "eight messages in the outbox")
    sink.status = 200
    wait_for(lambda: sum(told(body) for body in sink.bodies) == 8, "all of them")
    assert "8 repositories" in sink.texts()[0]
    assert "commit aaaaaaa" in sink.bodies[0]["text"]


def test_a_silenced_branch_sends_nothing_until_the_silence_ends(service: IngestProcess, sink: Sink) -> None:
    silence = {"ends_at": "2100-01-01T00:00:00Z", "branch": "main", "reason": "migration"}
    made = httpx.post(f"{service.url}/api/v1/silences", json=silence, headers=KEY)
    assert made.status_code == 201
    fail(service, 1)
    wait_for(lambda: get(service, "/alerts")["alerts"], "the alert")
    assert get(service, "/alerts")["alerts"][0]["held"] == "silenced"
    assert (messages(service, "slack"), sink.calls) == ([], [])
    assert httpx.delete(f"{service.url}/api/v1/silences/{made.json()['id']}", headers=KEY).status_code == 204
    fail(service, 2, workflow="Other", workflow_id=501)
    wait_for(lambda: sum(told(body) for body in sink.bodies) == 2, "both alerts")


def test_routes_are_set_and_checked(service: IngestProcess, sink: Sink, mails: Mails) -> None:
    address = f"{service.url}/api/v1/alert-routes"
    wrong = httpx.put(address, json={"least": {"pager": "info"}}, headers=KEY)
    assert (wrong.status_code, "pager is not configured" in wrong.json()["error"]["message"]) == (400, True)
    assert httpx.put(address, json={"least": {"slack": "loud"}}, headers=KEY).status_code == 422
    routes = [{"branch": "main", "channels": ["email"]}]
    assert httpx.put(address, json={"routes": routes}, headers=KEY).status_code == 200
    assert get(service, "/alert-routes")["routes"][0]["channels"] == ["email"]
    fail(service, 1)
    wait_for(lambda: mails.contents, "the mail")
    assert sink.calls == []


def test_windows_are_checked(service: IngestProcess) -> None:
    silence = {"starts_at": "2026-01-01T00:00:00Z", "ends_at": "2100-01-01T00:00:00Z", "reason": "x"}
    address = f"{service.url}/api/v1/silences"
    long = httpx.post(address, json=silence | {"repeats": "daily"}, headers=KEY)
    assert (long.status_code, "shorter" in long.json()["error"]["message"]) == (400, True)
    assert httpx.post(address, json=silence | {"zone": "Mars/Phobos"}, headers=KEY).status_code == 400
    silence |= {"starts_at": "2099-12-31T20:00:00Z", "repeats": "daily", "zone": "Europe/Madrid"}
    assert httpx.post(address, json=silence, headers=KEY).json()["zone"] == "Europe/Madrid"
    assert get(service, "/silences")["silences"][0]["repeats"] == "daily"


def test_snooze_and_resolve_change_an_alert_and_leave_a_trace(service: IngestProcess) -> None:
    fail(service, 1)
    wait_for(lambda: get(service, "/alerts")["alerts"], "the alert")
    [alert] = get(service, "/alerts")["alerts"]
    address = f"{service.url}/api/v1/alerts/{alert['id']}"
    snoozed = httpx.post(f"{address}/snooze", json={"minutes": 5, "by": "ana"}, headers=KEY)
    assert (snoozed.json()["status"], snoozed.status_code) == ("snoozed", 200)
    past = httpx.post(f"{address}/snooze", json={"until": "2020-01-01T00:00:00Z"}, headers=KEY)
    assert past.status_code == 400
    ended = httpx.post(f"{address}/resolve", json={"by": "ana", "note": "known"}, headers=KEY).json()
    assert (ended["status"], ended["note"]) == ("resolved", "known")
    assert httpx.post(f"{address}/resolve", json={"by": "bob"}, headers=KEY).status_code == 409
    story = get(service, f"/alerts/{alert['id']}")
    people = [(event["kind"], event["actor"]) for event in story["events"] if event["actor"] != "system"]
    assert people == [("snoozed", "ana"), ("resolved", "ana")]
    assert {message["channel"] for message in story["notifications"]} == {"slack", "email"}
    assert httpx.get(f"{service.url}/api/v1/alerts/none").status_code == 404


def test_many_are_acknowledged_at_once_and_filtered(service: IngestProcess) -> None:
    for number in range(3):
        fail(service, number + 1, branch="main" if number else "topic", workflow=f"W{number}", workflow_id=600 + number)
    wait_for(lambda: get(service, "/alerts")["pagination"]["total"] == 3, "three alerts")
    found = {alert["pipeline"]: alert["id"] for alert in get(service, "/alerts")["alerts"]}
    assert [alert["severity"] for alert in get(service, "/alerts?severity=info")["alerts"]] == ["info"]
    assert get(service, "/alerts?limit=2")["pagination"]["has_next"] is True
    assert len(get(service, "/alerts?limit=2&page=2")["alerts"]) == 1
    assert get(service, "/alerts?repository=other/one")["alerts"] == []
    assert httpx.get(f"{service.url}/api/v1/alerts?typ=slow_build").status_code == 422
    httpx.post(f"{service.url}/api/v1/alerts/{found['W1']}/acknowledge", json={"by": "bob"}, headers=KEY)
    asked = {"ids": [*found.values(), "none", found["W0"]], "by": "ana", "note": "all mine"}
    answer = httpx.post(f"{service.url}/api/v1/alerts/acknowledge", json=asked, headers=KEY).json()
    assert {alert["id"] for alert in answer["acknowledged"]} == {found["W0"], found["W2"]}
    reasons = {refusal["id"]: refusal["reason"] for refusal in answer["refused"]}
    assert reasons == {found["W1"]: "bob acknowledged this alert first.", "none": "There is no such alert."}


def test_thresholds_are_tried_and_set(service: IngestProcess) -> None:
    succeed(service, 1)
    wait_for(lambda: get(service, "/builds")["builds"], "the run")
    rules = {"default": {"slow_seconds": 30}}
    tried = httpx.post(f"{service.url}/api/v1/alert-rules/preview", json={"rules": rules}, headers=KEY).json()
    assert (tried["total"], tried["present_total"], tried["alerts"][0]["type"]) == (1, 0, "slow_build")
    wrong = httpx.post(f"{service.url}/api/v1/alert-rules/preview", json={"rules": {"default": {"x": 1}}}, headers=KEY)
    assert wrong.status_code == 400
    own = {"pipelines": {"gh-10-500": {"slow_seconds": 30}}}
    assert httpx.put(f"{service.url}/api/v1/alert-rules", json=own, headers=KEY).json()["pipelines"] == own["pipelines"]
    succeed(service, 2)
    wait_for(lambda: get(service, "/alerts?type=slow_build")["alerts"], "the alert")


def test_any_service_of_apprise_that_refuses_for_good_stops(tmp_path: Path, sink: Sink) -> None:
    sink.status = 401
    address = sink.url.replace("http://", "json://")
    process = IngestProcess(tmp_path, {"NOTIFY_URLS": f"{address},json://127.0.0.1:{free_port()}/"}).start()
    try:
        for _ in range(2):
            fail(process, 1)
            wait_for(lambda: messages(process, "json-1"), "the message")
        wait_for(lambda: messages(process, "json-1")[0]["status"] == "failed", "the end of the attempts")
        assert messages(process, "json-1")[0]["error"] == "json-1 answered 401."
        wait_for(lambda: messages(process, "json-2")[0]["error"], "the other, which can't be reached")
        assert messages(process, "json-2")[0]["status"] == "pending"
        assert "/services/T0" not in process.log
    finally:
        process.stop()


def fail(service: IngestProcess, run_id: int, **words: Any) -> None:
    finish(service, run_id, "failure", **words)


def succeed(service: IngestProcess, run_id: int) -> None:
    finish(service, run_id, "success")


def finish(service: IngestProcess, run_id: int, conclusion: str, **words: Any) -> None:
    """A run that ends now, of a pipeline that was never seen before today."""
    second = (datetime.now(UTC) - NOON).total_seconds()
    times: dict[str, Any] = {"begun": second - 60, "updated": second, "created_at": None}
    answer = service.send("workflow_run", run_payload(run_id=run_id, conclusion=conclusion, **times, **words))
    assert answer.status_code == 200


def told(body: dict[str, Any]) -> int:
    """How many alerts a message tells, in full or in one line each."""
    return sum(attachment.get("text", "").count("• ") or 1 for attachment in body["attachments"])


def get(service: IngestProcess, path: str) -> Any:
    answer = httpx.get(f"{service.url}/api/v1{path}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def messages(service: IngestProcess, channel: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = get(service, f"/notifications?channel={channel}")["notifications"]
    return found
