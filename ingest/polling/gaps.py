"""Which runs polling knew first although webhooks should have brought them. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.model import WorkflowRun

# A webhook may be this late without being lost.
GRACE = timedelta(minutes=1)
# The CI system's clock and ours may differ by this much.
SKEW = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Suspect:
    """A run whose webhook may still be on its way."""

    run_id: str
    updated_at: datetime


def news(runs: Iterable[WorkflowRun], known: Mapping[str, str]) -> tuple[list[WorkflowRun], list[WorkflowRun]]:
    """The attempts that the store doesn't know, and those that it knows in an older state. `known`: versions by id."""
    unknown = [run for run in runs if run.id not in known]
    return unknown, [run for run in runs if run.id in known and _state(run.version) > _state(known[run.id])]


def sorted_out(found: Iterable[WorkflowRun], now: datetime) -> tuple[int, list[Suspect]]:
    """How many are gaps for sure, and those of which only time will tell."""
    suspects = [Suspect(run.run_id, run.updated_at) for run in found if now - run.updated_at < GRACE]
    return sum(now - run.updated_at >= GRACE for run in found), suspects


def _state(version: str) -> str:
    """A version without the digest of its content: a webhook and a listing may word the same state differently."""
    return version.rpartition("|")[0]
