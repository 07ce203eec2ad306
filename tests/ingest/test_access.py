"""Every endpoint of the application against every kind of caller: who may, who may not, and that none was forgotten."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from core.access import Role, sign
from ingest.api.catalogue import DOCUMENT, Endpoint, endpoints, with_table
from ingest.app import api
from tests.conftest import WRITE_KEY, IngestProcess

JWT_SECRET = "a-token-secret-of-the-tests-0123456789"
ENDPOINTS = endpoints(api)
ASKING = [found for found in ENDPOINTS if found.role]


def bearer(secret: str, role: Role) -> dict[str, str]:
    return {"Authorization": f"Bearer {sign(secret, 'ana', role, timedelta(hours=1), datetime.now(UTC))}"}


CALLERS: dict[str, dict[str, str]] = {
    "no credential": {},
    "a wrong token": bearer("another-secret-than-the-service-has", Role.ADMIN),
    "a wrong key": {"X-API-KEY": "a-wrong-key-of-the-tests"},
    "viewer": bearer(JWT_SECRET, Role.VIEWER),
    "operator": bearer(JWT_SECRET, Role.OPERATOR),
    "admin": bearer(JWT_SECRET, Role.ADMIN),
    "the write key": {"X-API-KEY": WRITE_KEY},
}


# Asked with a body, but nothing changes.
READING = {"/alert-rules/preview"}


def named(found: Endpoint) -> str:
    return f"{found.method} {found.path}"


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IngestProcess]:
    environment = {"JWT_SECRET": JWT_SECRET, "USER_RATE_LIMIT_PER_MINUTE": "1000000"}
    process = IngestProcess(tmp_path_factory.mktemp("closed"), environment).start()
    yield process
    process.stop()


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IngestProcess]:
    process = IngestProcess(tmp_path_factory.mktemp("keyed"), {"USER_RATE_LIMIT_PER_MINUTE": "1000000"}).start()
    yield process
    process.stop()


@pytest.fixture(scope="module")
def unprotected(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IngestProcess]:
    """As after `make run`: on loopback, with nothing set."""
    environment = {"API_WRITE_KEY": "", "GITHUB_WEBHOOK_SECRET": "", "USER_RATE_LIMIT_PER_MINUTE": "1000000"}
    process = IngestProcess(tmp_path_factory.mktemp("unprotected"), environment).start()
    yield process
    process.stop()


client = httpx.Client(timeout=30)  # one for all: making one takes longer than the request


def status(process: IngestProcess, found: Endpoint, headers: dict[str, str]) -> int:
    path = found.path.replace("{", "").replace("}", "")
    return client.request(found.method, process.url + path, headers=headers).status_code


def expected(found: Endpoint, caller: str) -> int | None:
    """The refusal that is due; None where the caller may."""
    assert found.role
    if caller in ("no credential", "a wrong token", "a wrong key"):
        return 401
    if caller == "the write key":
        return 401 if found.method == "GET" else None
    return None if Role[caller.upper()] >= found.role else 403


@pytest.mark.parametrize("found", ASKING, ids=named)
def test_who_may_call_is_what_the_endpoint_declares(found: Endpoint, closed: IngestProcess) -> None:
    for caller, headers in CALLERS.items():
        answered, due = status(closed, found, headers), expected(found, caller)
        assert answered == due if due else answered not in (401, 403) and answered < 500, (caller, answered)


@pytest.mark.parametrize("found", ASKING, ids=named)
def test_without_tokens_reads_are_open_and_writes_need_the_key(found: Endpoint, keyed: IngestProcess) -> None:
    nobody = status(keyed, found, {})
    assert nobody == 401 if found.role and found.role > Role.VIEWER else nobody not in (401, 403)
    assert status(keyed, found, CALLERS["a wrong key"]) == 401
    assert status(keyed, found, CALLERS["the write key"]) not in (401, 403)


@pytest.mark.parametrize("found", ASKING, ids=named)
def test_without_a_key_and_tokens_everything_is_open(found: Endpoint, unprotected: IngestProcess) -> None:
    for caller in ("no credential", "a wrong token", "a wrong key"):
        assert status(unprotected, found, CALLERS[caller]) not in (401, 403)


def test_whatever_changes_something_asks_for_more_than_a_viewer() -> None:
    writes = [found for found in ASKING if found.method not in ("GET", "HEAD") and found.short_path not in READING]
    assert writes
    assert [named(found) for found in writes if found.role is Role.VIEWER] == []


def test_nobody_forgot_to_say_who_may_call() -> None:
    assert {found.path for found in ENDPOINTS if not found.who} == set()  # KeyError names what is open by oversight


def test_both_prefixes_have_the_same_endpoints() -> None:
    long = {(one.method, one.short_path) for one in ENDPOINTS if one.path.startswith("/api/v1/")}
    short = {(one.method, one.short_path) for one in ENDPOINTS if one.path.startswith("/api/")} - {
        (one.method, f"/v1{one.short_path}") for one in ENDPOINTS
    }
    assert long == short


def test_every_endpoint_is_documented() -> None:
    text = DOCUMENT.read_text()
    assert text == with_table(text, api), "python -m ingest.api.catalogue writes the table"
