"""From a failed run to the channels: a real HTTP sink that fails on command, and a real mail server."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiosmtpd.controller import Controller

from tests.builders import run_payload
from tests.conftest import WRITE_KEY, IngestProcess, free_port, wait_for

KEY = {"X-API-KEY": WRITE_KEY}


class Sink:
    """Takes what Slack would take; answers with `status`."""

    def __init__(self) -> None:
        self.status = 200
        self.bodies: list[dict[str, Any]] = []
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if sink.status == 200:
                    sink.bodies.append(json.loads(body))
                self.send_response(sink.status)
                self.end_headers()
                self.wfile.write(b"ok" if sink.status == 200 else b"invalid_token")

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/services/T0/B0/secret"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


class Mails:
    def __init__(self) -> None:
        self.contents: list[str] = []

    async def handle_DATA(self, _server: object, _session: object, envelope: Any) -> str:  # noqa: N802
        self.contents.append(envelope.content.decode())
        return "250 OK"


@pytest.fixture
def sink() -> Iterator[Sink]:
    sink = Sink()
    yield sink
    sink.server.shutdown()


@pytest.fixture
def mails() -> Iterator[tuple[Mails, int]]:
    mails, port = Mails(), free_port()
    controller = Controller(mails, hostname="127.0.0.1", port=port)
    controller.start()
    yield mails, port
    controller.stop()


@pytest.fixture
def service(tmp_path: Path, sink: Sink, mails: tuple[Mails, int]) -> Iterator[IngestProcess]:
    environment = {
        "SLACK_WEBHOOK_URL": sink.url,
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": str(mails[1]),
        "SMTP_FROM": "ci@example.org",
        "ALERT_EMAIL_TO": "team@example.org",
    }
    process = IngestProcess(tmp_path, environment).start()
    yield process
    process.stop()


def test_a_failure_and_its_recovery_reach_slack_and_mail(
    service: IngestProcess, sink: Sink, mails: tuple[Mails, int]
) -> None:
    commit = {"message": "<!channel> <b>bold</b>", "author": {"name": "Ana"}}
    service.send("workflow_run", run_payload(run_id=1, conclusion="failure", head_commit=commit))
    wait_for(lambda: sink.bodies and mails[0].contents, "both messages")
    [attachment] = sink.bodies[0]["attachments"]
    fields = {field["title"]: field["value"] for field in attachment["fields"]}
    assert fields["Message"] == "CI failed on main"
    assert "<" not in fields["Commit"]
    assert "Subject: [CRITICAL] pipeline_failure: CI" in mails[0].contents[0]
    service.send("workflow_run", run_payload(run_id=2, begun=100, updated=160))
    wait_for(lambda: len(sink.bodies) == 2, "the recovery")
    assert sink.bodies[1]["text"] == "[RESOLVED] pipeline_failure: CI"


def test_a_sink_that_is_down_delays_and_loses_nothing(
    service: IngestProcess, sink: Sink, mails: tuple[Mails, int]
) -> None:
    sink.status = 503
    service.send("workflow_run", run_payload(run_id=1, conclusion="failure"))
    wait_for(lambda: mails[0].contents, "the mail, which the sink doesn't hold up")
    wait_for(lambda: messages(service, "slack")[0]["error"], "the sink's refusal")
    assert messages(service, "slack")[0]["status"] == "pending"
    sink.status = 200
    wait_for(lambda: len(sink.bodies) == 1, "the delayed message")
    wait_for(lambda: messages(service, "slack")[0]["status"] == "sent", "its mark")


def test_a_refusal_for_good_stops_and_is_shown(service: IngestProcess, sink: Sink) -> None:
    sink.status = 403
    service.send("workflow_run", run_payload(run_id=1, conclusion="failure"))
    wait_for(lambda: [m["status"] for m in messages(service, "slack")] == ["failed"], "the end of the attempts")
    assert messages(service, "slack")[0]["error"] == "Slack answered 403: invalid_token"
    answer = httpx.post(f"{service.url}/api/v1/alert/test", json={"channel": "slack"}, headers=KEY)
    assert answer.status_code == 502
    assert "invalid_token" in answer.json()["error"]["message"]
    assert sink.url not in service.log


def test_a_silenced_branch_sends_nothing(service: IngestProcess, sink: Sink) -> None:
    ends_at = "2100-01-01T00:00:00Z"
    silence = {"ends_at": ends_at, "branch": "main", "reason": "migration"}
    assert httpx.post(f"{service.url}/api/v1/silences", json=silence, headers=KEY).status_code == 201
    service.send("workflow_run", run_payload(run_id=1, conclusion="failure"))
    wait_for(lambda: httpx.get(f"{service.url}/api/v1/alerts").json()["alerts"], "the alert")
    assert messages(service, "slack") == []
    assert sink.bodies == []


def test_routes_are_set_and_checked(service: IngestProcess, sink: Sink, mails: tuple[Mails, int]) -> None:
    address = f"{service.url}/api/v1/alert-routes"
    wrong = httpx.put(address, json={"least": {"pager": "info"}}, headers=KEY)
    assert (wrong.status_code, "pager is not configured" in wrong.json()["error"]["message"]) == (400, True)
    assert httpx.put(address, json={"least": {"slack": "loud"}}, headers=KEY).status_code == 422
    assert (
        httpx.put(address, json={"routes": [{"branch": "main", "channels": ["email"]}]}, headers=KEY).status_code == 200
    )
    assert httpx.get(address).json()["routes"][0]["channels"] == ["email"]
    service.send("workflow_run", run_payload(run_id=1, conclusion="failure"))
    wait_for(lambda: mails[0].contents, "the mail")
    assert sink.bodies == []


def test_a_window_that_repeats_is_shorter_than_its_period(service: IngestProcess) -> None:
    silence = {
        "starts_at": "2026-01-01T00:00:00Z",
        "ends_at": "2100-01-01T00:00:00Z",
        "repeats": "daily",
        "reason": "x",
    }
    answer = httpx.post(f"{service.url}/api/v1/silences", json=silence, headers=KEY)
    assert (answer.status_code, "shorter" in answer.json()["error"]["message"]) == (400, True)
    silence |= {"starts_at": "2099-12-31T20:00:00Z"}
    assert httpx.post(f"{service.url}/api/v1/silences", json=silence, headers=KEY).json()["repeats"] == "daily"


def test_snooze_and_resolve_change_an_alert(service: IngestProcess) -> None:
    service.send("workflow_run", run_payload(run_id=1, conclusion="failure"))
    wait_for(lambda: httpx.get(f"{service.url}/api/v1/alerts").json()["alerts"], "the alert")
    [alert] = httpx.get(f"{service.url}/api/v1/alerts").json()["alerts"]
    address = f"{service.url}/api/v1/alerts/{alert['id']}"
    snoozed = httpx.post(f"{address}/snooze", json={"minutes": 5, "by": "ana"}, headers=KEY)
    assert (snoozed.json()["status"], snoozed.status_code) == ("snoozed", 200)
    past = httpx.post(f"{address}/snooze", json={"until": "2020-01-01T00:00:00Z"}, headers=KEY)
    assert past.status_code == 400
    assert httpx.post(f"{address}/resolve", json={"by": "ana"}, headers=KEY).json()["status"] == "resolved"
    assert httpx.post(f"{address}/resolve", json={"by": "bob"}, headers=KEY).status_code == 409


def messages(service: IngestProcess, channel: str) -> list[dict[str, Any]]:
    found = httpx.get(f"{service.url}/api/v1/notifications").json()["notifications"]
    return [message for message in found if message["channel"] == channel]
