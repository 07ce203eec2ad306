"""The real poller over a real database, against a GitHub of our own."""

from collections.abc import Callable, Iterator
from typing import Any

import duckdb
import pytest

from core.settings import load_settings
from core.store.reader import OwnerReader
from core.store.writer import Writer
from ingest.polling.engine import Polling
from tests.github_server import TOKEN, GitHubServer
from tests.github_truth import Repository

Start = Callable[..., Polling]


@pytest.fixture
def github() -> Iterator[GitHubServer]:
    with GitHubServer().running() as server:
        yield server


@pytest.fixture
def start(github: GitHubServer, database: duckdb.DuckDBPyConnection, writer: Writer) -> Iterator[Start]:
    """Start a poller of some repositories; call it again for a poller after a restart."""
    running: list[Polling] = []

    def make(repositories: str, **settings: Any) -> Polling:
        given = {"github_token": TOKEN, "github_api_url": github.url, "github_repositories": repositories, **settings}
        chosen = load_settings(**given)
        polling = Polling(chosen, OwnerReader(database), writer)
        running.append(polling)
        polling.start()
        return polling

    yield make
    for polling in running:
        polling.stop()


def stored(database: duckdb.DuckDBPyConnection, repository: str) -> set[tuple[str, int, str | None]]:
    """(run, attempt, conclusion) of all that the database knows of a repository."""
    rows = database.cursor().execute(
        "SELECT run_id, run_attempt, conclusion FROM attempts WHERE repository = ?", [repository]
    )
    return {(run_id, attempt, conclusion) for run_id, attempt, conclusion in rows.fetchall()}


def all_read(polling: Polling) -> Polling:
    """A round, and all that is read behind it."""
    polling.round()
    polling.drain()
    return polling


def stored_jobs(database: duckdb.DuckDBPyConnection, repository: str) -> set[tuple[str, str, str | None]]:
    """(job, name, conclusion) of all jobs that the database knows of a repository."""
    rows = database.cursor().execute(
        "SELECT j.job_id, j.name, j.conclusion FROM jobs AS j JOIN attempts AS a ON a.id = j.attempt_id "
        "WHERE a.repository = ?",
        [repository],
    )
    return {(job_id, name, conclusion) for job_id, name, conclusion in rows.fetchall()}


def job_truth(repository: Repository) -> set[tuple[str, str, str | None]]:
    attempts = [attempt for run in repository.runs.values() for attempt in run.attempts]
    return {(str(job["id"]), job["name"], job["conclusion"]) for attempt in attempts for job in attempt.jobs}
