"""`python -m ingest.simulation.live`: the simulated company goes on working while a demo runs, by real webhooks."""

import random
import signal
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import orjson

from core.settings import Settings, settings
from ingest.providers.github.signature import signature
from ingest.simulation import company
from ingest.simulation.history import SimulatedJob, SimulatedRun
from ingest.simulation.payloads import workflow_job, workflow_run

AT_ONCE = 4


def main() -> None:
    """Start runs and finish them, until stopped."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    chance = random.Random()
    open_runs: list[SimulatedRun] = []
    while True:
        time.sleep(chance.uniform(2, 5))
        work(settings(), chance, open_runs, datetime.now(UTC).replace(microsecond=0))


def work(chosen: Settings, chance: random.Random, open_runs: list[SimulatedRun], now: datetime) -> None:
    """Finish a run that is due by `now`, or begin one where fewer than AT_ONCE are open."""
    due = next((run for run in open_runs if run.finished_at <= now), None)
    if due:
        open_runs.remove(due)
        _finish(chosen, due)
    elif len(open_runs) < AT_ONCE:
        run = _begin(chance, now)
        open_runs.append(run)
        _post(chosen, "workflow_run", workflow_run(_unfinished(run)))


def _begin(chance: random.Random, now: datetime) -> SimulatedRun:
    repository = chance.choice([entry for entry in company.REPOSITORIES if entry.provider == "github-actions"])
    index = chance.randrange(len(repository.workflows))
    workflow = repository.workflows[index]
    number = int(now.timestamp()) - 1_700_000_000
    end = now + timedelta(seconds=chance.randint(20, 80))
    conclusion = "failure" if chance.random() < workflow.failure * 1.5 else "success"
    workflow_id = repository.id * 10 + index
    job = SimulatedJob(number * 100, workflow.jobs[0], now, now + timedelta(seconds=3), end, conclusion)
    return SimulatedRun(
        repository=repository,
        workflow=workflow,
        workflow_id=workflow_id,
        run_id=workflow_id * 10_000 + number,
        number=number % 10_000,
        attempt=1,
        event="push",
        branch=repository.default_branch,
        fork=None,
        sha=f"{chance.getrandbits(160):040x}",
        message=chance.choice(company.SUBJECTS),
        author=chance.choice(company.PEOPLE),
        created_at=now,
        started_at=now,
        finished_at=end,
        conclusion=conclusion,
        jobs=(job,),
    )


def _unfinished(run: SimulatedRun) -> SimulatedRun:
    fields: dict[str, Any] = {name: getattr(run, name) for name in SimulatedRun.__dataclass_fields__}
    return SimulatedRun(**fields | {"conclusion": None})


def _finish(chosen: Settings, run: SimulatedRun) -> None:
    for job in run.jobs:
        _post(chosen, "workflow_job", workflow_job(run, job))
    _post(chosen, "workflow_run", workflow_run(run))


def _post(chosen: Settings, event: str, payload: dict[str, Any]) -> None:
    """Send one webhook; a service that is away just misses it."""
    body = orjson.dumps(payload)
    headers = {"Content-Type": "application/json", "X-GitHub-Event": event}
    if chosen.github_webhook_secret:
        headers["X-Hub-Signature-256"] = signature(body, chosen.github_webhook_secret.get_secret_value())
    elif chosen.api_write_key:
        headers["X-API-KEY"] = chosen.api_write_key.get_secret_value()
    try:
        httpx.post(f"{chosen.ingest_url}/api/v1/webhook/github-actions", content=body, headers=headers, timeout=5)
    except httpx.HTTPError:
        return


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(0)
