"""GitHub's limits, refusals and tokens: nothing is asked for in vain, and nobody stops the others."""

import time
from datetime import timedelta

import duckdb
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from ingest.polling.budget import FIRST_PAUSE, Budget
from tests.github_routes import error
from tests.github_server import GitHubServer, now_to_the_second
from tests.github_truth import Repository, busy_repository
from tests.ingest.polling.conftest import Start, all_read, stored


def test_fifty_quiet_repositories_cost_no_points(github: GitHubServer, start: Start) -> None:
    now = now_to_the_second()
    github.routes.organizations.add("acme")
    for number in range(50):
        github.add(Repository(f"acme/r{number}", number + 1)).add_run(number + 1000, now - timedelta(days=3))
    polling = all_read(start("acme/*"))
    github.forget_requests()
    all_read(polling)
    assert (github.points, len(github.requests)) == (0, 50)
    polling.stop()
    after_restart = start("acme/*")
    github.forget_requests()
    all_read(after_restart)
    assert github.points == 1, "the listing of the owner's repositories"


def test_what_is_refused_is_told_in_a_sentence_and_stops_nobody(
    github: GitHubServer, start: Start, database: duckdb.DuckDBPyConnection
) -> None:
    web = github.add(Repository("acme/web", 1))
    web.add_run(1, now_to_the_second())
    github.refuse.update({"acme/secret": 403, "acme/expired": 401})
    polling = all_read(start("acme/web,acme/secret,acme/expired,acme/gone,nobody/*"))

    def sentence(repository: str) -> str | None:
        return polling.book("github-actions", repository).state.last_error

    assert "Actions: read" in (sentence("acme/secret") or "")
    assert "doesn't accept the token" in (sentence("acme/expired") or "")
    assert "knows no acme/gone" in (sentence("acme/gone") or "")
    assert "knows no nobody" in (sentence("nobody/*") or "")
    assert sentence("acme/web") is None
    assert stored(database, "acme/web") == web.truth()


def test_a_name_that_is_no_longer_polled_does_not_lag_behind(
    github: GitHubServer, start: Start, database: duckdb.DuckDBPyConnection
) -> None:
    github.add(Repository("acme/web", 1))
    all_read(start("acme/web,nobody/*")).stop()
    all_read(start("acme/web"))
    shown = database.execute("SELECT repository FROM poll_state WHERE is_polled").fetchall()
    assert shown == [("acme/web",)]


def test_a_person_s_private_repositories_belong_to_the_pattern(github: GitHubServer, start: Start) -> None:
    github.add(Repository("ana/public", 1))
    github.add(Repository("ana/private", 2, private=True))
    assert all_read(start("ana/*")).repositories("github-actions") == ["ana/public"]
    github.routes.private_of = "ana"
    assert all_read(start("ana/*")).repositories("github-actions") == ["ana/private", "ana/public"]


def test_a_used_up_limit_is_waited_for_whatever_our_clock_says(
    github: GitHubServer, start: Start, database: duckdb.DuckDBPyConnection
) -> None:
    github.limit, github.window, github.clock_ahead = 20, 2, 7200
    web = github.add(busy_repository("acme/web", 1, 30, now_to_the_second(), days=2))
    all_read(start("acme/web", backfill_days=7))
    assert stored(database, "acme/web") == web.truth()
    assert github.statuses.count(403) < 20


@pytest.mark.parametrize("status", [403, 429])
def test_a_secondary_limit_holds_back_all_requests(
    github: GitHubServer, start: Start, database: duckdb.DuckDBPyConnection, status: int
) -> None:
    web = github.add(busy_repository("acme/web", 1, 10, now_to_the_second()))
    github.burst_answers = [error(status, "You have exceeded a secondary rate limit.", retry_after="1")]
    began = time.monotonic()
    all_read(start("acme/web"))
    assert time.monotonic() - began >= 1
    assert stored(database, "acme/web") == web.truth()
    assert github.statuses.count(status) == 1


def test_without_a_word_a_pause_is_a_minute_and_twice_as_long_each_time() -> None:
    now = [0.0]
    budget = Budget(lambda: now[0])
    for wanted in (FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE):
        budget.pause_longer()
        budget.pause_longer()  # another request, refused at the same time
        assert budget.blocked_for() == wanted
        now[0] += wanted
    budget.note(200, {})
    budget.pause_longer()
    assert budget.blocked_for() == FIRST_PAUSE


def test_background_work_slows_down_and_leaves_a_tenth_to_the_rounds() -> None:
    budget = Budget(lambda: 0.0)

    def note(remaining: int) -> None:
        headers = {"x-ratelimit-limit": "5000", "x-ratelimit-remaining": str(remaining)}
        now = time.time()
        budget.note(200, headers | {"x-ratelimit-reset": str(now + 1000)})

    note(4000)
    assert budget.blocked_for(0.1) == 0
    note(500)
    assert budget.blocked_for(0.1) > 900
    assert budget.blocked_for() == 0


def test_an_answer_of_a_window_that_has_ended_says_nothing_of_this_one() -> None:
    budget = Budget(lambda: 0.0)
    now = time.time()

    def note(remaining: int, reset: float) -> None:
        headers = {"x-ratelimit-limit": "5000", "x-ratelimit-remaining": str(remaining)}
        budget.note(200, headers | {"x-ratelimit-reset": str(reset)})

    note(4000, now + 3600)
    note(3, now)  # was answered before, and came later
    assert (budget.remaining, budget.used) == (4000, 1000)
    note(3990, now + 3600)
    note(3995, now + 3600)
    assert (budget.remaining, budget.used) == (3990, 1010)


def test_an_app_makes_its_own_tokens_and_a_new_one_when_it_is_revoked(
    github: GitHubServer, start: Start, database: duckdb.DuckDBPyConnection
) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    formats = serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, *formats).decode()
    public = serialization.PublicFormat.SubjectPublicKeyInfo
    github.app_key = key.public_key().public_bytes(serialization.Encoding.PEM, public).decode()
    web = github.add(Repository("acme/web", 1))
    web.add_run(1, now_to_the_second())
    github.add(Repository("other/web", 2))
    app = {"github_app_id": "12", "github_app_private_key": pem, "github_app_installation_id": "77"}
    polling = all_read(start("acme/*", github_token=None, **app))
    assert stored(database, "acme/web") == web.truth()
    assert polling.repositories("github-actions") == ["acme/web"]
    assert len(github.app_tokens) == 1
    polling.stop()
    again = all_read(start("acme/*", github_token=None, **app))
    github.app_tokens.clear()
    web.add_run(2, now_to_the_second())
    all_read(again)
    assert len(github.app_tokens) == 0, "once a minute is often enough to find out"
    assert "doesn't accept the token" in (again.book("github-actions", "acme/web").state.last_error or "")


def test_github_enterprise_has_a_path_of_its_own(start: Start, database: duckdb.DuckDBPyConnection) -> None:
    with GitHubServer(base="/api/v3").running() as enterprise:
        web = enterprise.add(busy_repository("acme/web", 1, 120, now_to_the_second()))
        all_read(start("acme/web", github_api_url=enterprise.url))
        assert stored(database, "acme/web") == web.truth()
        assert all(request.startswith("/api/v3/") for request in enterprise.requests)
