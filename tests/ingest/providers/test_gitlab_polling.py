"""However GitLab behaves, the database ends up equal to its truth, and equal to what its hooks say."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from core.errors import ProviderUnavailable
from ingest.polling.engine import Polling
from ingest.polling.source import LogAddress
from ingest.providers.gitlab import pipelines
from ingest.providers.gitlab.parse import parse
from ingest.providers.gitlab.rest import Whole, changes_of, job_changes
from tests.github_server import now_to_the_second
from tests.gitlab_server import TOKEN, GitLabServer
from tests.gitlab_truth import Job, Project, busy_project
from tests.ingest.providers.conftest import Keep, Poller, Rows
from tests.ingest.providers.fixtures import only_run, recorded

NOW = now_to_the_second()
RUNS = "SELECT run_id, conclusion FROM attempts WHERE repository = '{}'"
JOBS = (
    "SELECT j.job_id, a.run_id, j.name FROM jobs AS j JOIN attempts AS a ON a.id = j.attempt_id WHERE repository = '{}'"
)


@pytest.fixture
def gitlab() -> Iterator[GitLabServer]:
    with GitLabServer().running() as server:
        yield server


@pytest.fixture
def start(gitlab: GitLabServer, poller: Poller) -> Poller:
    return lambda projects, **more: poller(
        **{"gitlab_url": gitlab.url, "gitlab_token": TOKEN, "gitlab_projects": projects} | more
    )


def polled(polling: Polling) -> Polling:
    polling.round()
    polling.drain()
    return polling


def error_of(polling: Polling, project: str) -> str | None:
    return polling.book("gitlab", project).state.last_error


@pytest.mark.parametrize("has_keyset", [True, False])
def test_a_history_with_retries_and_children_arrives_whole_through_faults(
    gitlab: GitLabServer, start: Poller, rows: Rows, has_keyset: bool
) -> None:
    gitlab.fault_every, gitlab.has_keyset = 17, has_keyset
    web, api = gitlab.add(busy_project("acme/web", 1, 320, NOW)), gitlab.add(busy_project("acme/deep/api", 2, 60, NOW))
    polled(start("acme/*"))
    for project in (web, api):
        assert rows(RUNS.format(project.path)) == project.truth()
        assert rows(JOBS.format(project.path)) == project.true_jobs()


def test_a_project_where_nothing_happens_costs_two_requests(gitlab: GitLabServer, start: Poller) -> None:
    gitlab.add(busy_project("acme/web", 1, 30, NOW - timedelta(days=2)))
    polling = polled(start("acme/web"))
    gitlab.requests.clear()
    polled(polling)
    assert len(gitlab.requests) == 2


def test_what_happens_later_is_seen_and_what_runs_is_followed(gitlab: GitLabServer, start: Poller, rows: Rows) -> None:
    web = gitlab.add(Project("acme/web", 1))
    web.add(1, NOW - timedelta(days=3), status="failed")
    running = web.add(2, NOW, status="running")
    polling = polled(start("acme/web"))
    assert rows("SELECT run_id, status FROM runs") == {("1", "failed"), ("2", "running")}
    # A job moves on without its pipeline; an old pipeline is retried; a new one begins.
    running.jobs[0].status = "success"
    web.retry(1, "unit", NOW)
    web.add(3, NOW, status="manual")
    polled(polling)
    assert rows(RUNS.format("acme/web")) == web.truth()
    assert rows("SELECT job_id, status FROM jobs WHERE job_id IN ('100', '101', '200')") == {
        ("100", "failed"), ("101", "success"), ("200", "success"),
    }  # fmt: skip
    assert rows("SELECT run_id, status FROM runs WHERE run_id <> '2'") == {("1", "success"), ("3", "blocked")}


def test_a_pipeline_that_is_deleted_while_it_runs_ends(gitlab: GitLabServer, start: Poller, rows: Rows) -> None:
    web = gitlab.add(Project("acme/web", 1))
    web.add(2, NOW, status="running")
    polling = polled(start("acme/web"))
    del web.pipelines[2]
    polled(polling)
    assert rows("SELECT status, conclusion FROM runs") == {("skipped", "deleted")}


@pytest.mark.parametrize("hook_first", [True, False])
def test_a_hook_and_a_poll_of_one_pipeline_give_one_row_each(
    gitlab: GitLabServer, start: Poller, rows: Rows, keep: Keep, hook_first: bool
) -> None:
    web = gitlab.add(Project("acme/web", 1))
    pipeline = web.add(7, NOW - timedelta(hours=1), jobs=("unit", "lint"))
    hook = parse("Pipeline Hook", web.hook(pipeline))
    if hook_first:
        keep(hook)
    polled(start("acme/web"))
    if not hook_first:
        keep(hook)
    assert rows("SELECT id, name, repository FROM pipelines") == {("gl-1-ci", "Pipeline", "acme/web")}
    assert rows("SELECT id, status, branch, title, actor, commit_author FROM runs") == {
        ("gl-1-7-1", "success", "main", "A change", "ana", "Ana Example")
    }
    assert rows("SELECT id, name FROM jobs") == {("gl-1-j700", "unit"), ("gl-1-j701", "lint")}
    assert rows("SELECT duration_seconds FROM runs") == {(88,)}


def test_a_merge_requests_pipeline_names_its_branches(gitlab: GitLabServer, start: Poller, rows: Rows) -> None:
    web = gitlab.add(Project("acme/web", 1))
    web.add(7, NOW, source="merge_request_event", ref="refs/merge-requests/12/head")
    web.add(8, NOW, source="merge_request_event", ref="refs/merge-requests/13/merge")
    web.requests[12] = {
        "iid": 12, "title": "A faster basket", "source_branch": "basket", "target_branch": "main",
        "source_project_id": 99, "target_project_id": 1,
    }  # fmt: skip
    polled(start("acme/web"))
    assert rows("SELECT run_id, branch, base_branch, title, is_fork FROM runs") == {
        ("7", "basket", "main", "A faster basket", True),
        ("8", "refs/merge-requests/13/merge", None, "A change", False),
    }


def test_a_merge_request_is_asked_for_once(gitlab: GitLabServer, start: Poller, rows: Rows) -> None:
    web = gitlab.add(Project("acme/web", 1))
    web.requests[12] = {"iid": 12, "title": "A faster basket", "source_branch": "basket", "target_branch": "main"}
    polling = start("acme/web")
    for number in (7, 8):
        web.add(number, NOW, source="merge_request_event", ref="refs/merge-requests/12/head")
        polled(polling)
    assert rows("SELECT run_id, branch FROM runs") == {("7", "basket"), ("8", "basket")}
    assert sum("merge_requests" in request for request in gitlab.requests) == 1


def test_a_list_of_jobs_that_is_refused_is_told_and_read_later(gitlab: GitLabServer, start: Poller, rows: Rows) -> None:
    web = gitlab.add(busy_project("acme/web", 1, 150, NOW))
    jobs = "/api/v4/projects/1/jobs"
    gitlab.instead[jobs] = (403, {"message": "403 Forbidden"})
    polling = polled(start("acme/web"))
    assert "read_api" in (polling.book("gitlab", "acme/web").state.background_error or "")
    del gitlab.instead[jobs]
    polled(polling)
    assert polling.book("gitlab", "acme/web").state.background_error is None
    assert rows(JOBS.format("acme/web")) == web.true_jobs()


def test_a_bridge_leads_to_the_pipeline_that_it_started(gitlab: GitLabServer, start: Poller, rows: Rows) -> None:
    web = gitlab.add(Project("acme/web", 1))
    child = web.add(8, NOW, source="parent_pipeline", status="failed")
    address = web.listed(child)["web_url"]
    web.add(7, NOW).jobs.append(Job(750, "deploy", "failed", NOW, downstream={"id": 8, "web_url": address}))
    polled(start("acme/web"))
    assert rows("SELECT name, url FROM jobs WHERE job_id = '750'") == {("deploy", address)}
    assert rows("SELECT run_id, pipeline FROM runs") == {("7", "Pipeline"), ("8", "Child pipelines")}


def test_a_backfill_that_was_killed_goes_on_where_it_was(gitlab: GitLabServer, start: Poller, rows: Rows) -> None:
    web = gitlab.add(busy_project("acme/web", 1, 150, NOW))
    first = start("acme/web")
    first.round()
    first.stop()
    polled(start("acme/web"))
    assert rows(RUNS.format("acme/web")) == web.truth()
    assert rows(JOBS.format("acme/web")) == web.true_jobs()


def test_what_is_wrong_is_told_in_a_sentence(gitlab: GitLabServer, start: Poller) -> None:
    gitlab.add(Project("acme/web", 1))
    assert "Set a new GITLAB_TOKEN" in (error_of(polled(start("acme/web", gitlab_token="wrong")), "acme/web") or "")
    polling = polled(start("acme/web,acme/none,none/*"))
    assert "GitLab knows no acme/none" in (error_of(polling, "acme/none") or "")
    assert "GitLab knows no none" in (error_of(polling, "none/*") or "")
    assert error_of(polling, "acme/web") is None
    gitlab.refuse = 403
    assert "read_api" in (error_of(polled(polling), "acme/web") or "")


def test_a_limit_is_waited_for(gitlab: GitLabServer, start: Poller, rows: Rows) -> None:
    gitlab.too_many = 1
    gitlab.add(Project("acme/web", 1)).add(1, NOW)
    polled(start("acme/web"))
    assert rows("SELECT run_id FROM runs") == {("1",)}


def test_projects_without_pipelines_are_left_alone(gitlab: GitLabServer, start: Poller) -> None:
    gitlab.add(Project("acme/web", 1))
    gitlab.add(Project("acme/docs", 2, builds_access_level="disabled"))
    assert polled(start("acme/*")).repositories("gitlab") == ["acme/web"]


def test_a_trace_comes_from_the_object_store_which_never_sees_the_token(gitlab: GitLabServer, start: Poller) -> None:
    web = gitlab.add(Project("acme/web", 1))
    web.traces |= {100: b"section_start:1:build\r\x1b[0KBuild\nmake\nsection_end:2:build\r\x1b[0K\n", 101: b""}
    source = polled(start("acme/web")).sources["gitlab"]
    text: list[bytes] = []

    def log_of(job: int) -> tuple[str, bytes]:
        text.clear()
        status = polling.run(source.read_log(LogAddress("acme/web", "1", 1, str(job), "test"), text.append))
        return status, b"".join(text)

    polling = start("acme/web")
    source = polling.sources["gitlab"]
    assert log_of(100) == ("kept", b"##[group]Build\nmake\n##[endgroup]\n")
    assert log_of(101)[0] == "missing"
    assert log_of(102)[0] == "missing"
    assert gitlab.storage_headers
    assert not any({"authorization", "private-token"} & set(headers) for headers in gitlab.storage_headers)


def test_a_trace_that_is_refused_is_no_missing_one(gitlab: GitLabServer, start: Poller) -> None:
    gitlab.add(Project("acme/web", 1))
    polling = polled(start("acme/web"))
    gitlab.refuse = 403
    with pytest.raises(ProviderUnavailable, match="read_api"):
        polling.run(polling.sources["gitlab"].read_log(LogAddress("acme/web", "1", 1, "100", "test"), bytes))


@pytest.mark.parametrize(
    ("path", "said", "error"),
    [
        ("/api/v4/projects/1/pipelines/2", (403, {"message": "403 Forbidden"}), "read_api"),
        ("/api/v4/projects/1/pipelines/2", (200, ["no pipeline"]), "isn't what it should be"),
        ("/api/v4/projects/1/merge_requests/12", (403, {"message": "403 Forbidden"}), "read_api"),
        ("/api/v4/projects/1/pipelines/2", (200, {"id": 2, "status": "success"}), None),
    ],
)
def test_a_pipeline_that_cannot_be_read_stops_no_other(
    gitlab: GitLabServer, start: Poller, rows: Rows, path: str, said: tuple[int, Any], error: str | None
) -> None:
    web = gitlab.add(Project("acme/web", 1))
    for number in (1, 2, 3):
        web.add(number, NOW - timedelta(minutes=number), ref="refs/merge-requests/12/head" if number == 2 else "main")
    web.pipelines[2].source = "merge_request_event"
    gitlab.instead[path] = said
    polling = polled(start("acme/web"))
    assert {run for (run,) in rows("SELECT run_id FROM runs")} == {"1", "3"}
    told = error_of(polling, "acme/web")
    assert error in told if error and told else told == error
    gitlab.instead.clear()
    web.pipelines[2].updated = NOW
    polled(polling)
    assert {run for (run,) in rows("SELECT run_id FROM runs")} == {"1", "2", "3"}
    assert error_of(polling, "acme/web") is None


def test_more_changes_than_a_page_holds_are_all_seen(gitlab: GitLabServer, start: Poller, rows: Rows) -> None:
    web = gitlab.add(Project("acme/web", 1))
    web.add(1, NOW - timedelta(hours=9))
    polling = polled(start("acme/web"))
    for number in range(2, 132):
        web.add(number, NOW - timedelta(minutes=number))
    polled(polling)
    assert rows(RUNS.format("acme/web")) == web.truth()


def test_what_waits_for_a_person_is_looked_at_now_and_then(gitlab: GitLabServer, start: Poller, rows: Rows) -> None:
    web = gitlab.add(Project("acme/web", 1))
    web.add(1, NOW - timedelta(hours=1), status="manual")
    polling = polled(start("acme/web", poll_interval_seconds=0.001))
    assert rows("SELECT status FROM runs") == {("blocked",)}
    del web.pipelines[1]
    polled(polling)
    assert rows("SELECT status, conclusion FROM runs") == {("skipped", "deleted")}


def test_what_is_remembered_is_bounded_and_forgetting_costs_requests_only(
    gitlab: GitLabServer, start: Poller, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipelines, "MOST_REMEMBERED", 3)
    web = gitlab.add(busy_project("acme/web", 1, 20, NOW))
    polling = polled(start("acme/web"))
    source: Any = polling.sources["gitlab"]
    assert len(source._pipelines._read_at) == 3
    web.add(1000, NOW)
    polled(polling)
    assert rows(RUNS.format("acme/web")) == web.truth()


# What real servers answered.

PROJECT = {"id": 12345678, "path_with_namespace": "acme/web", "web_url": None, "default_branch": "main"}


def recorded_rows(name: str) -> list[dict[str, Any]]:
    return [row["data"] for _, row in recorded(f"gitlab/devlake_{name}.jsonl")]


@pytest.mark.parametrize("sent", recorded_rows("pipeline_details") + recorded_rows("pipelines"))
def test_a_recorded_pipeline_lands_as_it_was_told(sent: dict[str, Any]) -> None:
    run = only_run(changes_of(PROJECT, Whole(sent)))
    word = sent["status"] if run.status in ("success", "failed", "cancelled", "skipped", "blocked") else None
    assert (run.run_id, run.run_number, run.conclusion) == (str(sent["id"]), sent["iid"], word)
    if sent.get("finished_at"):
        assert run.finished_at
        assert run.finished_at.isoformat(timespec="milliseconds").replace("+00:00", "Z") == sent["finished_at"]


@pytest.mark.parametrize("sent", recorded_rows("jobs") + recorded_rows("trigger_jobs"))
def test_a_recorded_job_lands_as_it_was_told(sent: dict[str, Any]) -> None:
    [job] = job_changes(PROJECT, [sent]).jobs
    assert (job.job_id, job.name, job.url) == (str(sent["id"]), sent["name"], sent["web_url"])
    assert job.attempt_id.endswith(f"-{sent['pipeline']['id']}-1")


def test_our_server_answers_in_the_words_of_recorded_ones() -> None:
    project = Project("acme/web", 1)
    pipeline = project.add(1, NOW)
    for name, body in (
        ("pipelines", project.listed(pipeline)),
        ("pipeline_details", project.detail(pipeline)),
        ("jobs", project.job(pipeline, pipeline.jobs[0])),
    ):
        for sent in recorded_rows(name):
            assert set(sent) - set(body) == set(), name
