"""Which jobs made a run take as long as it did, told from their times alone: GitHub doesn't say what waits for what."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

# A job that waits for another is created or started a moment after the other's end; clocks and rounding add a second.
ROUNDING = timedelta(seconds=1)
# Jobs that are all created within this time were created with the run: then a creation says nothing about waiting.
TOGETHER = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class JobSpan:
    """When a job was created (None: unknown), started and finished."""

    id: str
    created_at: datetime | None
    started_at: datetime
    finished_at: datetime


def critical_path(jobs: Sequence[JobSpan]) -> list[str]:
    """Ids of the jobs on the longest chain, first to last; empty without jobs.

    It ends with the job that finished last. Before each job on it stands the one that finished last before that job
    became ready; where none had finished by then, the chain begins. A job is ready when it is created, as GitHub
    creates a job once all that it needs is done; where all jobs are created together, when it starts.
    """
    if not jobs:
        return []
    created = [job.created_at for job in jobs if job.created_at]
    as_needed = len(created) == len(jobs) and max(created) - min(created) > TOGETHER
    path = [max(jobs, key=lambda job: (job.finished_at, job.started_at, job.id))]
    while True:
        job = path[-1]
        ready = min(job.created_at, job.started_at) if as_needed and job.created_at else job.started_at
        before = [other for other in jobs if other.finished_at <= ready + ROUNDING and other not in path]
        if not before:
            return [each.id for each in reversed(path)]
        path.append(max(before, key=lambda other: (other.finished_at, other.started_at, other.id)))
