"""Each CI system's call at the real service: taken once by its proof, known when it comes again, else refused."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ingest.providers import webhooks
from ingest.providers.gitlab.webhook import signature
from ingest.providers.proofs import hmac_hex
from tests.conftest import SECRET, WRITE_KEY, IngestProcess
from tests.ingest.providers.fixtures import payload

SIGNING_TOKEN = "whsec_" + base64.b64encode(b"a-signing-token-of-the-tests").decode()
KEY = generate_private_key(public_exponent=65537, key_size=2048)
PUBLIC_KEY = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
Proof = Callable[[bytes], Mapping[str, str]]


def basic(_: bytes) -> Mapping[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"ci:{SECRET}".encode()).decode()}


def signed_by_drone(body: bytes) -> Mapping[str, str]:
    date = "Mon, 02 Mar 2026 12:00:00 GMT"
    digest = "SHA-256=" + base64.b64encode(hashlib.sha256(body).digest()).decode()
    made = hmac.new(SECRET.encode(), f"date: {date}\ndigest: {digest}".encode(), hashlib.sha256).digest()
    shown = base64.b64encode(made).decode()
    return {"Date": date, "Digest": digest, "Signature": f'keyId="hmac-key",signature="{shown}",headers="date digest"'}


def signed_by_travis(_: bytes) -> Mapping[str, str]:
    text = json.dumps(payload("travis", "build.failed"))
    return {"Signature": base64.b64encode(KEY.sign(text.encode(), PKCS1v15(), SHA1())).decode()}


def signed_by_gitlab(body: bytes) -> Mapping[str, str]:
    made = signature(body, "msg-1", "1772452800", SIGNING_TOKEN)
    return {"webhook-id": "msg-1", "webhook-timestamp": "1772452800", "webhook-signature": made}


def hex_in(header: str, before: str = "") -> Proof:
    return lambda body: {header: before + hmac_hex(body, SECRET)}


def told(header: str) -> Proof:
    """The secret itself."""
    return lambda _: {header: SECRET}


# CI system, its payload, how its call shows that it knows the secret, the header that names the event.
CALLS: dict[str, tuple[str, str, Proof, Mapping[str, str]]] = {
    "github": ("github-actions", "workflow_run.completed_success", hex_in("X-Hub-Signature-256", "sha256="),
               {"X-GitHub-Event": "workflow_run"}),
    "gitlab": ("gitlab", "pipeline.failed_merge_request_from_a_fork", told("X-Gitlab-Token"),
               {"X-Gitlab-Event": "Pipeline Hook"}),
    "gitlab, signed": ("gitlab", "pipeline.manual", signed_by_gitlab, {"X-Gitlab-Event": "Pipeline Hook"}),
    "jenkins": ("jenkins", "step.completed_on_main", hex_in("X-Jenkins-Signature"), {}),
    "jenkins' plugin": ("jenkins", "notification.finalized_failure", basic, {}),
    "circleci": ("circleci", "workflow-completed.failed", hex_in("circleci-signature", "v1="),
                 {"circleci-event-type": "workflow-completed"}),
    "azure": ("azure-pipelines", "build.complete_failed", basic, {}),
    "bitbucket": ("bitbucket", "repo.commit_status_updated_failed", hex_in("X-Hub-Signature", "sha256="),
                  {"X-Event-Key": "repo:commit_status_updated", "X-Request-UUID": "7"}),
    "buildkite": ("buildkite", "build.finished_failed", told("X-Buildkite-Token"),
                  {"X-Buildkite-Event": "build.finished"}),
    "buildbot": ("buildbot", "build.finished_failure", basic, {}),
    "cdevents": ("cdevents", "pipelinerun.finished_failure", hex_in("X-Signature-256"),
                 {"ce-type": "dev.cdevents.pipelinerun.finished.0.2.0", "ce-id": "9"}),
    "drone": ("drone", "build.failure", signed_by_drone, {"X-Drone-Event": "build"}),
    "travis": ("travis", "build.failed", signed_by_travis, {"Content-Type": "application/x-www-form-urlencoded"}),
    "any other": ("generic", "run.failed_with_jobs", told("X-Webhook-Token"), {"X-Delivery-Id": "11"}),
}  # fmt: skip
FOLDERS = {"github-actions": "github"}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IngestProcess]:
    """Knows a secret of every CI system."""
    names = ("JENKINS", "CIRCLECI", "AZURE", "BITBUCKET", "BUILDBOT", "CDEVENTS", "GENERIC")
    secrets = {f"{name}_WEBHOOK_SECRET": SECRET for name in names} | {
        "GITLAB_WEBHOOK_TOKEN": SECRET,
        "GITLAB_WEBHOOK_SIGNING_TOKEN": SIGNING_TOKEN,
        "BUILDKITE_WEBHOOK_TOKEN": SECRET,
        "WEBHOOK_SECRETS__DRONE": SECRET,
        "TRAVIS_PUBLIC_KEY": PUBLIC_KEY,
    }
    process = IngestProcess(tmp_path_factory.mktemp("every"), secrets).start()
    yield process
    process.end()


@pytest.mark.parametrize("name", CALLS)
def test_a_call_is_taken_once_by_its_proof_and_refused_without(name: str, service: IngestProcess) -> None:
    provider, file, proof, headers = CALLS[name]
    sent = payload(FOLDERS.get(provider, provider), file)
    body = urlencode({"payload": json.dumps(sent)}).encode() if provider == "travis" else json.dumps(sent).encode()
    address = f"{service.url}/api/v1/webhook/{provider}"

    def call(proven: Mapping[str, str]) -> tuple[int, str | None]:
        answer = httpx.post(address, content=body, headers={**headers, **proven})
        return answer.status_code, answer.json().get("status")

    assert call({})[0] == 401
    assert call({key: value[:-2] + "x=" for key, value in proof(body).items()})[0] == 401
    assert call(proof(body)) == (200, "processed")
    assert call(proof(body)) == (200, "duplicate")
    runs = httpx.get(f"{service.url}/api/v1/builds", params={"provider": provider}).json()["builds"]
    assert runs
    assert all(run["provider"] == provider for run in runs)


def test_no_ci_system_was_forgotten() -> None:
    assert {provider for provider, *_ in CALLS.values()} == set(webhooks())


def test_an_underscore_is_as_good_as_a_hyphen_and_an_unknown_system_is_told_the_known_ones(
    service: IngestProcess,
) -> None:
    body = json.dumps(payload("azure-pipelines", "build.complete_failed")).encode()
    answer = httpx.post(f"{service.url}/api/v1/webhook/azure_pipelines", content=body, headers=basic(body))
    assert answer.status_code == 200
    unknown = httpx.post(f"{service.url}/api/v1/webhook/bamboo", content=b"{}")
    assert unknown.status_code == 404
    assert set(unknown.json()["error"]["details"]["known"]) == set(webhooks())


def test_github_says_what_happened_or_is_told_that_it_must(service: IngestProcess) -> None:
    headers = hex_in("X-Hub-Signature-256", "sha256=")(b"{}")
    answer = httpx.post(f"{service.url}/api/v1/webhook/github-actions", content=b"{}", headers=headers)
    assert (answer.status_code, "X-GitHub-Event" in answer.json()["error"]["message"]) == (400, True)


def test_a_system_without_a_secret_shows_the_write_key(tmp_path: Path) -> None:
    process = IngestProcess(tmp_path, {"GITHUB_WEBHOOK_SECRET": ""}).start()
    call = payload("github", "workflow_run.completed_success")

    def sent(**headers: str) -> tuple[int, str]:
        answer = httpx.post(
            f"{process.url}/api/v1/webhook/github-actions",
            json=call,
            headers={"X-GitHub-Event": "workflow_run", "X-GitHub-Delivery": "1", **headers},
        )
        return answer.status_code, answer.json().get("status") or answer.json()["error"]["message"]

    try:
        assert sent() == (401, "The header X-API-KEY is missing or wrong.")
        assert sent(**{"X-Hub-Signature-256": "sha256=" + hmac_hex(json.dumps(call).encode(), SECRET)})[0] == 401
        assert sent(**{"X-API-KEY": "a-wrong-key-of-the-tests"})[0] == 401
        assert sent(**{"X-API-KEY": WRITE_KEY}) == (200, "processed")
    finally:
        process.stop()
