"""Payloads that real servers sent. Point RECORDED_PAYLOADS at a folder of captures of your own to test with them.

Without the variable, the payloads of `tests/fixtures` (written from GitHub's documentation) take their place.
"""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import orjson
import pytest

from core.model import Delivery
from core.store.writer import Writer
from ingest.providers.github.parse import parse

OWN = Path(__file__).parent.parent / "fixtures" / "github"
FOLDER = Path(os.environ.get("RECORDED_PAYLOADS") or OWN)
USED = ("workflow_run", "workflow_job")


def event_of(payload: dict[str, Any]) -> str:
    return next((event for event in USED if isinstance(payload.get(event), dict)), "other")


def recorded() -> list[tuple[str, dict[str, Any]]]:
    """Every GitHub webhook payload of the folder, by its path."""
    found = []
    for path in sorted(FOLDER.rglob("*.json")):
        if "github_webhooks" not in path.parts and FOLDER != OWN:
            continue
        payload = orjson.loads(path.read_bytes())
        if isinstance(payload, dict):
            found.append((str(path.relative_to(FOLDER)), payload))
    return found


RECORDED = recorded()
RUNS_AND_JOBS = [entry for entry in RECORDED if event_of(entry[1]) != "other"]


def test_there_is_something_recorded() -> None:
    assert RUNS_AND_JOBS


@pytest.mark.parametrize(("name", "payload"), RUNS_AND_JOBS, ids=[name for name, _ in RUNS_AND_JOBS])
def test_a_recorded_run_or_job_lands_as_it_was_sent(
    name: str, payload: dict[str, Any], writer: Writer, database: duckdb.DuckDBPyConnection
) -> None:
    event = event_of(payload)
    sent = payload[event]
    changes = parse(event, payload)
    assert changes
    delivery = Delivery("github-actions", name, event, None, datetime.now(UTC), "processed", None, "{}", changes)
    assert writer.submit_delivery(delivery).result() == "processed"
    assert writer.submit_delivery(delivery).result() == "duplicate"
    if event == "workflow_run":
        row = database.execute(
            "SELECT run_id, run_attempt, conclusion, branch, head_sha, repository FROM attempts"
        ).fetchone()
        assert row == (
            str(sent["id"]),
            sent.get("run_attempt", 1),
            sent["conclusion"],
            sent.get("head_branch"),
            sent["head_sha"],
            payload["repository"]["full_name"],
        )
    else:
        row = database.execute("SELECT job_id, name, conclusion FROM jobs").fetchone()
        assert row == (str(sent["id"]), sent["name"], sent["conclusion"])
        steps = database.execute("SELECT number, name, conclusion FROM steps ORDER BY number").fetchall()
        assert steps == [(step["number"], step["name"], step["conclusion"]) for step in sent.get("steps", [])]


def test_every_other_recorded_event_is_ignored() -> None:
    others = [payload for _, payload in RECORDED if event_of(payload) == "other"]
    assert all(parse("check_run", payload) is None for payload in others)
