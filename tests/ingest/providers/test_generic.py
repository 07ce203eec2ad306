"""The plain format: this object gives these rows, and this mistake this answer."""

from typing import Any

import pytest

from core.errors import BadPayload
from ingest.providers.generic.parse import parse
from ingest.providers.generic.webhook import is_authentic
from ingest.providers.proofs import hmac_hex
from tests.ingest.providers.fixtures import only_run, payload

SECRET = "a-secret-of-the-tests"


def test_the_least_that_can_be_said() -> None:
    changes = parse("run", payload("generic", "run.minimal"))
    run = only_run(changes)
    assert (run.run_id, run.run_attempt, run.status, run.conclusion) == ("4711", 1, "success", "success")
    assert (changes.pipelines[0].repository, changes.pipelines[0].name) == ("acme/shop", "Nightly")
    assert run.updated_at == run.finished_at


def test_all_that_can_be_said() -> None:
    changes = parse("run", payload("generic", "run.failed_with_jobs"))
    run, [job] = only_run(changes), changes.jobs
    assert (run.status, run.conclusion, run.branch, run.commit_author) == ("failed", "FAILED", "main", "Ana Example")
    assert (job.name, job.status, job.runner_name, job.labels) == ("test", "failed", "big-1", "linux")
    assert [(step.number, step.name, step.conclusion) for step in changes.steps] == [
        (1, "check out", "success"),
        (2, "pytest", "exit 1"),
    ]


def test_the_same_job_grows() -> None:
    before = parse("run", payload("generic", "run.running"))
    after = parse("run", payload("generic", "run.failed_with_jobs"))
    assert before.jobs[0].id == after.jobs[0].id
    assert before.jobs[0].version < after.jobs[0].version
    assert before.runs[0].version < after.runs[0].version


@pytest.mark.parametrize(
    ("change", "field", "reason"),
    [
        ({"repository": None}, "repository", "should be a valid string"),
        ({"status": "green"}, "status", "'success'"),
        ({"run_id": "a/b"}, "run_id", "should match pattern"),
        ({"attempt": 0}, "attempt", "greater than or equal to 1"),
        ({"created_at": "yesterday"}, "created_at", "valid datetime"),
        ({"branhc": "main"}, "branhc", "not permitted"),
        ({"finished_at": None}, "", "finished_at is required when status is success"),
        ({"started_at": "2026-03-02T13:00:00Z"}, "", "finished_at lies before started_at"),
        ({"jobs": [{"name": "test"}]}, "jobs.0.status", "Field required"),
        ({"created_at": "9999-12-31T23:59:59-14:00"}, "created_at", "outside of the calendar"),
    ],
)
def test_each_wrong_field_is_named_with_the_reason(change: dict[str, Any], field: str, reason: str) -> None:
    with pytest.raises(BadPayload) as raised:
        parse("run", payload("generic", "run.minimal") | change)
    fields = raised.value.details["fields"]
    assert isinstance(fields, dict)
    assert reason in fields[field]
    assert reason in str(raised.value)


def test_several_mistakes_are_all_named() -> None:
    with pytest.raises(BadPayload) as raised:
        parse("run", {})
    assert raised.value.details["fields"] == dict.fromkeys(
        ("status", "repository", "pipeline", "run_id", "created_at"), "Field required"
    )


def test_a_call_is_signed_or_carries_the_secret() -> None:
    assert is_authentic(b"{}", {"x-signature-256": "sha256=" + hmac_hex(b"{}", SECRET)}, SECRET)
    assert is_authentic(b"{}", {"x-webhook-token": SECRET}, SECRET)
    assert not is_authentic(b"{}", {"x-signature-256": "sha256=0", "x-webhook-token": SECRET}, SECRET)
    assert not is_authentic(b"{}", {}, SECRET)
