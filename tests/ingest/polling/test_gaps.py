"""Webhooks and polling tell of the same runs: one row, the newer word wins, and what no webhook brought is counted."""

from datetime import datetime, timedelta
from typing import Any

import duckdb
import orjson

from core.store.writer import Writer
from ingest.deliveries import read_delivery
from ingest.providers import Envelope, webhooks
from tests.github_server import GitHubServer, now_to_the_second
from tests.github_truth import Repository
from tests.ingest.polling.conftest import Start, all_read, stored


def deliver(writer: Writer, web: Repository, run_id: int, at: datetime, **changes: Any) -> None:
    """Store the webhook of a run as it is on GitHub now."""
    run = web.runs[run_id]
    payload = {
        "action": "completed",
        "workflow_run": web.run_body(run, run.latest) | changes,
        "repository": web.body(),
        "workflow": {"id": 500, "name": "CI", "path": ".github/workflows/ci.yml"},
    }
    envelope = Envelope("workflow_run", f"delivery-{run_id}-{at.timestamp()}")
    webhook = webhooks()["github-actions"]
    delivery = read_delivery("github-actions", webhook, envelope, orjson.dumps(payload), "application/json", at)
    assert writer.submit_delivery(delivery).result(10) == "processed"


def test_only_runs_that_no_webhook_brought_count_as_gaps(
    github: GitHubServer, start: Start, database: duckdb.DuckDBPyConnection, writer: Writer
) -> None:
    now = now_to_the_second()
    web = github.add(Repository("acme/web", 1))
    web.add_run(1, now - timedelta(hours=3))
    polling = all_read(start("acme/web"))
    for run_id in (2, 3):
        web.add_run(run_id, now - timedelta(minutes=30))
    deliver(writer, web, 2, now - timedelta(seconds=60), status="in_progress", conclusion=None)
    deliver(writer, web, 2, now)
    deliver(writer, web, 1, now)
    all_read(polling)
    state = polling.book("github-actions", "acme/web").state
    assert state.gaps_closed == 1, "run 3"
    assert state.rows_added == 2, "runs 1 and 3"
    assert stored(database, "acme/web") == web.truth()


def test_a_webhook_that_comes_after_the_poll_was_not_lost(github: GitHubServer, start: Start, writer: Writer) -> None:
    now = now_to_the_second()
    web = github.add(Repository("acme/web", 1))
    web.add_run(1, now - timedelta(hours=3))
    polling = all_read(start("acme/web"))
    deliver(writer, web, 1, now)
    for run_id in (20001, 20002):
        web.add_run(run_id, now - timedelta(seconds=90))
    all_read(polling)
    book = polling.book("github-actions", "acme/web")
    assert book.state.gaps_closed == 0, "too early to tell"
    deliver(writer, web, 20001, now)
    polling.run(book.settle_gaps(now + timedelta(minutes=5)))
    assert book.state.gaps_closed == 1, "run 20002"
