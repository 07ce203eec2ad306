"""The service as callers meet it: a real process, real HTTP."""

import gzip
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import httpx
import orjson
import pytest

from ingest.providers.github.signature import signature
from tests.builders import job_payload, run_payload, step_part
from tests.conftest import SECRET, WRITE_KEY, IngestProcess, wait_for


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IngestProcess]:
    process = IngestProcess(tmp_path_factory.mktemp("api")).start()
    yield process
    process.stop()


def build(running: IngestProcess, build_id: str) -> dict[str, object]:
    answer = httpx.get(f"{running.url}/api/v1/builds/{build_id}")
    assert answer.status_code == 200
    return dict(answer.json())


def test_a_run_is_there_once_its_webhook_is_answered(running: IngestProcess) -> None:
    answer = running.send("workflow_run", run_payload(run_id=1100, conclusion="failure"))
    assert (answer.status_code, answer.json()) == (200, {"status": "processed"})
    found = build(running, "gh-10-1100")
    assert (found["status"], found["duration_seconds"]) == ("failed", 60)
    assert found["pipeline"]["name"] == "CI"  # type: ignore[index]
    assert found["metadata"] == {"actor": "ana", "head_branch": "main", "base_branch": None}


def test_both_prefixes_give_the_same(running: IngestProcess) -> None:
    assert httpx.get(f"{running.url}/api/builds").json() == httpx.get(f"{running.url}/api/v1/builds").json()


def test_a_job_may_come_before_its_run(running: IngestProcess) -> None:
    steps = [step_part(1), step_part(2, conclusion="failure")]
    running.send("workflow_job", job_payload(job_id=7200, run_id=1200, conclusion="failure", steps=steps))
    assert httpx.get(f"{running.url}/api/v1/builds/gh-10-1200").status_code == 404
    running.send("workflow_run", run_payload(run_id=1200, conclusion="failure"))
    [job] = build(running, "gh-10-1200")["jobs"]  # type: ignore[misc]
    assert (job["name"], job["status"], job["duration"], job["queue_seconds"]) == ("test", "failed", 50, 5)
    assert [step["conclusion"] for step in job["steps"]] == ["success", "failure"]


def test_a_rerun_is_a_new_attempt_and_the_old_one_stays(running: IngestProcess) -> None:
    running.send("workflow_run", run_payload(run_id=1300, attempt=2, begun=100, updated=150))
    running.send("workflow_run", run_payload(run_id=1300, conclusion="failure"))
    found = build(running, "gh-10-1300")
    assert (found["run_attempt"], found["status"]) == (2, "success")
    assert [(a["run_attempt"], a["status"]) for a in found["attempts"]] == [(2, "success"), (1, "failed")]  # type: ignore[attr-defined]
    assert build(running, "gh-10-1300-1")["status"] == "failed"
    listed = httpx.get(f"{running.url}/api/v1/builds", params={"limit": 100}).json()["builds"]
    assert [b["run_attempt"] for b in listed if b["id"] == "gh-10-1300"] == [2]


def test_a_delivery_id_counts_once(running: IngestProcess) -> None:
    assert running.send("workflow_run", run_payload(run_id=1400), "twice").json() == {"status": "processed"}
    second = running.send("workflow_run", run_payload(run_id=1400, conclusion="failure"), "twice")
    assert second.json() == {"status": "duplicate"}
    assert build(running, "gh-10-1400")["status"] == "success"


@pytest.mark.parametrize("event", ["ping", "push", "check_run"])
def test_other_events_are_ignored_and_kept(running: IngestProcess, event: str) -> None:
    assert running.send(event, {"zen": "Speak like a human."}, f"other-{event}").json() == {"status": "ignored"}
    kept = httpx.get(f"{running.url}/api/v1/deliveries", params={"result": "ignored"}).json()["deliveries"]
    assert f"other-{event}" in {delivery["delivery_id"] for delivery in kept}


def test_githubs_form_encoding_is_understood(running: IngestProcess) -> None:
    body = urlencode({"payload": orjson.dumps(run_payload(run_id=1500)).decode()}).encode()
    headers = {
        "X-GitHub-Event": "workflow_run",
        "X-Hub-Signature-256": signature(body, SECRET),
        "Content-Type": "application/x-www-form-urlencoded",
    }
    answer = httpx.post(f"{running.url}/api/v1/webhook/github_actions", content=body, headers=headers)
    assert answer.json() == {"status": "processed"}


@pytest.mark.parametrize("header", [None, "", "sha256=", "sha256=" + "0" * 64, "sha1=abc", "é"])
def test_an_unsigned_call_gets_401_whatever_else_it_carries(running: IngestProcess, header: str | None) -> None:
    headers: dict[str, str | bytes] = {"X-GitHub-Event": "workflow_run", "X-API-KEY": WRITE_KEY}
    if header is not None:
        headers["X-Hub-Signature-256"] = header.encode()
    answer = httpx.post(f"{running.url}/api/v1/webhook/github-actions", content=b"{}", headers=headers)  # type: ignore[arg-type]
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "unauthorized"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nonsense",
        b"[]",
        b"null",
        b'{"workflow_run": 7}',
        b"[" * 5000,
        b'{"a": "\\ud800"}',
        b"\xff\xfe",
        b'{"workflow_run": {"id": 1e400}}',
    ],
)
def test_what_cannot_be_understood_is_kept_as_failed_with_its_reason(running: IngestProcess, body: bytes) -> None:
    name = f"bad-{hash(body)}"
    headers = {
        "X-GitHub-Event": "workflow_run",
        "X-GitHub-Delivery": name,
        "X-Hub-Signature-256": signature(body, SECRET),
    }
    answer = httpx.post(f"{running.url}/api/v1/webhook/github-actions", content=body, headers=headers)
    assert answer.status_code == 422
    kept = httpx.get(f"{running.url}/api/v1/deliveries", params={"result": "failed"}).json()["deliveries"]
    [delivery] = [delivery for delivery in kept if delivery["delivery_id"] == name]
    assert delivery["reason"]


def test_a_failed_delivery_may_come_again_and_be_replayed(running: IngestProcess) -> None:
    payload = run_payload(run_id=1600)
    assert running.send("workflow_run", {"action": "completed"}, "broken").status_code == 422
    replayed = httpx.post(f"{running.url}/api/v1/deliveries/broken/replay", headers={"X-API-KEY": WRITE_KEY})
    assert replayed.json()["result"] == "failed"
    assert running.send("workflow_run", payload, "broken").json() == {"status": "processed"}
    replayed = httpx.post(f"{running.url}/api/v1/deliveries/broken/replay", headers={"X-API-KEY": WRITE_KEY})
    assert replayed.json()["result"] == "processed"


def test_text_of_any_kind_survives(running: IngestProcess) -> None:
    message = "=HYPERLINK('x') <script>alert(1)</script> \x00 \x1b[31m \u202e ☃ '; DROP TABLE jobs; --"
    running.send("workflow_run", run_payload(run_id=1700, head_commit={"message": message}))
    kept = message.replace("\0", "\N{REPLACEMENT CHARACTER}")  # not every database can hold NUL
    assert build(running, "gh-10-1700")["commit_message"] == kept


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/api/v1/builds?branch=a%00b", None),
        ("GET", "/api/v1/builds/a%00b", None),
        ("GET", "/badge/a%00b.svg", None),
        ("POST", "/api/v1/alerts/x/acknowledge", b'{"by": "a\\u0000b"}'),
    ],
)
def test_nul_is_refused_wherever_it_stands(running: IngestProcess, method: str, path: str, body: bytes | None) -> None:
    headers = {"X-API-KEY": WRITE_KEY, "Content-Type": "application/json"}
    answer = httpx.request(method, running.url + path, content=body, headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_request")


def test_a_compressed_body_is_refused(running: IngestProcess) -> None:
    body = gzip.compress(b"0" * 50_000_000)
    headers = {"X-GitHub-Event": "ping", "Content-Encoding": "gzip", "X-Hub-Signature-256": signature(body, SECRET)}
    answer = httpx.post(f"{running.url}/api/v1/webhook/github-actions", content=body, headers=headers)
    assert answer.status_code == 415


@pytest.mark.parametrize(
    ("name", "value"),
    [("limit", "0"), ("limit", "101"), ("limit", "x"), ("page", "0"), ("since", "soon"), ("status", "green")],
)
def test_a_bad_parameter_is_named(running: IngestProcess, name: str, value: str) -> None:
    answer = httpx.get(f"{running.url}/api/v1/builds", params={name: value})
    assert answer.status_code == 422
    assert name in answer.json()["error"]["details"]["fields"]


def test_since_takes_any_offset(running: IngestProcess) -> None:
    running.send("workflow_run", run_payload(run_id=1800, branch="since-branch"))
    for since, expected in (
        ("2026-03-02T13:00:30+01:00", 1),
        ("2026-03-02T12:00:59Z", 1),
        ("2026-03-02T14:01:01 02:00", 0),
    ):
        answer = httpx.get(f"{running.url}/api/v1/builds", params={"since": since, "branch": "since-branch"})
        assert answer.json()["pagination"]["total"] == expected, since


def test_pages_do_not_overlap_and_the_total_is_right(running: IngestProcess) -> None:
    for number in range(1900, 1905):
        running.send("workflow_run", run_payload(run_id=number, branch="paged"))
    pages = [
        httpx.get(
            f"{running.url}/api/v1/builds",
            params={"branch": "paged", "limit": 2, "page": page, "provider": "github_actions"},
        ).json()
        for page in (1, 2, 3)
    ]
    assert [page["pagination"]["has_next"] for page in pages] == [True, True, False]
    assert {page["pagination"]["total"] for page in pages} == {5}
    assert len({found["id"] for page in pages for found in page["builds"]}) == 5


def alerts_of(running: IngestProcess, pipeline: str, **parameters: str) -> list[dict[str, Any]]:
    found = httpx.get(f"{running.url}/api/v1/alerts", params=parameters).json()["alerts"]
    return [alert for alert in found if alert["pipeline"] == pipeline]


def test_an_alert_lives_from_failure_through_acknowledgement_to_the_next_success(running: IngestProcess) -> None:
    common = {"workflow": "Nightly", "workflow_id": 777}
    running.send("workflow_run", run_payload(run_id=2000, conclusion="failure", **common))  # type: ignore[arg-type]
    running.send("workflow_run", run_payload(run_id=2001, conclusion="failure", begun=100, updated=160, **common))  # type: ignore[arg-type]
    wait_for(lambda: [a["occurrences"] for a in alerts_of(running, "Nightly")] == [2], "the alert")
    [alert] = alerts_of(running, "Nightly")
    assert (alert["status"], alert["severity"]) == ("active", "critical")
    address = f"{running.url}/api/v1/alerts/{alert['id']}/acknowledge"
    assert httpx.post(address, json={"by": "ana"}).status_code == 401
    first = httpx.post(address, json={"by": "ana", "note": "mine"}, headers={"X-API-KEY": WRITE_KEY})
    assert (first.json()["status"], first.json()["acknowledged_by"]) == ("acknowledged", "ana")
    second = httpx.post(address, json={"by": "bob"}, headers={"X-API-KEY": WRITE_KEY})
    assert second.status_code == 409
    assert "ana" in second.json()["error"]["message"]
    running.send("workflow_run", run_payload(run_id=2002, begun=200, updated=260, **common))  # type: ignore[arg-type]
    wait_for(lambda: not alerts_of(running, "Nightly"), "the alert's end")
    [ended] = alerts_of(running, "Nightly", status="resolved")
    assert ended["resolved_attempt_id"] == "gh-10-2002-1"


def test_every_error_has_the_one_shape_and_the_callers_request_id(running: IngestProcess) -> None:
    for path in ("/nope", "/api/v1/builds/none", "/api/v1/builds?limit=0", "/api/v1/webhook/unknown"):
        answer = httpx.request(
            "POST" if "webhook" in path else "GET", running.url + path, headers={"X-Request-ID": "my-id"}
        )
        body = answer.json()
        assert set(body) == {"error", "timestamp", "request_id"}
        assert set(body["error"]) == {"code", "message", "details"}
        assert body["request_id"] == answer.headers["X-Request-ID"] == "my-id"


def test_a_request_id_that_could_forge_a_log_line_is_replaced(running: IngestProcess) -> None:
    answer = httpx.get(f"{running.url}/health/live", headers={"X-Request-ID": "a b\tc"})
    assert answer.headers["X-Request-ID"] != "a b\tc"
