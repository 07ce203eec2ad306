"""CircleCI, Azure Pipelines, Bitbucket, Buildkite and Travis: this payload gives these rows, and who is believed."""

import base64
from typing import Any
from urllib.parse import urlencode

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from core.errors import BadPayload
from core.model import Job, WorkflowRun
from ingest.providers import webhooks
from ingest.providers.proofs import hmac_hex
from tests.ingest.providers.fixtures import only_run, payload, recorded

SECRET = "a-secret-of-the-tests"


def run_of(provider: str, name: str) -> WorkflowRun:
    return only_run(webhooks()[provider].parse("", payload(provider, name)))


def job_of(provider: str, name: str) -> Job:
    [job] = webhooks()[provider].parse("", payload(provider, name)).jobs
    assert isinstance(job, Job)
    return job


def facts(run: WorkflowRun) -> tuple[object, ...]:
    seconds = (run.finished_at - run.started_at).total_seconds() if run.finished_at and run.started_at else None
    return run.status, run.conclusion, run.branch, run.is_fork, run.run_number, seconds


@pytest.mark.parametrize(
    ("provider", "name", "expected"),
    [
        ("circleci", "workflow-completed.failed", ("failed", "failed", "main", False, 130, 193.863)),
        ("circleci", "workflow-completed.success_of_a_fork", ("success", "success", "pull/7", True, 130, 193.863)),
        ("azure-pipelines", "build.complete_failed", ("failed", "failed", "main", False, 12, 112.19641)),
        (
            "azure-pipelines",
            "build.complete_partially_succeeded",
            ("success", "partiallySucceeded", "main", False, 13, 112.19641),
        ),
        ("azure-pipelines", "run.in_progress", ("running", None, None, False, 12, None)),
        ("bitbucket", "repo.commit_status_created", ("running", None, "main", False, 186, None)),
        ("bitbucket", "repo.commit_status_updated_failed", ("failed", "FAILED", "main", False, 186, 239.552437)),
        ("bitbucket", "repo.commit_status_of_another_tool", ("success", "SUCCESSFUL", "main", False, None, 299.552437)),
        ("buildkite", "build.scheduled", ("queued", None, "main", False, 23, None)),
        ("buildkite", "build.running", ("running", None, "main", False, 23, None)),
        ("buildkite", "build.finished_blocked", ("blocked", "blocked", "main", False, 23, None)),
        ("buildkite", "build.finished_failed", ("failed", "failed", "main", False, 23, 175.0)),
        ("travis", "build.started", ("running", None, "main", False, 42, None)),
        ("travis", "build.failed", ("failed", "failed", "main", False, 42, 115.0)),
        ("travis", "build.passed_pull_request", ("success", "passed", None, True, 43, 145.0)),
    ],
)  # fmt: skip
def test_a_payload_gives_this_run(provider: str, name: str, expected: tuple[object, ...]) -> None:
    assert facts(run_of(provider, name)) == expected


@pytest.mark.parametrize(
    ("provider", "name", "expected"),
    [
        ("circleci", "job-completed.failed", ("test", "failed", "failed", None)),
        ("buildkite", "job.started", ("Tests", "running", None, "agent-1")),
        ("buildkite", "job.finished_soft_failed", ("Tests", "failed", "failed (allowed to fail)", "agent-1")),
        ("travis", "build.failed", ("Job 42.1", "failed", "failed (allowed to fail)", None)),
    ],
)
def test_a_payload_gives_this_job(provider: str, name: str, expected: tuple[object, ...]) -> None:
    job = job_of(provider, name)
    assert (job.name, job.status, job.conclusion, job.runner_name) == expected


@pytest.mark.parametrize(
    ("provider", "run", "job"),
    [
        ("circleci", "workflow-completed.failed", "job-completed.failed"),
        ("buildkite", "build.running", "job.started"),
        ("travis", "build.started", "build.failed"),
    ],
)
def test_a_job_belongs_to_its_run(provider: str, run: str, job: str) -> None:
    assert job_of(provider, job).attempt_id == run_of(provider, run).id


@pytest.mark.parametrize(
    ("provider", "name", "repository", "pipeline"),
    [
        ("circleci", "workflow-completed.failed", "acme/shop", "build-test"),
        ("azure-pipelines", "build.complete_failed", "shop", "shop-ci"),
        ("azure-pipelines", "run.in_progress", "acme", "shop-ci"),
        ("bitbucket", "repo.commit_status_created", "acme/shop", "Pipelines"),
        ("bitbucket", "repo.commit_status_of_another_tool", "acme/shop", "Sonar"),
        ("buildkite", "build.running", "acme/shop", "Shop"),
        ("travis", "build.started", "acme/shop", "Build"),
    ],
)
def test_a_payload_names_its_pipeline(provider: str, name: str, repository: str, pipeline: str) -> None:
    [found] = webhooks()[provider].parse("", payload(provider, name)).pipelines
    assert (found.repository, found.name) == (repository, pipeline)


def test_the_two_hooks_of_azure_tell_of_one_run_and_the_build_knows_more() -> None:
    build, run = run_of("azure-pipelines", "build.complete_failed"), run_of("azure-pipelines", "run.completed_failed")
    assert build.id == run.id
    assert build.version > run.version


@pytest.mark.parametrize(
    ("provider", "sent"),
    [
        ("circleci", {"type": "ping"}),
        ("azure-pipelines", {"eventType": "workitem.created"}),
        ("bitbucket", {"push": {}}),
        ("buildkite", {"event": "ping"}),
        ("buildkite", {"event": "agent.connected"}),
    ],
)
def test_other_events_are_not_used(provider: str, sent: dict[str, Any]) -> None:
    assert webhooks()[provider].parse("", sent) is None


BASIC = "Basic " + base64.b64encode(f"health:{SECRET}".encode()).decode()
SIGNED_AT = "timestamp=1772452800,signature=" + hmac_hex(b"1772452800.{}", SECRET)


@pytest.mark.parametrize(
    ("provider", "good", "bad"),
    [
        ("circleci", {"circleci-signature": f"v1={hmac_hex(b'{}', SECRET)},v2=x"}, {"circleci-signature": "v1=0"}),
        ("azure-pipelines", {"authorization": BASIC}, {"authorization": "Basic eDp5"}),
        ("bitbucket", {"x-hub-signature": f"sha256={hmac_hex(b'{}', SECRET)}"}, {"x-hub-signature": "sha256=0"}),
        ("buildkite", {"x-buildkite-signature": SIGNED_AT}, {"x-buildkite-signature": SIGNED_AT.replace("800", "801")}),
        ("buildkite", {"x-buildkite-token": SECRET}, {"x-buildkite-token": SECRET, "x-buildkite-signature": "x"}),
        ("buildbot", {"authorization": BASIC}, {"authorization": BASIC[:-4]}),
        ("cdevents", {"x-signature-256": hmac_hex(b"{}", SECRET)}, {"x-signature-256": "0", "x-webhook-token": SECRET}),
    ],
)
def test_only_who_knows_the_secret_is_believed(provider: str, good: dict[str, str], bad: dict[str, str]) -> None:
    authentic = webhooks()[provider].is_authentic
    assert authentic(b"{}", good, SECRET)
    assert not authentic(b"{}", bad, SECRET)
    assert not authentic(b"{}", {}, SECRET)


def test_travis_signs_the_payload_with_its_private_key() -> None:
    key = generate_private_key(public_exponent=65537, key_size=2048)
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    body = urlencode({"payload": '{"id": 1, "name": "é"}'}).encode()
    signature = base64.b64encode(key.sign('{"id": 1, "name": "é"}'.encode(), PKCS1v15(), SHA1())).decode()
    authentic = webhooks()["travis"].is_authentic
    assert authentic(body, {"signature": signature}, public)
    assert authentic(body, {"signature": signature}, public.replace("\n", "\\n"))
    assert not authentic(body + b"1", {"signature": signature}, public)
    assert not authentic(body, {}, public)
    assert not authentic(body, {"signature": "é"}, public)


NAMED = {"ids": lambda value: value if isinstance(value, str) else ""}


@pytest.mark.parametrize(("name", "sent"), recorded("azuredevops/webhook_*.json"), **NAMED)
def test_a_recorded_azure_hook_lands_as_it_was_sent(name: str, sent: dict[str, Any]) -> None:
    run = only_run(webhooks()["azure-pipelines"].parse("", sent))
    assert (run.run_id, run.status, run.conclusion) == (str(sent["resource"]["id"]), "success", "succeeded")
    assert run.started_at
    assert f"{run.started_at:%Y-%m-%dT%H:%M:%S}.{run.started_at.microsecond // 10000}Z" == sent["resource"]["startTime"]


@pytest.mark.parametrize(("name", "sent"), recorded("bitbucket/webhook_*.json"), **NAMED)
def test_a_recorded_bitbucket_hook_lands_as_it_was_sent(name: str, sent: dict[str, Any]) -> None:
    changes = webhooks()["bitbucket"].parse("", sent)
    status, run = sent["commit_status"], only_run(changes)
    assert changes.pipelines[0].repository == sent["repository"]["full_name"]
    assert run.status == {"INPROGRESS": "running", "SUCCESSFUL": "success", "FAILED": "failed"}[status["state"]]
    assert (run.head_sha, run.url) == (status["links"]["commit"]["href"].rpartition("/")[2], status["url"])


@pytest.mark.parametrize(
    ("provider", "name", "left_out", "named"),
    [
        ("azure-pipelines", "build.complete_failed", ("queueTime", "startTime", "finishTime"), "resource.startTime"),
        (
            "azure-pipelines",
            "build.complete_failed",
            ("resourceContainers", "project"),
            "resourceContainers.project.id",
        ),
        ("travis", "build.failed", ("started_at", "finished_at", "committed_at"), "started_at"),
        ("gitlab", "job.success", ("pipeline_id", "commit"), "pipeline_id"),
    ],
)
def test_of_what_may_stand_in_several_fields_one_is_named_where_all_are_missing(
    provider: str, name: str, left_out: tuple[str, ...], named: str
) -> None:
    sent = payload(provider, name)
    for part in (sent, sent.get("resource", {})):
        for field in left_out:
            part.pop(field, None)
    with pytest.raises(BadPayload, match=f"understood: {named}: Field required"):
        webhooks()[provider].parse("", sent)


@pytest.mark.parametrize("unset", ["0001-01-01T00:00:00", "0001-01-01T00:00:00Z", "", " ", None, 0])
def test_a_moment_that_is_not_set_is_none_in_every_spelling(unset: object) -> None:
    sent = payload("azure-pipelines", "build.complete_failed")
    sent["resource"]["startTime"] = unset
    run = only_run(webhooks()["azure-pipelines"].parse("", sent))
    assert (run.started_at, run.finished_at is None) == (None, False)
