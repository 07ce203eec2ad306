"""However GitHub behaves, the database ends up equal to its truth."""

from datetime import timedelta

import duckdb

from tests.github_server import GitHubServer, now_to_the_second
from tests.github_truth import Repository, busy_repository
from tests.ingest.polling.conftest import Start, stored


def test_two_busy_repositories_with_a_fault_in_every_17th_request(
    github: GitHubServer, start: Start, database: duckdb.DuckDBPyConnection
) -> None:
    now = now_to_the_second()
    github.fault_every = 17
    web = github.add(busy_repository("acme/web", 1, 2100, now))
    api = github.add(busy_repository("acme/api", 2, 150, now))
    polling = start("acme/web,acme/api")
    polling.round()
    polling.drain()
    assert stored(database, "acme/web") == web.truth()
    assert stored(database, "acme/api") == api.truth()
    jobs = database.cursor().execute("SELECT count(*) FROM jobs").fetchone()
    wanted = sum(len(one.jobs) for repo in (web, api) for run in repo.runs.values() for one in run.attempts)
    assert jobs == (wanted,)


def test_fifty_quiet_repositories_cost_no_points(github: GitHubServer, start: Start) -> None:
    now = now_to_the_second()
    for number in range(50):
        repository = github.add(Repository(f"acme/r{number}", number + 1))
        repository.add_run(number + 1000, now - timedelta(days=3))
    polling = start("acme/*")
    polling.round()
    polling.drain()
    github.forget_requests()
    polling.round()
    polling.drain()
    assert github.points == 0
    assert len(github.requests) == 50
    after_restart = start("acme/*")
    github.forget_requests()
    after_restart.round()
    after_restart.drain()
    assert github.points == 3, "the listing of the owner's repositories"


def test_a_rerun_of_an_old_run_is_seen(github: GitHubServer, start: Start, database: duckdb.DuckDBPyConnection) -> None:
    now = now_to_the_second()
    web = github.add(busy_repository("acme/web", 1, 300, now))
    old = min(web.runs.values(), key=lambda run: run.created)
    polling = start("acme/web", poll_interval_seconds=0.001)
    polling.round()
    polling.drain()
    github.forget_requests()
    web.rerun(old.id, now, "failure")
    polling.round()
    polling.drain()
    assert stored(database, "acme/web") == web.truth()
    assert github.points < 5
