"""Callers at the edge: feed readers, tokens without a role, times out of range, logs that nobody has, junk."""

import base64
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import jwt
import orjson
import pytest

from core.access import AUDIENCE, Role, sign
from tests.builders import job_payload, run_payload
from tests.conftest import IngestProcess

JWT_SECRET = "a-token-secret-of-the-tests-0123456789"
NOW = datetime.now(UTC)
# For longer than a suite may run after this was imported.
TOKEN = sign(JWT_SECRET, "ana", Role.VIEWER, timedelta(hours=12), NOW)
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IngestProcess]:
    """Wants tokens for reading, but shows badges to everybody; knows a run with two jobs, and one without any."""
    environment = {"JWT_SECRET": JWT_SECRET, "PUBLIC_BADGES": "true", "OIDC_DEFAULT_ROLE": "none"}
    process = IngestProcess(tmp_path_factory.mktemp("edges"), environment).start()
    process.send("workflow_run", run_payload(run_id=1, conclusion="failure"))
    for job_id in (7001, 7002):
        process.send("workflow_job", job_payload(job_id=job_id, run_id=1, conclusion="failure"))
    process.send("workflow_run", run_payload(run_id=2))
    yield process
    process.end()


def get(service: IngestProcess, path: str, headers: dict[str, str] | None = None, **query: str) -> httpx.Response:
    return httpx.get(f"{service.url}/api/v1{path}", params=query, headers=BEARER if headers is None else headers)


def basic(pair: bytes) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(pair).decode()}


@pytest.mark.parametrize(
    ("headers", "status", "sentence"),
    [
        (basic(f"reader:{TOKEN}".encode()), 200, ""),
        (basic(b"reader:nothing"), 401, "malformed"),
        (basic(b"reader\xff:x"), 401, "The header Authorization is malformed."),
        ({"Authorization": "Basic é"}, 401, "The header Authorization is malformed."),
        ({"Authorization": "Digest x"}, 401, "must be `Bearer <token>`"),
        ({"Authorization": "Bearer"}, 401, "malformed"),
        ({}, 401, "Reading needs the header Authorization: Bearer <token>."),
    ],
)
def test_a_token_may_come_as_a_feed_readers_password(
    service: IngestProcess, headers: dict[str, str], status: int, sentence: str
) -> None:
    raw = {name: value.encode() for name, value in headers.items()}
    answer = httpx.get(f"{service.url}/api/v1/builds", headers=raw)  # type: ignore[arg-type]
    assert answer.status_code == status
    assert sentence in answer.text


def test_who_has_no_role_may_see_nothing_but_badges(service: IngestProcess) -> None:
    claims = {"sub": "eve", "aud": AUDIENCE, "exp": NOW + timedelta(hours=12)}
    nobody = {"Authorization": "Bearer " + jwt.encode(claims, JWT_SECRET, "HS256")}
    answer = get(service, "/builds", nobody)
    assert answer.status_code == 403
    assert "eve has no role here. Somebody with the role admin can give one." in answer.json()["error"]["message"]
    [pipeline_id] = {build["pipeline_id"] for build in get(service, "/builds").json()["builds"]}
    for headers in ({}, nobody):
        badge = httpx.get(f"{service.url}/badge/{pipeline_id}.svg", headers=headers)
        assert (badge.status_code, badge.headers["Content-Type"]) == (200, "image/svg+xml"), badge.text


@pytest.mark.parametrize(
    ("query", "runs"),
    [
        ({"since": "0001-01-01T00:00:00+14:00"}, 2),
        ({"until": "9999-12-31T23:59:59-14:00"}, 2),
        ({"since": "9999-12-31T23:59:59-14:00"}, 0),
        ({"until": "0001-01-01T00:00:00+14:00"}, 0),
        ({"since": "2026-03-02T14:00:59+02:00"}, 2),
        ({"since": "2026-03-02T14:01:01 02:00"}, 0),
        ({"since": "2026-03-02T12:00:30"}, 2),
        ({"since": "2026-03-03"}, 0),
    ],
)
def test_times_of_any_offset_are_understood_and_none_overflows(
    service: IngestProcess, query: dict[str, str], runs: int
) -> None:
    answer = get(service, "/builds", **query)
    assert answer.status_code == 200
    assert len(answer.json()["builds"]) == runs


@pytest.mark.parametrize("moment", ["1772452800", "12", "-5", "soon", "2026-03-02T25:00:00Z"])
def test_what_is_no_time_is_no_guess(service: IngestProcess, moment: str) -> None:
    answer = get(service, "/builds", since=moment)
    assert (answer.status_code, "since" in answer.json()["error"]["details"]["fields"]) == (422, True)


@pytest.mark.parametrize(
    ("build", "query", "sentence"),
    [
        ("gh-10-1", {}, "This log isn't kept, and its CI system isn't set up for fetching it."),
        ("gh-10-1", {"job": "7002"}, "isn't set up for fetching it"),
        ("gh-10-1", {"job": "7003"}, "This build has no such job."),
        ("gh-10-2", {}, "This build has no such job."),
        ("gh-10-3", {}, "There is no such build."),
    ],
)
def test_a_log_that_nobody_has_says_why(
    service: IngestProcess, build: str, query: dict[str, str], sentence: str
) -> None:
    answer = get(service, f"/builds/{build}/logs", **query)
    assert answer.status_code == 404
    assert sentence in answer.json()["error"]["message"]


def test_a_compressed_body_is_refused_unread(service: IngestProcess) -> None:
    headers = {"Content-Encoding": "gzip", **BEARER}
    answer = httpx.post(f"{service.url}/api/v1/webhook/github-actions", content=b"\x1f\x8b", headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (415, "unsupported_encoding")


@pytest.mark.parametrize("junk", [b"\x16\x03\x01\x02\x00\x01\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\0" * 2000])
def test_what_is_no_http_is_refused_in_the_one_shape(service: IngestProcess, junk: bytes) -> None:
    with socket.create_connection(("127.0.0.1", service.port)) as connection:
        connection.settimeout(20)
        connection.sendall(junk)
        said = b""
        while piece := connection.recv(4096):
            said += piece
    head, _, body = said.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 Bad Request")
    answer = orjson.loads(body)
    assert answer["error"]["code"] == "bad_request"
    assert f"X-Request-ID: {answer['request_id']}".encode() in head
    assert httpx.get(f"{service.url}/health/live").status_code == 200
