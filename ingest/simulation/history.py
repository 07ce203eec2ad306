"""The history: which workflow ran when, how long, and how it ended. Pure: one seed and moment, one history."""

import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from ingest.simulation import company
from ingest.simulation.company import Repository, Workflow

STEPS = ("Set up job", "Check out", "Restore cache", "Install", "{job}", "Complete job")
OUTAGE_DAYS_AGO = 17
OUTAGE_HOURS = 3.5
SLOW_SINCE_DAYS = 12


@dataclass(frozen=True, slots=True)
class SimulatedJob:
    """`conclusion` is None while it runs; times are UTC."""

    id: int
    name: str
    created_at: datetime
    started_at: datetime
    finished_at: datetime
    conclusion: str


@dataclass(frozen=True, slots=True)
class SimulatedRun:
    """One attempt of a run. `conclusion` is None for what still runs or waits at the moment of the simulation."""

    repository: Repository
    workflow: Workflow
    workflow_id: int
    run_id: int
    number: int
    attempt: int
    event: str
    branch: str
    fork: str | None
    sha: str
    message: str
    author: tuple[str, str]
    created_at: datetime
    started_at: datetime
    finished_at: datetime
    conclusion: str | None
    jobs: tuple[SimulatedJob, ...]


def simulate(now: datetime, days: int = 60, seed: int = 7) -> Iterator[SimulatedRun]:
    """Every attempt of the last `days` days, in the order in which they began; nothing lies after `now`."""
    chance = random.Random(seed)
    found = [
        run
        for repository in company.REPOSITORIES
        for index, workflow in enumerate(repository.workflows)
        for run in _Line(repository, workflow, index, now, days, random.Random(chance.random())).runs()
    ]
    return iter(sorted(found, key=lambda run: (run.started_at, run.run_id, run.attempt)))


def in_outage(moment: datetime, now: datetime) -> bool:
    """True in the afternoon on which nearly everything fails, seen from `now`."""
    begin = now.replace(hour=13, minute=10, second=0, microsecond=0) - timedelta(days=OUTAGE_DAYS_AGO)
    begin -= timedelta(days=max(0, begin.weekday() - 4))  # on a working day, so that somebody notices
    return begin <= moment < begin + timedelta(hours=OUTAGE_HOURS)


class _Line:
    """The runs of one workflow."""

    def __init__(
        self, repository: Repository, workflow: Workflow, index: int, now: datetime, days: int, chance: random.Random
    ) -> None:
        self.repository = repository
        self.workflow = workflow
        self.workflow_id = repository.id * 10 + index
        self.now = now
        self.days = days
        self.chance = chance
        self.number = 0
        self.slowed = False

    def runs(self) -> Iterator[SimulatedRun]:
        for moment in self._moments():
            yield from self._attempts(moment)
        if self._name in company.BROKEN_NOW:
            yield from self._broken_now()

    @property
    def _name(self) -> tuple[str, str]:
        return self.repository.name, self.workflow.name

    def _moments(self) -> Iterator[datetime]:
        """When it is triggered: pushes on working days and hours, few at other times; a nightly run at two."""
        midnight = self.now.replace(hour=0, minute=0, second=0, microsecond=0)
        for back in range(self.days, -1, -1):
            day = midnight - timedelta(days=back)
            if self.workflow.nightly:
                yield day + timedelta(hours=2, seconds=self.chance.randrange(300))
                continue
            pushes = self.repository.pushes * (0.12 if day.weekday() >= 5 else 1.0) * self.chance.uniform(0.6, 1.4)
            for _ in range(int(pushes) + (self.chance.random() < pushes % 1)):
                hour = min(
                    23.9, max(0.0, self.chance.choice((self.chance.gauss(10.5, 1.6), self.chance.gauss(15, 1.8))))
                )
                yield day + timedelta(hours=hour)

    def _attempts(self, moment: datetime) -> Iterator[SimulatedRun]:
        if moment >= self.now:
            return
        self.number += 1
        branch, event, fork = self._origin()
        sha = hashlib.sha1(f"{self._name}{self.number}".encode(), usedforsecurity=False).hexdigest()
        message = f"{self.chance.choice(company.SUBJECTS)}\n\nReviewed by {self.chance.choice(company.PEOPLE)[0]}."
        if self._name == company.SLOWED_DOWN and self._is_first_slow(moment):
            message = company.SLOW_COMMIT
        author = self.chance.choice(company.PEOPLE)
        started, attempt, flaky = moment, 1, False
        while True:
            conclusion, flaky = self._conclusion(moment, attempt, flaky)
            run = self._attempt(
                attempt=attempt,
                event=event,
                branch=branch,
                fork=fork,
                sha=sha,
                message=message,
                author=author,
                created=moment,
                started=started,
                conclusion=conclusion,
                flaky=flaky,
            )
            yield run
            again = run.conclusion == "failure" and attempt < 3 and (flaky or self.chance.random() < 0.12)
            started = run.finished_at + timedelta(minutes=self.chance.uniform(2, 25))
            if not again or started >= self.now:
                return
            attempt += 1

    def _origin(self) -> tuple[str, str, str | None]:
        default = self.repository.default_branch
        if self.workflow.nightly:
            return default, "schedule", None
        if self.workflow.name in ("Deploy", "Publish") or self.chance.random() < 0.4:
            return default, "push", None
        fork = "contributor-42/" + self.repository.name.split("/")[1] if self.chance.random() < 0.05 else None
        return self.chance.choice(company.BRANCHES), "pull_request", fork

    def _conclusion(self, moment: datetime, attempt: int, flaky: bool) -> tuple[str, bool]:
        """How an attempt ends, and whether its failure is one of a flaky job. It usually passes when re-run."""
        if in_outage(moment, self.now) and attempt == 1:
            return ("failure" if self.chance.random() < 0.9 else "cancelled"), False
        if flaky and self.chance.random() < 0.85:
            return "success", False
        draw = self.chance.random()
        if draw < self.workflow.failure:
            return ("timed_out" if self.chance.random() < 0.05 else "failure"), False
        if draw < self.workflow.failure + 0.03:
            return "cancelled", False
        if self._has_flaky_job() and draw < self.workflow.failure + 0.08:
            return "failure", True
        return "success", False

    def _has_flaky_job(self) -> bool:
        return any(name == self.repository.name and job in self.workflow.jobs for name, job in company.FLAKY_JOBS)

    def _is_first_slow(self, moment: datetime) -> bool:
        """True once: for the first run after the slow-down began."""
        first = not self.slowed and moment >= self.now - timedelta(days=SLOW_SINCE_DAYS)
        self.slowed = self.slowed or first
        return first

    def _broken_now(self) -> Iterator[SimulatedRun]:
        """Its last two runs on the default branch failed, the first some hours ago."""
        for hours in (self.chance.uniform(9, 15), self.chance.uniform(1, 4)):
            self.number += 1
            sha = hashlib.sha1(f"{self._name}{self.number}".encode(), usedforsecurity=False).hexdigest()
            yield self._attempt(
                attempt=1,
                event="push",
                branch=self.repository.default_branch,
                fork=None,
                sha=sha,
                message=self.chance.choice(company.SUBJECTS),
                author=self.chance.choice(company.PEOPLE),
                created=self.now - timedelta(hours=hours),
                started=self.now - timedelta(hours=hours),
                conclusion="failure",
                flaky=False,
            )

    def _attempt(
        self,
        *,
        attempt: int,
        event: str,
        branch: str,
        fork: str | None,
        sha: str,
        message: str,
        author: tuple[str, str],
        created: datetime,
        started: datetime,
        conclusion: str,
        flaky: bool,
    ) -> SimulatedRun:
        jobs = self._jobs(started, attempt, conclusion, flaky)
        finished = max(job.finished_at for job in jobs)
        unfinished = finished > self.now
        return SimulatedRun(
            repository=self.repository,
            workflow=self.workflow,
            workflow_id=self.workflow_id,
            run_id=self.workflow_id * 10_000 + self.number,
            number=self.number,
            attempt=attempt,
            event=event,
            branch=branch,
            fork=fork,
            sha=sha,
            message=message,
            author=author,
            created_at=created,
            started_at=started,
            finished_at=min(finished, self.now),
            conclusion=None if unfinished else conclusion,
            jobs=tuple(job for job in jobs if job.finished_at <= self.now),
        )

    def _jobs(self, started: datetime, attempt: int, conclusion: str, flaky: bool) -> list[SimulatedJob]:
        slow = (
            1.6 if self._name == company.SLOWED_DOWN and started >= self.now - timedelta(days=SLOW_SINCE_DAYS) else 1.0
        )
        each = self.workflow.minutes * 60 * slow / len(self.workflow.jobs)
        failing = self._failing_job(conclusion, flaky)
        jobs, at = [], started
        for index, name in enumerate(self.workflow.jobs):
            begin = at + timedelta(seconds=round(self.chance.expovariate(1 / 9)))
            seconds = max(4, round(each * self.chance.lognormvariate(0, 0.18)))
            own = "success"
            if index == failing:
                own = conclusion
                seconds = max(3, round(seconds * self.chance.uniform(0.3, 1)))
            elif failing is not None and index > failing:
                own, seconds = "skipped", 0
            end = begin + timedelta(seconds=seconds)
            job_id = ((self.workflow_id * 10_000 + self.number) * 10 + attempt) * 10 + index
            jobs.append(SimulatedJob(job_id, name, at, begin, end, own))
            at = end if own != "skipped" else at
        return jobs

    def _failing_job(self, conclusion: str, flaky: bool) -> int | None:
        if conclusion == "success":
            return None
        names = [job for name, job in company.FLAKY_JOBS if name == self.repository.name and job in self.workflow.jobs]
        if flaky and names:
            return self.workflow.jobs.index(names[0])
        return self.chance.randrange(len(self.workflow.jobs))
