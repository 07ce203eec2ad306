import pytest

from core.errors import BadPayload
from core.model import Status
from ingest.providers.github.parse import parse, status_of
from tests.builders import NOON, job_payload, moment, repository, run_payload


@pytest.mark.parametrize(
    ("status", "conclusion", "expected"),
    [
        ("queued", None, "queued"),
        ("requested", None, "queued"),
        ("waiting", None, "queued"),
        ("pending", None, "queued"),
        ("in_progress", None, "running"),
        ("completed", "success", "success"),
        ("completed", "failure", "failed"),
        ("completed", "timed_out", "failed"),
        ("completed", "startup_failure", "failed"),
        ("completed", "cancelled", "cancelled"),
        ("completed", "skipped", "skipped"),
        ("completed", "neutral", "skipped"),
        ("completed", "stale", "skipped"),
        ("completed", "action_required", "blocked"),
        ("completed", "of the future", "skipped"),
    ],
)
def test_githubs_words_become_the_one_vocabulary(status: str, conclusion: str | None, expected: Status) -> None:
    assert status_of(status, conclusion) == expected


def test_a_run_carries_what_the_pages_show() -> None:
    changes = parse("workflow_run", run_payload(conclusion="timed_out"))
    assert changes
    [run], [pipeline] = changes.runs, changes.pipelines
    assert (run.status, run.conclusion, run.commit_author, run.actor) == ("failed", "timed_out", "Ana Example", "ana")
    assert (pipeline.repository, pipeline.name, pipeline.default_branch) == ("acme/web", "CI", "main")
    assert run.finished_at == run.updated_at
    assert not run.is_fork


def test_an_unfinished_run_has_no_finish() -> None:
    changes = parse("workflow_run", run_payload(status="in_progress", conclusion=None))
    assert changes
    assert changes.runs[0].finished_at is None


def test_a_missing_commit_leaves_its_fields_empty() -> None:
    changes = parse("workflow_run", run_payload(head_commit=None))
    assert changes
    assert changes.runs[0].commit_message is None


def test_a_deleted_fork_is_not_our_branch() -> None:
    changes = parse("workflow_run", run_payload(head_repository=None))
    assert changes
    assert changes.runs[0].is_fork


def test_a_fork_with_our_branch_name_is_a_fork() -> None:
    changes = parse("workflow_run", run_payload(head_repository={"id": 99, "full_name": "mallory/web"}))
    assert changes
    assert changes.runs[0].is_fork
    assert changes.runs[0].head_repository == "mallory/web"


def test_an_old_server_that_sends_no_attempt_means_the_first() -> None:
    payload = run_payload()
    del payload["workflow_run"]["run_attempt"]
    changes = parse("workflow_run", payload)
    assert changes
    assert changes.runs[0].run_attempt == 1


@pytest.mark.parametrize(
    "written", ["2026-03-02T13:01:00+01:00", "2026-03-02T12:01:00.0000000Z", "2026-03-02 12:01:00", 1772452860]
)
def test_every_way_to_write_a_moment_is_understood(written: object) -> None:
    changes = parse("workflow_run", run_payload(updated_at=written))
    assert changes
    assert changes.runs[0].updated_at.isoformat() == "2026-03-02T12:01:00+00:00"


def test_a_rename_keeps_the_pipeline() -> None:
    before = parse("workflow_run", run_payload())
    after = parse("workflow_run", run_payload(workflow="Build", repo=repository("acme/shop")))
    assert before
    assert after
    assert before.pipelines[0].id == after.pipelines[0].id


def test_a_job_names_its_attempt_and_its_steps() -> None:
    changes = parse("workflow_job", job_payload(attempt=2))
    assert changes
    assert changes.jobs[0].attempt_id == "gh-10-1000-2"
    assert [step.number for step in changes.steps] == [1]


def test_githubs_year_one_means_not_yet() -> None:
    payload = job_payload()
    payload["workflow_job"]["started_at"] = "0001-01-01T00:00:00Z"
    changes = parse("workflow_job", payload)
    assert changes
    assert changes.jobs[0].started_at is None


@pytest.mark.parametrize("event", ["ping", "push", "check_run", "workflow_dispatch", "unheard_of"])
def test_other_events_are_not_used(event: str) -> None:
    assert parse(event, {"zen": "Keep it logically awesome."}) is None


def test_what_cannot_be_understood_names_its_fields() -> None:
    payload = run_payload(id="seven", updated_at=None)
    with pytest.raises(BadPayload) as caught:
        parse("workflow_run", payload)
    assert set(caught.value.details["fields"]) == {"workflow_run.id", "workflow_run.updated_at"}  # type: ignore[call-overload]


def test_the_versions_of_an_attempt_grow_with_its_state_not_with_the_clock() -> None:
    late_start = parse("workflow_run", run_payload(status="in_progress", conclusion=None, updated=500))
    end = parse("workflow_run", run_payload(updated=60))
    assert late_start
    assert end
    assert end.runs[0].version > late_start.runs[0].version
    assert moment(0) == NOON.strftime("%Y-%m-%dT%H:%M:%SZ")
