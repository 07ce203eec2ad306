"""The log of a simulated job, in the format of its CI system. Pure: the same job, the same log."""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.model import Step
from ingest.simulation.failures import Ending, ending
from ingest.simulation.history import in_outage

CSI = "\x1b["
PACKAGES = ("anyio", "attrs", "certifi", "click", "idna", "jinja2", "numpy", "orjson", "pydantic", "rich", "zstandard")
UNITS = (
    "cart",
    "catalogue",
    "checkout",
    "dates",
    "invoices",
    "ledger",
    "orders",
    "prices",
    "search",
    "sessions",
    "vat",
)


@dataclass(frozen=True, slots=True)
class LoggedJob:
    """`conclusion`: success, failure or timed_out. `steps` in order, each with its begin and end (UTC)."""

    id: int
    name: str
    provider: str
    repository: str
    branch: str
    sha: str
    conclusion: str
    steps: Sequence[Step]


def log_text(job: LoggedJob, now: datetime) -> str:
    """The whole log, lines ended by LF. `now` is the moment of the simulation."""
    chance = random.Random(job.id)
    began = job.steps[0].started_at or now
    last: Ending | None = None
    if job.conclusion == "timed_out":
        last = Ending((), 0)
    elif job.conclusion != "success":
        name = job.repository.split("/")[1]
        last = ending(name, job.name, job.sha, began, now, chance, in_outage=in_outage(began, now))
    write = WRITERS.get(job.provider, _github)
    return "\n".join(write(job, last, chance)) + "\n"


def _work(job: LoggedJob, last: Ending | None, chance: random.Random) -> Iterator[str]:
    """What the step that does the work prints before it ends."""
    for _ in range(chance.randint(25, 70)):
        unit = chance.choice(UNITS)
        checks, took = chance.randint(1, 60), chance.randint(2, 900)
        yield f"{CSI}32m✓{CSI}0m {unit}: {checks} checks passed {CSI}2m({took} ms){CSI}0m"
    if last is None:
        yield f"{CSI}1m{job.name.capitalize()} done{CSI}0m"
    else:
        yield from last.lines


def _install(chance: random.Random) -> Iterator[str]:
    for package in sorted(chance.sample(PACKAGES, 8)):
        yield f"Downloading {package}-{chance.randint(0, 9)}.{chance.randint(0, 30)}.{chance.randint(0, 9)}"
    yield f"Installed {chance.randint(120, 900)} packages in {chance.randint(2, 40)}s"


def _github(job: LoggedJob, last: Ending | None, chance: random.Random) -> Iterator[str]:
    for step in job.steps:
        yield from _stamped(list(_github_step(job, step, last, chance)), step, "%Y-%m-%dT%H:%M:%S.%f")


def _github_step(job: LoggedJob, step: Step, last: Ending | None, chance: random.Random) -> Iterator[str]:
    if step.name == "Set up job":
        yield "Current runner version: '2.330.0'"
        yield from ("##[group]Operating System", "Ubuntu", "24.04.3", "LTS", "##[endgroup]")
        yield from ("##[group]GITHUB_TOKEN Permissions", "Contents: read", "Metadata: read", "##[endgroup]")
        yield from ("Secret source: Actions", "Prepare workflow directory", "Prepare all required actions")
        yield f"Complete job name: {job.name}"
    elif step.name == "Check out":
        yield from ("##[group]Run actions/checkout@v5", "with:", f"  repository: {job.repository}", "  token: ***")
        yield from ("  fetch-depth: 1", "##[endgroup]", f"Syncing repository: {job.repository}")
        yield from ("##[group]Fetching the repository", f"[command]/usr/bin/git fetch --depth=1 origin +{job.sha}")
        yield from ("##[endgroup]", f"HEAD is now at {job.sha[:7]}")
    elif step.name == "Restore cache":
        yield from ("##[group]Run actions/cache@v4", "with:", "  path: ~/.cache", "##[endgroup]")
        yield f"Cache restored successfully from key: Linux-{job.sha[7:19]}"
    elif step.name == "Install":
        yield from ("##[group]Run make install", f"{CSI}36;1mmake install{CSI}0m", "shell: /usr/bin/bash -e {0}")
        yield "##[endgroup]"
        yield from _install(chance)
    elif step.name == "Complete job":
        yield from ("Post job cleanup.", "Cleaning up orphan processes")
    else:
        yield from (f"##[group]Run make {job.name.replace(' ', '-')}", f"{CSI}36;1mmake check{CSI}0m")
        yield from ("shell: /usr/bin/bash -e {0}", "env:", "  CI: true", "##[endgroup]")
        yield from _work(job, last, chance)
        if job.conclusion == "timed_out":
            yield "##[error]The job has exceeded the maximum execution time of 30m0s"
        elif last:
            yield f"##[error]Process completed with exit code {last.exit_code}."


def _gitlab(job: LoggedJob, last: Ending | None, chance: random.Random) -> Iterator[str]:
    """Sections as GitLab's runner marks them: https://docs.gitlab.com/ci/jobs/job_logs/#custom-collapsible-sections"""
    yield "Running with gitlab-runner 18.5.0 (bda84871)"
    for index, step in enumerate(job.steps):
        name = step.name.lower().replace(" ", "_")
        begin, end = (int(at.timestamp()) if at else 0 for at in (step.started_at, step.finished_at))
        yield f"section_start:{begin}:{name}\r{CSI}0K{CSI}36;1m{step.name}{CSI}0;m"
        if step.name == "Install":
            yield from _install(chance)
        elif index == len(job.steps) - 2:
            yield f"{CSI}32;1m$ make {job.name.replace(' ', '-')}{CSI}0;m"
            yield from _work(job, last, chance)
        yield f"section_end:{end}:{name}\r{CSI}0K"
    if last is None:
        yield f"{CSI}32;1mJob succeeded{CSI}0;m"
    elif job.conclusion == "timed_out":
        yield f"{CSI}31;1mERROR: Job failed: execution took longer than 1h0m0s seconds{CSI}0;m"
    else:
        yield f"{CSI}31;1mERROR: Job failed: exit code {last.exit_code}{CSI}0;m"


def _jenkins(job: LoggedJob, last: Ending | None, chance: random.Random) -> Iterator[str]:
    yield from ("Started by an SCM change", "[Pipeline] Start of Pipeline", "[Pipeline] node")
    yield "Running on agent-3 in /var/jenkins/workspace/legacy-erp"
    for index, step in enumerate(job.steps):
        yield from ("[Pipeline] stage", f"[Pipeline] {{ ({step.name})")
        if step.name == "Install":
            yield from _install(chance)
        elif index == len(job.steps) - 2:
            yield from ("[Pipeline] sh", f"+ make {job.name.replace(' ', '-')}")
            yield from _work(job, last, chance)
        yield from ("[Pipeline] }", "[Pipeline] // stage")
    yield "[Pipeline] End of Pipeline"
    if last is None:
        yield "Finished: SUCCESS"
    elif job.conclusion == "timed_out":
        yield from ("Timeout has been exceeded", "Finished: ABORTED")
    else:
        yield from (f"ERROR: script returned exit code {last.exit_code}", "Finished: FAILURE")


def _stamped(lines: list[str], step: Step, form: str) -> Iterator[str]:
    """Each line with its moment, spread over the time of the step; seven decimals, as GitHub writes them."""
    if step.started_at is None or step.finished_at is None:
        return
    each = (step.finished_at - step.started_at) / (len(lines) + 1)
    for index, line in enumerate(lines):
        at = step.started_at + each * index + timedelta(microseconds=index)
        yield f"{at.strftime(form)}0Z {line}"


WRITERS: dict[str, Callable[[LoggedJob, Ending | None, random.Random], Iterator[str]]] = {
    "gitlab": _gitlab,
    "jenkins": _jenkins,
}
