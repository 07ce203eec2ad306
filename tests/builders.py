"""Payloads of the shape that GitHub documents, with what a test cares about set by name.

https://docs.github.com/en/webhooks/webhook-events-and-payloads#workflow_run
"""

from datetime import UTC, datetime, timedelta
from typing import Any

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def moment(seconds: float) -> str:
    """GitHub's way to write the moment `seconds` after NOON."""
    return (NOON + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def repository(name: str = "acme/web", repository_id: int = 10, default_branch: str = "main") -> dict[str, Any]:
    return {
        "id": repository_id,
        "full_name": name,
        "html_url": f"https://github.com/{name}",
        "default_branch": default_branch,
        "private": False,
    }


def run_payload(
    *,
    run_id: int = 1000,
    attempt: int = 1,
    status: str = "completed",
    conclusion: str | None = "success",
    begun: float = 0,
    updated: float = 60,
    branch: str | None = "main",
    workflow: str = "CI",
    workflow_id: int = 500,
    repo: dict[str, Any] | None = None,
    **overrides: Any,
) -> dict[str, Any]:
    """A workflow_run delivery; `begun` and `updated` are seconds after NOON."""
    repo = repo or repository()
    run = {
        "id": run_id,
        "name": workflow,
        "path": ".github/workflows/ci.yml",
        "display_title": "Make the checkout faster",
        "workflow_id": workflow_id,
        "run_number": run_id,
        "run_attempt": attempt,
        "event": "push",
        "status": status,
        "conclusion": conclusion,
        "head_branch": branch,
        "head_sha": "a" * 40,
        "head_commit": {
            "id": "a" * 40,
            "message": "Make the checkout faster\n\nIt was slow.",
            "timestamp": moment(begun),
            "author": {"name": "Ana Example", "email": "ana@example.org"},
        },
        "head_repository": {"id": repo["id"], "full_name": repo["full_name"]},
        "pull_requests": [],
        "actor": {"login": "ana"},
        "triggering_actor": {"login": "ana"},
        "html_url": f"https://github.com/{repo['full_name']}/actions/runs/{run_id}",
        "created_at": moment(min(begun, 0)),
        "run_started_at": moment(begun),
        "updated_at": moment(updated),
    }
    return {
        "action": "completed" if status == "completed" else "requested" if status == "queued" else "in_progress",
        "workflow_run": run | overrides,
        "workflow": {"id": workflow_id, "name": workflow, "path": ".github/workflows/ci.yml"},
        "repository": repo,
        "sender": {"login": "ana"},
    }


def job_payload(
    *,
    job_id: int = 7000,
    run_id: int = 1000,
    attempt: int = 1,
    name: str = "test",
    status: str = "completed",
    conclusion: str | None = "success",
    created: float = 0,
    begun: float | None = 5,
    finished: float | None = 55,
    steps: list[dict[str, Any]] | None = None,
    repo: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """A workflow_job delivery; times are seconds after NOON."""
    done = status == "completed"
    return {
        "action": status,
        "workflow_job": {
            "id": job_id,
            "run_id": run_id,
            "run_attempt": attempt,
            "workflow_name": "CI",
            "name": name,
            "status": status,
            "conclusion": conclusion if done else None,
            "labels": ["ubuntu-latest"],
            "runner_name": "GitHub Actions 5",
            "html_url": f"https://github.com/acme/web/actions/runs/{run_id}/job/{job_id}",
            "created_at": moment(created),
            "started_at": None if begun is None else moment(begun),
            "completed_at": moment(finished) if done and finished is not None else None,
            "steps": steps if steps is not None else [step_part(1, done=done)],
        },
        "repository": repo or repository(),
        "sender": {"login": "ana"},
    }


def step_part(number: int, *, done: bool = True, conclusion: str = "success") -> dict[str, Any]:
    return {
        "number": number,
        "name": f"Step {number}",
        "status": "completed" if done else "in_progress",
        "conclusion": conclusion if done else None,
        "started_at": moment(5),
        "completed_at": moment(50) if done else None,
    }
