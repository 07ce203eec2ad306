"""The webhook endpoints under fire: mutated payloads and junk never give a 500, and nothing accepted is ever lost.

`FUZZ_EXAMPLES` sets how many bodies each CI system gets (40). With RECORDED_PAYLOADS, real payloads are mutated too.
"""

import copy
import gzip
import hashlib
import json
import os
import random
import signal
import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.store.duckdb_file import open_read_only
from ingest.providers import webhooks
from tests.conftest import WRITE_KEY, IngestProcess
from tests.ingest.providers.fixtures import RECORDED, payloads

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "40"))
PROVIDERS = sorted(webhooks())
FOLDERS = {"github-actions": "github"}
EVENT_HEADERS = (
    "X-GitHub-Event",
    "X-Gitlab-Event",
    "X-Event-Key",
    "X-Buildkite-Event",
    "Circleci-Event-Type",
    "Ce-Type",
)
EVENTS = (
    "workflow_run", "workflow_job", "ping", "Pipeline Hook", "Job Hook", "build.finished", "job.finished",
    "repo:commit_status_updated", "workflow-completed", "job-completed", "dev.cdevents.pipelinerun.finished.0.2.0",
    "", "x" * 5000, "é", "\x7f",
)  # fmt: skip
BIG = "9" * 400  # as a number without quotes: json.dumps can't write it
HOSTILE: tuple[Any, ...] = (
    None, True, False, 0, -1, 2**31, 2**63, 2**64, -(2**63), 1e308, 0.1, "", " ",
    "0", "\0", "a\0b", "\ud800", "😀" * 500,
    "x" * 70_000, "\u202e\u200b", "'; DROP TABLE jobs; --", "<script>alert(1)</script>", "=cmd|'/C calc'!A0", "$(id)",
    [], {}, [[]], [None], {"": ""}, ["a", 1, {}], "0000-00-00T00:00:00Z", "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00", "2026-02-30T00:00:00Z", "-1", "1e999", "infinity", "BIG", "DEEP",
)  # fmt: skip


def real_payloads(provider: str) -> list[Any]:
    own = payloads(FOLDERS.get(provider, provider))
    word = provider.split("-", maxsplit=1)[0]
    if RECORDED is None:
        return own
    paths = [path for path in sorted(RECORDED.rglob("*.json")) if any(part.startswith(word) for part in path.parts)]
    found = [json.loads(path.read_bytes()) for path in paths if path.stat().st_size < 500_000]
    return own + random.Random(5).sample(found, min(len(found), 100))


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of everything within a payload."""
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, entry in inner:
        yield from places(entry, (*path, key))


def at(value: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        value = value[step]
    return value


@st.composite
def mutated(draw: st.DrawFn, originals: list[Any]) -> bytes:
    """A real payload, some of whose parts are replaced, removed, or stand in the place of others."""
    value = copy.deepcopy(draw(st.sampled_from(originals)))
    for _ in range(draw(st.integers(0, 6))):
        path = draw(st.sampled_from(list(places(value))))
        if not path:
            continue
        parent = at(value, path[:-1])
        action = draw(st.sampled_from(["replace", "replace", "replace", "remove", "swap"]))
        if action == "remove":
            del parent[path[-1]]
        elif action == "swap":
            parent[path[-1]] = copy.deepcopy(at(value, draw(st.sampled_from(list(places(value))))))
        else:
            parent[path[-1]] = copy.deepcopy(draw(st.sampled_from(HOSTILE)))
    return json.dumps(value).replace('"BIG"', BIG).replace('"DEEP"', "[" * 3000 + "]" * 3000).encode()


LEAVES = st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20)
TREES = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))


def bodies(originals: list[Any]) -> st.SearchStrategy[bytes]:
    """Mostly mutated payloads; now and then one that is cut off, wrapped or packed, other JSON, or none at all."""
    real = mutated(originals)
    rarely = [
        st.tuples(real, st.integers(0, 3000)).map(lambda drawn: drawn[0][: drawn[1]]),
        real.map(lambda body: b"payload=" + quote(body.decode()).encode()),
        real.map(gzip.compress),
        real.map(lambda body: body.decode().encode("utf-16")),
        TREES.map(lambda value: json.dumps(value).encode()),
        st.binary(max_size=2000),
    ]
    return st.one_of(real, real, real, *rarely)


class Sent:
    """What was accepted: the provider and the id under which it must be kept."""

    def __init__(self) -> None:
        self.number = 0
        self.kept: set[tuple[str, str]] = set()


@pytest.fixture(scope="module")
def fire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[IngestProcess, httpx.Client, Sent]]:
    environment = {"GITHUB_WEBHOOK_SECRET": "", "USER_RATE_LIMIT_PER_MINUTE": "1000000"}
    process = IngestProcess(tmp_path_factory.mktemp("fire"), environment).start()
    sent = Sent()
    with httpx.Client(base_url=process.url, headers={"X-API-KEY": WRITE_KEY}, timeout=30) as client:
        yield process, client, sent
        assert client.get("/health/ready").status_code == 200
    process.stop(signal.SIGKILL)  # whatever was answered must be there all the same
    with open_read_only(process.database) as connection:
        kept = set(connection.execute("SELECT provider, delivery_id FROM deliveries").fetchall())
        # Nothing that people read later breaks on what came in.
        for view in ("runs", "attempts", "job_runs", "open_alerts", "daily_pipeline_stats"):
            connection.execute(f"SELECT * FROM {view}").fetchall()
    assert sent.kept - kept == set()
    sys.stdout.write(f"\nfuzz: {sent.number} bodies sent, {len(sent.kept)} different ones kept\n")


@pytest.mark.parametrize("provider", PROVIDERS)
@settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)  # fmt: skip
@given(data=st.data())
def test_no_body_breaks_an_endpoint_or_is_lost(
    provider: str, fire: tuple[IngestProcess, httpx.Client, Sent], data: st.DataObject
) -> None:
    process, client, sent = fire
    body = data.draw(bodies(real_payloads(provider)))
    event = data.draw(st.sampled_from(EVENTS)).encode()
    kind = data.draw(
        st.sampled_from(["application/json", "application/x-www-form-urlencoded", "", "text/plain; x=\xff"])
    )
    headers = [(name.encode(), event) for name in EVENT_HEADERS] + [(b"content-type", kind.encode("latin-1"))]
    answer = client.post(f"/api/v1/webhook/{provider}", content=body, headers=headers)
    sent.number += 1
    assert answer.status_code in (200, 400, 422), (answer.status_code, answer.text, process.log[-2000:])
    if answer.status_code != 400:
        sent.kept.add((provider, "sha256-" + hashlib.sha256(body).hexdigest()))
    else:
        assert answer.json()["error"]["code"] == "bad_request"


@settings(max_examples=EXAMPLES, deadline=None, derandomize=True, database=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(headers=st.dictionaries(
    st.sampled_from(["X-Hub-Signature-256", "X-GitHub-Event", "X-GitHub-Delivery", "Authorization", "X-API-KEY",
                     "Content-Type", "X-Request-ID", "If-None-Match", "Origin", "X-Forwarded-For"]),
    st.binary(max_size=300).map(lambda raw: bytes(byte for byte in raw if byte >= 32 and byte != 127).strip() or b"x"),
    max_size=6))  # fmt: skip
def test_no_header_opens_or_breaks_a_signed_endpoint(ingest_once: IngestProcess, headers: dict[str, bytes]) -> None:
    raw = [(name.encode(), value) for name, value in headers.items()]
    answer = httpx.post(f"{ingest_once.url}/api/v1/webhook/github-actions", content=b"{}", headers=raw)
    assert answer.status_code in (401, 415), answer.text


@pytest.fixture(scope="module")
def ingest_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IngestProcess]:
    process = IngestProcess(tmp_path_factory.mktemp("signed"), {"TRUSTED_PROXIES": "127.0.0.1"}).start()
    yield process
    process.stop()
