"""A GitHub of our own: what it knows. The rules by which it answers are in `tests/github_server.py`."""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

CONCLUSIONS = ("success", "success", "success", "failure", "cancelled", "skipped", "timed_out")


def text_of(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class Attempt:
    number: int
    started: datetime
    updated: datetime
    status: str = "completed"
    conclusion: str | None = "success"
    jobs: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Run:
    id: int
    created: datetime
    attempts: list[Attempt]
    workflow: str = "CI"
    branch: str = "main"

    @property
    def latest(self) -> Attempt:
        return self.attempts[-1]


@dataclass
class Repository:
    name: str
    id: int
    runs: dict[int, Run] = field(default_factory=dict)
    logs: dict[int, bytes | int] = field(default_factory=dict)
    zips: dict[tuple[int, int], dict[str, bytes] | int] = field(default_factory=dict)
    private: bool = False

    def add_run(
        self,
        run_id: int,
        created: datetime,
        *,
        status: str = "completed",
        conclusion: str | None = "success",
        job_names: tuple[str, ...] = ("test",),
        branch: str = "main",
    ) -> Run:
        attempt = Attempt(1, created, created + timedelta(seconds=90), status, conclusion)
        run = Run(run_id, created, [attempt], branch=branch)
        self.runs[run_id] = run
        self._add_jobs(run, attempt, job_names)
        return run

    def rerun(self, run_id: int, started: datetime, conclusion: str | None = "success") -> None:
        """GitHub keeps the run's created_at; only run_attempt, run_started_at and updated_at move."""
        run = self.runs[run_id]
        attempt = Attempt(len(run.attempts) + 1, started, started + timedelta(seconds=60), "completed", conclusion)
        run.attempts.append(attempt)
        self._add_jobs(run, attempt, ("test",))

    def finish(self, run_id: int, at: datetime, conclusion: str = "success") -> None:
        attempt = self.runs[run_id].latest
        attempt.status, attempt.conclusion, attempt.updated = "completed", conclusion, at
        attempt.jobs = []
        self._add_jobs(self.runs[run_id], attempt, ("test",))

    def _add_jobs(self, run: Run, attempt: Attempt, names: tuple[str, ...]) -> None:
        done = attempt.status == "completed"
        for place, name in enumerate(names):
            attempt.jobs.append(
                {
                    "id": run.id * 1000 + attempt.number * 300 + place,
                    "run_id": run.id,
                    "run_attempt": attempt.number,
                    "workflow_name": run.workflow,
                    "head_branch": run.branch,
                    "head_sha": "a" * 40,
                    "name": name,
                    "status": attempt.status,
                    "conclusion": attempt.conclusion,
                    "created_at": text_of(attempt.started),
                    "started_at": text_of(attempt.started + timedelta(seconds=5)),
                    "completed_at": text_of(attempt.updated) if done else None,
                    "labels": ["ubuntu-latest"],
                    "runner_name": "GitHub Actions 1",
                    "html_url": f"https://github.com/{self.name}/actions/runs/{run.id}/job/{run.id * 100}",
                    "steps": [
                        {
                            "number": 1,
                            "name": "Set up job",
                            "status": attempt.status,
                            "conclusion": attempt.conclusion,
                            "started_at": text_of(attempt.started + timedelta(seconds=5)),
                            "completed_at": text_of(attempt.updated) if done else None,
                        }
                    ],
                }
            )

    def body(self) -> dict[str, Any]:
        owner = self.name.split("/", 1)[0]
        return {
            "id": self.id,
            "full_name": self.name,
            "name": self.name.split("/", 1)[1],
            "owner": {"login": owner},
            "html_url": f"https://github.com/{self.name}",
            "default_branch": "main",
            "private": self.private,
            "archived": False,
            "disabled": False,
        }

    def run_body(self, run: Run, attempt: Attempt) -> dict[str, Any]:
        minimal = {key: value for key, value in self.body().items() if key != "default_branch"}
        return {
            "id": run.id,
            "name": run.workflow,
            "path": ".github/workflows/ci.yml",
            "display_title": f"Change {run.id}",
            "workflow_id": 500,
            "run_number": run.id,
            "run_attempt": attempt.number,
            "event": "push",
            "status": attempt.status,
            "conclusion": attempt.conclusion,
            "head_branch": run.branch,
            "head_sha": "a" * 40,
            "head_commit": {"id": "a" * 40, "message": "A change", "author": {"name": "Ana", "email": "a@example.org"}},
            "head_repository": minimal,
            "repository": minimal,
            "pull_requests": [],
            "actor": {"login": "ana"},
            "triggering_actor": {"login": "ana"},
            "html_url": f"https://github.com/{self.name}/actions/runs/{run.id}",
            "created_at": text_of(run.created),
            "run_started_at": text_of(attempt.started),
            "updated_at": text_of(attempt.updated),
        }

    @property
    def job_count(self) -> int:
        return sum(len(one.jobs) for run in self.runs.values() for one in run.attempts)

    def truth(self) -> set[tuple[str, int, str | None]]:
        """(run, attempt, conclusion) of all there is."""
        return {(str(run.id), one.number, one.conclusion) for run in self.runs.values() for one in run.attempts}


def busy_repository(
    name: str, repository_id: int, runs: int, now: datetime, days: int = 29, *, burst: float = 0.5
) -> Repository:
    """`runs` runs over the last days, the part `burst` of them within 8 hours; every tenth was re-run."""
    chance = random.Random(repository_id)
    repository = Repository(name, repository_id)
    for number in range(runs):
        # A day that holds more than a listing shows.
        age = chance.uniform(5, 5.33) if number < burst * runs else chance.uniform(0.1, days)
        created = now - timedelta(days=age)
        run_id = repository_id * 1_000_000 + number
        jobs = ("build", "test")[: 1 + number % 2]
        repository.add_run(run_id, created, conclusion=chance.choice(CONCLUSIONS), job_names=jobs)
        for _ in range(chance.choice((1, 1, 2)) if number % 10 == 0 else 0):
            started = repository.runs[run_id].latest.updated + timedelta(minutes=5)
            repository.rerun(run_id, min(started, now), chance.choice(CONCLUSIONS))
    return repository
