"""Limits as clients meet them: requests a minute, bodies, slow connections, other sites, secrets in the log."""

import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import orjson
import pytest

from ingest.guards.rate_limit import address_of, bucket
from tests.builders import run_payload
from tests.conftest import SECRET, WRITE_KEY, IngestProcess, wait_for


@pytest.fixture(scope="module")
def tight(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IngestProcess]:
    environment = {"RATE_LIMIT_PER_MINUTE": "60", "REQUEST_TIMEOUT_SECONDS": "1", "TRUSTED_PROXIES": "127.0.0.1"}
    process = IngestProcess(tmp_path_factory.mktemp("tight"), environment).start()
    yield process
    process.stop()


def get(process: IngestProcess, client: str, **headers: str) -> httpx.Response:
    return httpx.get(f"{process.url}/api/v1/alerts", headers={"X-Forwarded-For": client, **headers})


def test_the_61st_request_of_a_minute_waits(tight: IngestProcess) -> None:
    answers = [get(tight, "192.0.2.1") for _ in range(61)]
    assert {answer.status_code for answer in answers[:60]} == {200}
    assert answers[0].headers["RateLimit-Limit"] == "60"
    assert answers[0].headers["RateLimit-Remaining"] == "59"
    assert answers[60].status_code == 429
    assert answers[60].json()["error"]["code"] == "too_many_requests"
    assert 1 <= int(answers[60].headers["Retry-After"]) <= 60
    assert get(tight, "192.0.2.2").status_code == 200
    known = get(tight, "192.0.2.1", **{"X-API-KEY": WRITE_KEY})
    assert (known.status_code, known.headers["RateLimit-Limit"]) == (200, "1000")
    assert httpx.get(f"{tight.url}/health/live", headers={"X-Forwarded-For": "192.0.2.1"}).status_code == 200


def test_signed_webhooks_are_never_dropped_unsigned_ones_are(tight: IngestProcess) -> None:
    client = {"X-Forwarded-For": "192.0.2.9"}
    for number in range(70):
        assert tight.send("workflow_run", run_payload(run_id=number), f"many-{number}", **client).status_code == 200
    address = f"{tight.url}/api/v1/webhook/github-actions"
    answers = [httpx.post(address, content=b"{}", headers=client).status_code for _ in range(61)]
    assert answers == [401] * 60 + [429]


def test_forwarded_addresses_count_only_from_trusted_proxies() -> None:
    def scope(client: str, forwarded: str) -> dict[str, object]:
        return {"type": "http", "client": (client, 1), "headers": [(b"x-forwarded-for", forwarded.encode())]}

    assert address_of(scope("198.51.100.1", "203.0.113.5"), "") == "198.51.100.1"
    assert address_of(scope("10.0.0.5", "203.0.113.5"), "10.0.0.0/8") == "203.0.113.5"
    assert address_of(scope("10.0.0.5", "1.1.1.1, 203.0.113.5, 10.0.0.7"), "10.0.0.0/8") == "203.0.113.5"
    assert address_of(scope("10.0.0.5", "junk"), "10.0.0.0/8") == "10.0.0.5"
    assert bucket("2001:db8::1") == bucket("2001:db8::2") != bucket("2001:db8:0:1::1")


def closed_by(process: IngestProcess, opening: bytes) -> bytes:
    """What the service says before it ends the connection."""
    with socket.create_connection(("127.0.0.1", process.port)) as connection:
        connection.settimeout(20)
        connection.sendall(opening)
        said = b""
        try:
            while piece := connection.recv(4096):
                said += piece
        except ConnectionResetError:
            pass
        return said


def test_slow_clients_are_let_go(tight: IngestProcess) -> None:
    assert closed_by(tight, b"") == b""
    assert closed_by(tight, b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ") == b""


# A webhook is read as bytes; of the others, FastAPI reads the JSON before anything of ours is asked.
READS_A_BODY = ["/api/v1/webhook/github-actions", "/api/v1/alert-rules/preview"]


@pytest.mark.parametrize("path", READS_A_BODY)
@pytest.mark.parametrize("begun", ["Content-Length: 1000\r\n\r\n{", "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n"])
def test_a_body_that_does_not_arrive_is_told_from_a_malformed_one(tight: IngestProcess, path: str, begun: str) -> None:
    headers = f"Host: x\r\nContent-Type: application/json\r\nX-API-KEY: {WRITE_KEY}\r\n{begun}"
    said = closed_by(tight, f"POST {path} HTTP/1.1\r\n{headers}".encode())
    assert said.startswith(b"HTTP/1.1 408 "), said
    assert b"The body took too long to arrive." in said


@pytest.mark.parametrize("path", READS_A_BODY)
@pytest.mark.parametrize("is_announced", [True, False])
def test_a_body_over_the_limit_is_refused_unread_or_while_it_streams(
    tight: IngestProcess, path: str, is_announced: bool
) -> None:
    pieces = [b"x" * 65_536] * 17
    answer = httpx.post(
        tight.url + path,
        content=b"".join(pieces) if is_announced else iter(pieces),
        headers={"Content-Type": "application/json", "X-API-KEY": WRITE_KEY},
    )
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (413, "body_too_large")
    assert error["message"] == "The body is larger than 1048576 bytes (MAX_BODY_BYTES)."


def test_only_the_dashboards_origin_may_call_from_a_browser(tight: IngestProcess) -> None:
    asked = {"Access-Control-Request-Method": "POST"}
    ours = httpx.options(f"{tight.url}/api/v1/alerts", headers=asked | {"Origin": "http://localhost:8501"})
    assert ours.headers["Access-Control-Allow-Origin"] == "http://localhost:8501"
    theirs = httpx.options(f"{tight.url}/api/v1/alerts", headers=asked | {"Origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in theirs.headers


def test_answers_carry_safe_headers(tight: IngestProcess) -> None:
    headers = httpx.get(f"{tight.url}/health/live").headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in headers["Content-Security-Policy"]


def test_no_secret_reaches_the_log_by_way_of_a_request(tmp_path: Path) -> None:
    process = IngestProcess(tmp_path, {"LOG_LEVEL": "DEBUG", "LOG_FORMAT": "json"}).start()
    for secret in (SECRET, WRITE_KEY):
        httpx.get(f"{process.url}/api/v1/{secret}", headers={"User-Agent": secret, "Authorization": f"Bearer {secret}"})
    wait_for(lambda: "/api/v1/***" in process.log, "the line of the request")
    process.stop()
    assert SECRET not in process.log
    assert WRITE_KEY not in process.log
    assert all(orjson.loads(line) for line in process.log.splitlines() if line.startswith("{"))
