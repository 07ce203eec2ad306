"""Answers of GitHub that are rare, odd or none: each costs what it must, and nothing beside it."""

from datetime import timedelta

import duckdb
import pytest

from core.errors import ProviderUnavailable
from ingest.polling.engine import Polling
from ingest.polling.source import LogAddress
from ingest.providers.github import history
from tests import github_routes
from tests.github_routes import Said, error, json
from tests.github_server import GitHubServer, now_to_the_second
from tests.github_truth import Repository
from tests.ingest.polling.conftest import Start, all_read, job_truth, stored, stored_jobs

NOW = now_to_the_second()
RUNS = "/repos/acme/web/actions/runs"


@pytest.fixture
def web(github: GitHubServer) -> Repository:
    return github.add(Repository("acme/web", 1))


def error_of(polling: Polling) -> str:
    return polling.book("github-actions", "acme/web").state.last_error or ""


@pytest.mark.parametrize(
    ("path", "said", "sentence"),
    [
        (RUNS, json({"workflow_runs": {}}), "GitHub's list of the runs of acme/web is none."),
        (RUNS, json([]), "GitHub's list of the runs of acme/web is none."),
        ("/repos/acme/web", json([]), "GitHub answers repos/acme/web with something else than an object."),
        ("/repos/acme/web", error(451, "Blocked"), "GitHub refuses requests about acme/web (451): Blocked"),
    ],
)
def test_an_answer_that_is_no_list_is_told_and_forgotten_with_the_next_good_one(
    github: GitHubServer,
    web: Repository,
    start: Start,
    database: duckdb.DuckDBPyConnection,
    path: str,
    said: Said,
    sentence: str,
) -> None:
    web.add_run(1, NOW)
    github.routes.instead[path] = said
    polling = all_read(start("acme/web"))
    assert error_of(polling) == sentence
    github.routes.instead.clear()
    all_read(polling)
    assert (error_of(polling), stored(database, "acme/web")) == ("", web.truth())


def test_a_run_or_a_job_that_makes_no_sense_costs_nothing_but_itself(
    github: GitHubServer, web: Repository, start: Start, database: duckdb.DuckDBPyConnection
) -> None:
    good = web.add_run(1, NOW - timedelta(hours=1), job_names=("build", "test"))
    good.latest.jobs[0] |= {"run_id": {"no": "number"}}
    bad = web.add_run(2, NOW)
    listed = [web.run_body(good, good.latest), web.run_body(bad, bad.latest) | {"run_number": ["no number"]}]
    github.routes.instead[RUNS] = json({"total_count": 2, "workflow_runs": listed})
    polling = all_read(start("acme/web"))
    assert stored(database, "acme/web") == {("1", 1, "success")}
    assert [name for _, name, _ in stored_jobs(database, "acme/web")] == ["test"]
    assert error_of(polling) == ""


def test_jobs_that_cannot_be_listed_stop_those_of_no_other_run(
    github: GitHubServer, web: Repository, start: Start, database: duckdb.DuckDBPyConnection
) -> None:
    for number in (1, 2, 3):
        web.add_run(number, NOW - timedelta(hours=number))
    github.routes.instead[f"{RUNS}/2/attempts/1/jobs"] = json({"jobs": "none"})
    polling = all_read(start("acme/web"))
    state = polling.book("github-actions", "acme/web").state
    assert state.background_error == "GitHub's list of the jobs of acme/web is none."
    assert stored_jobs(database, "acme/web") == {job for job in job_truth(web) if not job[0].startswith("2")}


def test_a_server_that_always_names_a_next_page_keeps_nobody(
    github: GitHubServer, web: Repository, start: Start, database: duckdb.DuckDBPyConnection
) -> None:
    github.routes.endless = True
    github.routes.organizations.add("acme")
    for number in range(120):
        web.add_run(1000 + number, NOW - timedelta(days=3, minutes=number))
    all_read(start("acme/*"))
    assert stored(database, "acme/web") == web.truth()
    assert stored_jobs(database, "acme/web") == job_truth(web)


@pytest.fixture
def short_listings(monkeypatch: pytest.MonkeyPatch) -> None:
    """GitHub's listings end after 200 results, not after 1,000."""
    monkeypatch.setattr(github_routes, "MOST_RESULTS", 200)
    monkeypatch.setattr(history, "MOST_RESULTS", 200)


@pytest.mark.usefixtures("short_listings")
def test_a_rerun_on_a_later_page_of_a_crowded_window_is_seen_for_free_requests(
    github: GitHubServer, web: Repository, start: Start, database: duckdb.DuckDBPyConnection
) -> None:
    """Every page before it is unchanged, and so has no body to tell of what follows."""
    for number in range(300):
        web.add_run(1000 + number, NOW - timedelta(days=3, seconds=number), job_names=())
    polling = all_read(start("acme/web", poll_interval_seconds=0.001))
    assert stored(database, "acme/web") == web.truth()
    web.rerun(1000 + 290, NOW, "failure")
    github.forget_requests()
    all_read(polling)
    assert stored(database, "acme/web") == web.truth()
    assert github.points < 6, "one changed page, the attempts of one run, and its jobs"


@pytest.mark.usefixtures("short_listings")
def test_of_a_second_with_more_runs_than_a_listing_shows_all_that_is_shown_is_stored(
    web: Repository, start: Start, database: duckdb.DuckDBPyConnection
) -> None:
    for number in range(230):
        web.add_run(1000 + number, NOW - timedelta(days=3), job_names=())
    web.add_run(1, NOW - timedelta(days=5), job_names=())
    all_read(start("acme/web"))
    found = stored(database, "acme/web")
    assert len(found) == 201
    assert ("1", 1, "success") in found


@pytest.mark.parametrize(
    ("own", "zipped", "result"),
    [(410, None, "expired"), (404, 410, "expired"), (404, None, "missing"), (403, None, 403), (404, 403, 403)],
)
def test_a_log_is_expired_missing_or_refused_as_github_says(
    web: Repository, start: Start, own: int, zipped: int | None, result: str | int
) -> None:
    web.add_run(7, NOW)
    web.logs[7300] = own
    if zipped:
        web.zips[7, 1] = zipped
    polling = start("acme/web")
    reading = polling.sources["github-actions"].read_log(LogAddress("acme/web", "7", 1, "7300", "test"), bytes)
    if result == 403:
        with pytest.raises(ProviderUnavailable, match="Actions: read"):
            polling.run(reading)
    else:
        assert polling.run(reading) == result


def listed(polling: Polling) -> tuple[str, ...]:
    """The owner's repositories, asked for although it may not be time."""
    source = polling.sources["github-actions"]
    source._expansion._asked_at.clear()  # type: ignore[attr-defined]
    return polling.run(source.targets()).repositories


def test_a_new_repository_of_a_long_list_is_found_and_unchanged_pages_are_free(
    github: GitHubServer, start: Start
) -> None:
    for number in range(100):
        github.add(Repository(f"ana/r{number:03}", number + 1))
    polling = start("ana/*")
    assert len(listed(polling)) == 100
    github.add(Repository("ana/r100", 101))
    assert len(listed(polling)) == 101
    github.forget_requests()
    assert len(listed(polling)) == 101
    assert github.points == 0


def test_a_token_that_may_not_tell_its_owner_is_asked_once(github: GitHubServer, start: Start) -> None:
    github.add(Repository("ana/web", 1))
    github.routes.instead["/user/repos"] = error(403, "Resource not accessible by integration")
    polling = start("ana/*")
    assert listed(polling) == ("ana/web",)
    github.forget_requests()
    assert listed(polling) == ("ana/web",)
    assert [request for request in github.requests if request.startswith("/user/repos")] == []


def test_an_owner_whose_list_is_refused_keeps_what_is_known(github: GitHubServer, start: Start) -> None:
    github.routes.organizations.add("acme")
    github.add(Repository("acme/web", 1))
    polling = all_read(start("acme/*"))
    github.routes.instead["/orgs/acme/repos"] = error(403, "Resource protected by organization SAML enforcement")
    assert listed(polling) == ("acme/web",)
    all_read(polling)
    assert "SAML" in (polling.book("github-actions", "acme/*").state.last_error or "")
    github.routes.instead.clear()
    assert polling.run(polling.sources["github-actions"].targets()).problems == {}
