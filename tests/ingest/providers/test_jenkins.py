"""Jenkins' payloads: this payload gives these rows."""

import base64

import pytest

from core.errors import BadPayload
from ingest.providers.jenkins.parse import parse, status_of
from ingest.providers.jenkins.webhook import envelope_of, is_authentic
from ingest.providers.proofs import hmac_hex
from tests.ingest.providers.fixtures import only_run, payload, recorded

SECRET = "a-secret-of-the-tests"


def test_the_four_phases_are_one_run() -> None:
    names = ("queued", "started", "completed_failure", "finalized_failure")
    runs = [only_run(parse("build", payload("jenkins", f"notification.{name}"))) for name in names]
    assert len({run.id for run in runs}) == 1
    assert [run.status for run in runs] == ["queued", "running", "failed", "failed"]
    assert [run.version for run in runs] == sorted(run.version for run in runs)
    assert runs[1].started_at == runs[2].started_at
    assert runs[2].started_at
    assert runs[2].finished_at
    assert (runs[2].finished_at - runs[2].started_at).total_seconds() == 60.5


def test_a_job_in_a_folder_is_a_pipeline_of_that_folder() -> None:
    changes = parse("build", payload("jenkins", "notification.completed_failure"))
    assert changes
    [pipeline], run = changes.pipelines, only_run(changes)
    assert (pipeline.repository, pipeline.name, pipeline.workflow_id) == ("shop", "checkout", "shop/checkout")
    assert (run.branch, run.head_sha, run.run_number, run.conclusion) == ("main", "c" * 40, 17, "FAILURE")
    assert run.url == "https://jenkins.example/job/shop/job/checkout/17/"


@pytest.mark.parametrize(
    ("name", "status", "conclusion"), [("unstable", "failed", "UNSTABLE"), ("aborted", "cancelled", "ABORTED")]
)
def test_the_result_keeps_its_word(name: str, status: str, conclusion: str) -> None:
    run = only_run(parse("build", payload("jenkins", f"notification.completed_{name}")))
    assert (run.status, run.conclusion) == (status, conclusion)


def test_what_was_not_built_is_skipped_and_a_pause_is_blocked() -> None:
    assert status_of("COMPLETED", "NOT_BUILT") == "skipped"
    assert status_of("PAUSED", None) == "blocked"
    assert status_of("NONE", None) == "running"


def test_the_branches_of_a_multibranch_project_are_one_pipeline() -> None:
    main = parse("build", payload("jenkins", "step.completed_on_main"))
    other = parse("build", payload("jenkins", "step.completed_on_a_branch"))
    assert main
    assert other
    assert main.pipelines[0].id == other.pipelines[0].id
    assert main.pipelines[0].repository == "acme/shop"
    assert (main.runs[0].branch, other.runs[0].branch) == ("main", "fix/basket")
    assert main.runs[0].run_key != other.runs[0].run_key
    # The build of the primary branch is older, but knows the default branch.
    assert main.pipelines[0].version > other.pipelines[0].version


def test_the_steps_payload_carries_what_the_plugins_lacks() -> None:
    run = only_run(parse("build", payload("jenkins", "step.completed_on_main")))
    assert (run.actor, run.commit_author, run.title) == ("ana", "Ana Example", "Make the basket faster")


def test_a_payload_without_a_time_is_refused_with_the_reason() -> None:
    with pytest.raises(BadPayload, match=r"build.timestamp: Field required"):
        parse("build", {"name": "a", "build": {"number": 1, "phase": "COMPLETED", "status": "FAILURE"}})


def test_events_about_nodes_and_queues_are_not_used() -> None:
    assert parse("org.jenkinsci.node.online", {"nodeName": "a"}) is None


def test_a_signature_is_checked_and_never_made_good_by_a_password() -> None:
    password = {"authorization": "Basic " + base64.b64encode(f"jenkins:{SECRET}".encode()).decode()}
    right = hmac_hex(b"{}", SECRET)
    assert is_authentic(b"{}", {"x-jenkins-signature": right}, SECRET)
    assert is_authentic(b"{}", {"x-jenkins-signature": f"sha256={right}"}, SECRET)
    assert is_authentic(b"{}", password, SECRET)
    assert not is_authentic(b"[]", {"x-jenkins-signature": right} | password, SECRET)
    for authorization in ("", "Basic", "Basic é", "Basic " + base64.b64encode(b"a:b").decode(), f"Bearer {SECRET}"):
        assert not is_authentic(b"{}", {"authorization": authorization}, SECRET)


def test_a_call_without_an_id_is_known_by_its_body() -> None:
    assert envelope_of({}, b"{}").delivery_id != envelope_of({}, b"[]").delivery_id
    assert envelope_of({"ce-type": "org.jenkinsci.job.started", "ce-id": "7"}, b"").delivery_id == "7"


@pytest.mark.parametrize(
    ("name", "sent"), recorded("jenkins/cloudevents/*.json"), ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_recorded_cloudevent_lands_as_it_was_sent(name: str, sent: dict[str, dict[str, object]]) -> None:
    body = sent["body"]
    changes = parse(str(sent["headers"]["ce-type"]), body)
    if "build" not in body:
        assert changes is None
        return
    build = body["build"]
    assert isinstance(build, dict)
    run = only_run(changes)
    assert (run.run_number, run.head_sha, run.branch) == (build["number"], build["scmState"]["commit"], "main")
    assert run.status == ("success" if build["status"] else "running")


@pytest.mark.parametrize(("name", "sent"), recorded("jenkins/notification_plugin/*.json"))
def test_a_recorded_payload_of_a_plugin_that_sends_no_time_is_refused(name: str, sent: dict[str, object]) -> None:
    with pytest.raises(BadPayload, match=r"build.timestamp"):
        parse("build", sent)
