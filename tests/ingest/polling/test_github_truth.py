"""However GitHub behaves, the database ends up equal to its truth."""

from datetime import datetime, timedelta

import duckdb
import pytest

from ingest.providers.github import attempts
from tests.conftest import wait_for
from tests.github_routes import error
from tests.github_server import FAULTS, GitHubServer, now_to_the_second
from tests.github_truth import Repository, busy_repository
from tests.ingest.polling.conftest import Start, all_read, job_truth, stored, stored_jobs


def more_than_a_page(github: GitHubServer, now: datetime) -> Repository:
    """120 runs, of which 100 to 199 are on the first page of the list and 200 to 219 behind it."""
    web = github.add(Repository("acme/web", 1))
    for number in range(120):
        web.add_run(100 + number, now - timedelta(minutes=number), job_names=())
    return web


def test_two_busy_repositories_with_a_fault_in_every_17th_request(
    github: GitHubServer, start: Start, database: duckdb.DuckDBPyConnection
) -> None:
    """One of them has more runs on a day than a listing shows; all kinds of faults come up."""
    now = now_to_the_second()
    github.fault_every = 17
    web = github.add(busy_repository("acme/web", 1, 1100, now, burst=0.95))
    api = github.add(busy_repository("acme/api", 2, 100, now))
    all_read(start("acme/web,acme/api"))
    assert github.faults.keys() == set(FAULTS)
    assert not github.routes.violations
    for repository in (web, api):
        assert stored(database, repository.name) == repository.truth()
        assert stored_jobs(database, repository.name) == job_truth(repository)


def test_a_kill_in_the_middle_of_a_window_loses_nothing(
    github: GitHubServer, start: Start, database: duckdb.DuckDBPyConnection
) -> None:
    """The second page is stored with its ETag when the third fails: unchanged later, it is not the last one."""
    now = now_to_the_second()
    web = github.add(Repository("acme/web", 1))
    for number in range(450):
        web.add_run(1000 + number, now - timedelta(days=3, seconds=number), job_names=())
    first = start("acme/web")
    github.routes.refuse_page = 3
    all_read(first)
    assert len(stored(database, "acme/web")) < 450
    assert "500" in (first.book("github-actions", "acme/web").state.background_error or "")
    first.stop()
    github.routes.refuse_page = None
    all_read(start("acme/web"))
    assert stored(database, "acme/web") == web.truth()


def test_a_rerun_of_an_old_run_is_seen(github: GitHubServer, start: Start, database: duckdb.DuckDBPyConnection) -> None:
    now = now_to_the_second()
    web = github.add(busy_repository("acme/web", 1, 200, now))
    old = min(web.runs.values(), key=lambda run: run.created)
    polling = all_read(start("acme/web", poll_interval_seconds=0.001))
    github.forget_requests()
    web.rerun(old.id, now, "failure")
    all_read(polling)
    assert stored(database, "acme/web") == web.truth()
    assert github.points < 5


def test_a_run_in_progress_is_followed_to_its_end_and_a_deleted_one_is_let_go(
    github: GitHubServer, start: Start, database: duckdb.DuckDBPyConnection
) -> None:
    now = now_to_the_second()
    web = more_than_a_page(github, now)
    running, deleted = 219, 218  # behind the first page
    for run_id in (running, deleted):
        web.runs[run_id].latest.status, web.runs[run_id].latest.conclusion = "in_progress", None
    polling = all_read(start("acme/web"))
    web.finish(running, now, "failure")
    del web.runs[deleted]
    all_read(polling)
    found = {(run, conclusion) for run, _, conclusion in stored(database, "acme/web")}
    assert (str(running), "failure") in found
    assert (str(deleted), "deleted") in found
    assert len(found) == 120


def test_what_came_while_the_service_was_away_is_read_however_much_it_is(
    github: GitHubServer, start: Start, database: duckdb.DuckDBPyConnection
) -> None:
    now = now_to_the_second()
    web = github.add(Repository("acme/web", 1))
    web.add_run(1, now - timedelta(days=4), job_names=())
    first = all_read(start("acme/web"))
    first.stop()
    for number in range(350):
        web.add_run(1000 + number, now - timedelta(minutes=10 * number), job_names=())
    all_read(start("acme/web"))
    assert stored(database, "acme/web") == web.truth()


def test_a_page_that_comes_short_is_not_taken_for_the_last_one(
    github: GitHubServer, start: Start, database: duckdb.DuckDBPyConnection
) -> None:
    now = now_to_the_second()
    web = github.add(Repository("acme/web", 1))
    for number in range(250):
        web.add_run(1000 + number, now - timedelta(days=1, minutes=number), job_names=())
    github.routes.hidden = 1000
    all_read(start("acme/web"))
    assert stored(database, "acme/web") == {row for row in web.truth() if row[0] != "1000"}


def test_more_jobs_than_a_page_holds(github: GitHubServer, start: Start, database: duckdb.DuckDBPyConnection) -> None:
    web = github.add(Repository("acme/web", 1))
    web.add_run(7, now_to_the_second(), job_names=tuple(f"job {number}" for number in range(250)))
    all_read(start("acme/web"))
    assert stored_jobs(database, "acme/web") == job_truth(web)


def test_a_renamed_repository_stays_one_repository(
    github: GitHubServer, start: Start, database: duckdb.DuckDBPyConnection
) -> None:
    now = now_to_the_second()
    web = github.add(Repository("acme/web", 1))
    web.add_run(1, now - timedelta(hours=2))
    polling = all_read(start("acme/web"))
    del github.repositories["acme/web"]
    web.name = "acme/site"
    github.add(web)
    github.routes.renamed["acme/web"] = "acme/site"
    web.add_run(2, now)
    all_read(polling)
    assert stored(database, "acme/site") == web.truth()
    github.forget_requests()
    all_read(polling)
    assert github.points == 0, "asked for by its new name, it redirects no more"


def test_a_poll_sees_the_jobs_of_a_finished_run_at_once(
    github: GitHubServer, start: Start, database: duckdb.DuckDBPyConnection
) -> None:
    now = now_to_the_second()
    web = github.add(Repository("acme/web", 1))
    web.add_run(1, now - timedelta(hours=2))
    polling = all_read(start("acme/web"))
    web.add_run(2, now)
    polling.round()
    assert stored_jobs(database, "acme/web") == job_truth(web)


def test_what_runs_behind_the_first_page_is_asked_for_by_its_attempt_and_unchanged_answers_are_free(
    github: GitHubServer, start: Start, database: duckdb.DuckDBPyConnection
) -> None:
    now = now_to_the_second()
    web = more_than_a_page(github, now)
    run, first = web.runs[219], web.runs[219].latest
    first.status, first.conclusion = "in_progress", None
    polling = all_read(all_read(start("acme/web")))
    github.forget_requests()
    all_read(polling)
    assert ("/repos/acme/web/actions/runs/219" in github.requests, github.points) == (True, 0)
    # Somebody ran it again before we saw its end.
    first.status, first.conclusion = "completed", "cancelled"
    web.rerun(219, now, None)
    run.latest.status = "in_progress"
    run.latest.jobs = []
    all_read(polling)
    all_read(polling)
    assert {found for found in stored(database, "acme/web") if found[0] == "219"} == {
        ("219", 1, "cancelled"), ("219", 2, None)
    }  # fmt: skip
    github.routes.instead["/repos/acme/web/actions/runs/219"] = error(403, "Resource not accessible")
    all_read(polling)
    assert "Actions: read" in (polling.book("github-actions", "acme/web").state.last_error or "")


def test_jobs_that_lag_behind_their_run_are_asked_for_again_later(
    github: GitHubServer, start: Start, database: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "ASK_AGAIN", timedelta(seconds=0.2))
    web = github.add(Repository("acme/web", 1))
    run = web.add_run(1, now_to_the_second())
    job = run.latest.jobs[0]
    ended = {key: job[key] for key in ("status", "conclusion", "completed_at")}
    job |= {"status": "in_progress", "conclusion": None, "completed_at": None}
    polling = all_read(start("acme/web"))
    assert stored_jobs(database, "acme/web") == {(str(job["id"]), "test", None)}
    job |= ended
    found = {(str(job["id"]), "test", "success")}
    wait_for(lambda: stored_jobs(database, "acme/web") == found or not all_read(polling), "the job's end")


def test_an_earlier_attempt_that_is_refused_is_told(
    github: GitHubServer, start: Start, database: duckdb.DuckDBPyConnection
) -> None:
    web = github.add(Repository("acme/web", 1))
    web.add_run(1, now_to_the_second() - timedelta(hours=2))
    web.rerun(1, now_to_the_second() - timedelta(hours=1))
    github.routes.instead["/repos/acme/web/actions/runs/1/attempts/1"] = error(403, "Resource not accessible")
    polling = all_read(start("acme/web"))
    assert "Actions: read" in (polling.book("github-actions", "acme/web").state.background_error or "")
    assert stored(database, "acme/web") == {("1", 2, "success")}
