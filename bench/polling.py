"""The poller against a GitHub of our own that keeps GitHub's rules: is the database equal to the truth, and at what cost?

Two repositories of 5,000 runs are read for the first time while every 17th request meets a fault; then what a quiet poll
of 50 repositories costs, and how long a finished run takes to be seen by polling alone.
"""

import argparse
import logging
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import structlog

from core.settings import load_settings
from core.store.duckdb_file import open_owned
from core.store.reader import OwnerReader
from core.store.writer import Writer
from ingest.polling.engine import Polling
from tests.github_server import TOKEN, GitHubServer, now_to_the_second
from tests.github_truth import Repository, busy_repository
from tests.ingest.polling.conftest import all_read, job_truth, stored, stored_jobs


@contextmanager
def polled(github: GitHubServer, repositories: str, **more: Any) -> Iterator[tuple[Polling, duckdb.DuckDBPyConnection]]:
    """A poller over a database of its own."""
    with tempfile.TemporaryDirectory(prefix="bench-polling-") as folder:
        database = open_owned(Path(folder) / "health.duckdb", memory_limit="1GB", threads=2)
        writer = Writer(database)
        settings = load_settings(
            github_token=TOKEN, github_api_url=github.url, github_repositories=repositories, **more
        )
        polling = Polling(settings, OwnerReader(database), writer)
        polling.start()
        try:
            yield polling, database
        finally:
            polling.stop()
            writer.close()
            database.close()


def first_backfill(runs: int) -> bool:
    """Print what the first look at two repositories costs, and whether all of it is there."""
    now = now_to_the_second()
    with GitHubServer(fault_every=17).running() as github:
        repositories = [github.add(busy_repository(f"acme/r{number}", number, runs, now)) for number in (1, 2)]
        with polled(github, "acme/r1,acme/r2") as (polling, database):
            began = time.monotonic()
            all_read(polling)
            seconds = time.monotonic() - began
            equal = True
            for repository in repositories:
                found, truth = stored(database, repository.name), repository.truth()
                jobs, job_facts = stored_jobs(database, repository.name), job_truth(repository)
                equal &= found == truth and jobs == job_facts
                print(
                    f"  {repository.name}: runs {len({run for run, *_ in found})} of {len(repository.runs)}, "
                    f"attempts and conclusions {len(found & truth)} of {len(truth)}, "
                    f"jobs and conclusions {len(jobs & job_facts)} of {len(job_facts)}, "
                    f"rows too many {len(found - truth) + len(jobs - job_facts)}"
                )
            lists = sum("/jobs" not in request and "/attempts/" not in request for request in github.requests)
            print(
                f"  {len(github.requests)} requests ({lists} of them lists of runs), {github.points} points, "
                f"{sum(github.faults.values())} faults {github.faults}, {seconds:.0f} s"
            )
    return equal


def quiet_poll(repositories: int) -> None:
    """Print what a poll costs where nothing happened."""
    now = now_to_the_second()
    with GitHubServer().running() as github:
        github.routes.organizations.add("acme")
        for number in range(repositories):
            github.add(Repository(f"acme/r{number}", number + 1)).add_run(number + 1000, now - timedelta(days=3))
        with polled(github, "acme/*") as (polling, _):
            all_read(polling)
            print(f"  first look: {len(github.requests)} requests, {github.points} points")
            github.forget_requests()
            all_read(polling)
            print(f"  quiet poll: {len(github.requests)} requests, {github.points} points")


def latency(looks: int) -> None:
    """Print how long a run that finishes takes to be stored with its jobs, once a poll begins."""
    now = now_to_the_second()
    with GitHubServer().running() as github:
        web = github.add(Repository("acme/web", 1))
        web.add_run(1, now - timedelta(hours=1))
        with polled(github, "acme/web") as (polling, database):
            all_read(polling)
            took = []
            for number in range(looks):
                web.add_run(100 + number, now, job_names=("build", "test"))
                began = time.monotonic()
                polling.round()
                took.append(time.monotonic() - began)
                assert stored_jobs(database, "acme/web") == job_truth(web)
        print(f"  {max(took) * 1000:.0f} ms at most from the poll's begin until the run and its jobs are stored;")
        print("  a run ends half of POLL_INTERVAL_SECONDS before the next poll on average, so within it at most")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.polling", description=__doc__)
    parser.add_argument("--runs", type=int, default=5000, help="runs of each of the two repositories")
    parser.add_argument("--repositories", type=int, default=50, help="quiet repositories")
    chosen = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    print(f"First backfill: 2 repositories of {chosen.runs} runs, a fault in every 17th request")
    equal = first_backfill(chosen.runs)
    print(f"  equal to the truth: {equal}")
    print(f"Quiet poll: {chosen.repositories} repositories")
    quiet_poll(chosen.repositories)
    print("A finished run, by polling alone")
    latency(20)


if __name__ == "__main__":
    main()
