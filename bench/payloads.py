"""Deliveries as GitHub sends them: the whole lives of runs with two jobs each, in whole-size payloads (8-15 KB)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson

# GitHub repeats dozens of such addresses for every repository and person that a payload mentions.
REPOSITORY_URLS = [
    "archive",
    "assignees",
    "blobs",
    "branches",
    "collaborators",
    "comments",
    "commits",
    "compare",
    "contents",
    "contributors",
    "deployments",
    "downloads",
    "events",
    "forks",
    "git_commits",
    "git_refs",
    "git_tags",
    "hooks",
    "issue_comment",
    "issue_events",
    "issues",
    "keys",
    "labels",
    "languages",
    "merges",
    "milestones",
    "notifications",
    "pulls",
    "releases",
    "stargazers",
    "statuses",
    "subscribers",
    "subscription",
    "tags",
    "teams",
    "trees",
]
PERSON_URLS = [
    "events",
    "followers",
    "following",
    "gists",
    "organizations",
    "received_events",
    "repos",
    "starred",
    "subscriptions",
]
STEPS_OF_A_JOB = 8


@dataclass(frozen=True, slots=True)
class Call:
    """One webhook call before it is signed."""

    event: str
    delivery_id: str
    body: bytes


def calls(runs: int, *, first_run: int = 1, now: datetime | None = None) -> list[Call]:
    """The nine deliveries of each of `runs` runs (three of the run, three of each of two jobs), all ids unique.

    The lives of ten runs are interleaved, as on a busy server. `first_run` keeps the ids of several loads apart.
    """
    now = now or datetime.now(UTC)
    lives = [_life(number, now) for number in range(first_run, first_run + runs)]
    found = []
    for start in range(0, runs, 10):
        for moment in zip(*lives[start : start + 10], strict=True):
            found.extend(moment)
    return found


def _life(number: int, now: datetime) -> list[Call]:
    at = now - timedelta(hours=1) + timedelta(seconds=number % 600)
    payloads = list(_run_and_jobs(number, at))
    return [
        Call(event, str(UUID(int=number * 100 + index)), orjson.dumps(payload))
        for index, (event, payload) in enumerate(payloads)
    ]


def _run_and_jobs(number: int, at: datetime) -> Iterator[tuple[str, dict[str, Any]]]:
    repository = _repository(number % 40)
    yield "workflow_run", _run(number, repository, at, "requested", "queued", 0)
    for job in (1, 2):
        yield "workflow_job", _job(number, job, repository, at, "queued")
    yield "workflow_run", _run(number, repository, at, "in_progress", "in_progress", 10)
    for job in (1, 2):
        yield "workflow_job", _job(number, job, repository, at, "in_progress")
    for job in (1, 2):
        yield "workflow_job", _job(number, job, repository, at, "completed")
    yield "workflow_run", _run(number, repository, at, "completed", "completed", 190)


def _run(number: int, repository: dict[str, Any], at: datetime, action: str, status: str, age: int) -> dict[str, Any]:
    run_id, workflow_id = 8_000_000_000 + number, 500 + number % 200
    sha = f"{number:040x}"
    api = f"{repository['url']}/actions/runs/{run_id}"
    addresses = ("artifacts", "cancel", "check_suite", "jobs", "logs", "previous_attempt", "rerun", "workflow")
    return {
        "action": action,
        "workflow_run": {
            "id": run_id,
            "name": "CI",
            "node_id": f"WFR_{number:024d}",
            "path": ".github/workflows/ci.yml",
            "display_title": f"Change number {number} of the checkout",
            "run_number": number,
            "run_attempt": 1,
            "event": "push",
            "status": status,
            "conclusion": ("failure" if number % 8 == 0 else "success") if status == "completed" else None,
            "workflow_id": workflow_id,
            "head_branch": "main" if number % 3 else f"feature/{number % 50}",
            "head_sha": sha,
            "head_commit": {
                "id": sha,
                "tree_id": sha,
                "message": f"Change number {number} of the checkout\n\nBecause it was slow.",
                "timestamp": _moment(at),
                "author": {"name": f"Person {number % 80}", "email": f"person{number % 80}@example.org"},
                "committer": {"name": "GitHub", "email": "noreply@github.com"},
            },
            "head_repository": repository,
            "repository": repository,
            "pull_requests": [],
            "referenced_workflows": [],
            "actor": _person(number % 80),
            "triggering_actor": _person(number % 80),
            "html_url": f"{repository['html_url']}/actions/runs/{run_id}",
            "created_at": _moment(at),
            "run_started_at": _moment(at),
            "updated_at": _moment(at + timedelta(seconds=age)),
            **{f"{name}_url": f"{api}/{name}" for name in addresses},
        },
        "workflow": {"id": workflow_id, "name": f"CI {workflow_id}", "path": ".github/workflows/ci.yml"},
        "repository": repository,
        "sender": _person(number % 80),
    }


def _job(number: int, job: int, repository: dict[str, Any], at: datetime, status: str) -> dict[str, Any]:
    run_id, job_id = 8_000_000_000 + number, 20_000_000_000 + number * 10 + job
    done, begun = status == "completed", status != "queued"
    return {
        "action": status,
        "workflow_job": {
            "id": job_id,
            "run_id": run_id,
            "workflow_name": "CI",
            "run_attempt": 1,
            "run_url": f"{repository['url']}/actions/runs/{run_id}",
            "head_sha": f"{number:040x}",
            "head_branch": "main",
            "name": f"test ({job}, ubuntu-latest)",
            "status": status,
            "conclusion": "success" if done else None,
            "labels": ["ubuntu-latest"],
            "runner_id": 5 if begun else None,
            "runner_name": "GitHub Actions 5" if begun else None,
            "html_url": f"{repository['html_url']}/actions/runs/{run_id}/job/{job_id}",
            "check_run_url": f"{repository['url']}/check-runs/{job_id}",
            "created_at": _moment(at),
            "started_at": _moment(at + timedelta(seconds=10)),
            "completed_at": _moment(at + timedelta(seconds=180)) if done else None,
            "steps": [_step(step, at, done=done) for step in range(1, STEPS_OF_A_JOB + 1)] if begun else [],
        },
        "repository": repository,
        "organization": _person(999),
        "sender": _person(number % 80),
    }


def _step(number: int, at: datetime, *, done: bool) -> dict[str, Any]:
    finished = done or number < 3
    return {
        "name": f"Run step number {number} of the job",
        "number": number,
        "status": "completed" if finished else "queued",
        "conclusion": "success" if finished else None,
        "started_at": _moment(at + timedelta(seconds=10 + 20 * number)) if finished else None,
        "completed_at": _moment(at + timedelta(seconds=30 + 20 * number)) if finished else None,
    }


def _repository(number: int) -> dict[str, Any]:
    name = f"acme/service-{number:02d}"
    api = f"https://api.github.com/repos/{name}"
    return {
        "id": 1000 + number,
        "node_id": f"R_{number:020d}",
        "name": f"service-{number:02d}",
        "full_name": name,
        "private": False,
        "owner": _person(999),
        "html_url": f"https://github.com/{name}",
        "url": api,
        "description": "One of the services that this company runs",
        "fork": False,
        "default_branch": "main",
        **{f"{word}_url": f"{api}/{word.replace('_', '/')}{{/number}}" for word in REPOSITORY_URLS},
    }


def _person(number: int) -> dict[str, Any]:
    api = f"https://api.github.com/users/person{number}"
    return {
        "login": f"person{number}",
        "id": 9000 + number,
        "node_id": f"U_{number:016d}",
        "avatar_url": f"https://avatars.githubusercontent.com/u/{9000 + number}?v=4",
        "url": api,
        "html_url": f"https://github.com/person{number}",
        "type": "User",
        "site_admin": False,
        **{f"{word}_url": f"{api}/{word}" for word in PERSON_URLS},
    }


def _moment(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
