"""GitLab's hooks: this payload gives these rows."""

from datetime import UTC, datetime

import pytest

from core.errors import BadPayload
from ingest.providers.gitlab.parse import parse, status_of
from ingest.providers.gitlab.webhook import Secrets, envelope_of, is_authentic, signature
from tests.ingest.providers.fixtures import only_run, payload, recorded

TOKEN = "a-token-of-the-tests"
SIGNING = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="


def at(minute: int, second: int) -> datetime:
    return datetime(2026, 3, 2, 12, minute, second, tzinfo=UTC)


def test_a_finished_pipeline_is_a_run_with_its_jobs() -> None:
    changes = parse("", payload("gitlab", "pipeline.success_with_an_allowed_failure"))
    assert changes
    [pipeline], run = changes.pipelines, only_run(changes)
    assert (pipeline.id, pipeline.repository, pipeline.default_branch) == ("gl-71-ci", "acme/shop", "main")
    assert (run.run_key, run.run_number, run.status, run.conclusion) == ("gl-71-900", 31, "success", "success")
    assert (run.branch, run.title, run.actor, run.event) == ("main", "Make the basket faster", "ana", "push")
    assert (run.created_at, run.started_at, run.finished_at) == (at(0, 0), at(0, 12), at(6, 30))
    assert [(job.name, job.status, job.conclusion) for job in changes.jobs] == [
        ("unit", "success", "success"),
        ("lint", "failed", "failed (allowed to fail)"),
        ("deploy", "success", "success"),
    ]
    assert changes.jobs[0].labels == "docker, linux"
    assert changes.jobs[0].url == "https://gitlab.example/acme/shop/-/jobs/5001"


def test_a_pipeline_that_waits_for_a_manual_job_is_blocked_and_goes_on() -> None:
    running = only_run(parse("", payload("gitlab", "pipeline.running")))
    manual = only_run(parse("", payload("gitlab", "pipeline.manual")))
    success = only_run(parse("", payload("gitlab", "pipeline.success_with_an_allowed_failure")))
    assert (manual.status, manual.conclusion, manual.finished_at) == ("blocked", "manual", None)
    assert running.version < manual.version < success.version


def test_a_merge_request_from_a_fork_is_not_our_branch() -> None:
    run = only_run(parse("", payload("gitlab", "pipeline.failed_merge_request_from_a_fork")))
    assert (run.branch, run.base_branch, run.is_fork, run.head_repository) == ("basket", "main", True, "project 99")
    assert (run.status, run.title) == ("failed", "A faster basket")


def test_a_child_pipeline_belongs_to_a_workflow_of_its_own() -> None:
    changes = parse("", payload("gitlab", "pipeline.child_failed"))
    assert changes
    assert (changes.pipelines[0].id, changes.pipelines[0].name) == ("gl-71-child", "Child pipelines")


def test_a_job_hook_and_the_pipeline_hook_give_the_same_job() -> None:
    alone = parse("", payload("gitlab", "job.success"))
    within = parse("", payload("gitlab", "pipeline.success_with_an_allowed_failure"))
    assert alone
    assert within
    assert alone.jobs[0] == within.jobs[0]


def test_a_jobs_words_go_forward() -> None:
    versions = [parse("", payload("gitlab", f"job.{word}")) for word in ("pending", "running", "success")]
    assert [changes.jobs[0].version for changes in versions if changes] == sorted(
        changes.jobs[0].version for changes in versions if changes
    )


def test_other_hooks_are_not_used() -> None:
    assert parse("Push Hook", payload("gitlab", "push")) is None


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("created", "queued"), ("waiting_for_resource", "queued"), ("preparing", "queued"), ("pending", "queued"),
        ("scheduled", "queued"), ("running", "running"), ("success", "success"), ("failed", "failed"),
        ("canceled", "cancelled"), ("canceling", "cancelled"), ("skipped", "skipped"), ("manual", "blocked"),
        ("a word of the future", "queued"),
    ],
)  # fmt: skip
def test_every_word_has_its_status(word: str, status: str) -> None:
    assert status_of(word) == status


def test_what_is_missing_is_named() -> None:
    with pytest.raises(BadPayload, match=r"project.id: Field required") as raised:
        parse("", {"object_kind": "pipeline", "object_attributes": {"id": 1, "status": "x"}, "project": {}})
    fields = raised.value.details["fields"]
    assert isinstance(fields, dict)
    assert set(fields) == {"object_attributes.created_at", "project.id", "project.path_with_namespace"}


def test_the_token_is_compared() -> None:
    secret = Secrets(TOKEN, None)
    assert is_authentic(b"{}", {"x-gitlab-token": TOKEN}, secret)
    for given in (None, "", "other", "é", TOKEN + " "):
        assert not is_authentic(b"{}", {} if given is None else {"x-gitlab-token": given}, secret)


def test_a_signature_is_that_of_standard_webhooks() -> None:
    """The reference vector of https://github.com/standard-webhooks/standard-webhooks."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    given = signature(b'{"test": 2432232314}', "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", secret)
    assert given == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_signed_call_must_be_signed_right_even_with_the_right_token_beside_it() -> None:
    secret = Secrets(TOKEN, SIGNING)
    headers = {"webhook-id": "m1", "webhook-timestamp": "1772452800", "x-gitlab-token": TOKEN}
    right = signature(b"{}", "m1", "1772452800", SIGNING)
    assert is_authentic(b"{}", headers | {"webhook-signature": f"v1,other {right}"}, secret)
    assert is_authentic(b"{}", headers, secret)
    assert not is_authentic(b"[]", headers | {"webhook-signature": right}, secret)
    assert not is_authentic(b"{}", {"x-gitlab-token": TOKEN}, Secrets(None, SIGNING))


def test_a_call_is_known_by_its_id_or_by_its_body() -> None:
    assert envelope_of({"idempotency-key": "k", "x-gitlab-event": "Job Hook"}, b"").delivery_id == "k"
    assert envelope_of({}, b"{}").delivery_id.startswith("sha256-")


@pytest.mark.parametrize(
    ("name", "sent"), recorded("gitlab/webhooks_*/*.json"), ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_recorded_hook_lands_as_it_was_sent(name: str, sent: dict[str, object]) -> None:
    changes = parse("", sent)
    match sent["object_kind"]:
        case "pipeline":
            part = sent["object_attributes"]
            assert isinstance(part, dict)
            run = only_run(changes)
            assert changes
            assert (run.run_id, run.conclusion, run.branch, run.head_sha) == (
                str(part["id"]), part["status"], part["ref"], part["sha"],
            )  # fmt: skip
            assert run.finished_at
            assert run.finished_at.strftime("%Y-%m-%d %H:%M:%S UTC") == part["finished_at"]
            builds = sent["builds"]
            assert isinstance(builds, list)
            assert [(job.job_id, job.name) for job in changes.jobs] == [(str(b["id"]), b["name"]) for b in builds]
        case "build":
            assert changes
            [job] = changes.jobs
            assert (job.job_id, job.name) == (str(sent["build_id"]), sent["build_name"])
            assert job.status == status_of(str(sent["build_status"]))
        case _:
            assert changes is None
