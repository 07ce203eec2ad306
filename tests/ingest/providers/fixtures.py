"""Payloads written from the vendors' documentation, and those that real systems sent where there are any."""

import os
from pathlib import Path
from typing import Any

import orjson

from core.model import Changes, WorkflowRun

OWN = Path(__file__).parents[2] / "fixtures"
# A folder of captures of your own: RECORDED_PAYLOADS/<provider>/…
RECORDED = Path(os.environ["RECORDED_PAYLOADS"]) if os.environ.get("RECORDED_PAYLOADS") else None


def payload(provider: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads((OWN / provider / f"{name}.json").read_bytes())
    return found


def payloads(provider: str) -> list[dict[str, Any]]:
    """All written payloads of a provider, by their file names."""
    return [orjson.loads(path.read_bytes()) for path in sorted((OWN / provider).glob("*.json"))]


def recorded(*patterns: str) -> list[tuple[str, dict[str, Any]]]:
    """Recorded JSON objects, by their path; none without RECORDED_PAYLOADS."""
    if RECORDED is None:
        return []
    paths = sorted(path for pattern in patterns for path in RECORDED.glob(pattern))
    return [(str(path.relative_to(RECORDED)), found) for path in paths for found in _objects(path)]


def _objects(path: Path) -> list[dict[str, Any]]:
    """The objects of a file: one in `.json`, one in each line of `.jsonl`."""
    if path.suffix == ".jsonl":
        return [orjson.loads(line) for line in path.read_bytes().splitlines() if line.strip()]
    return [orjson.loads(path.read_bytes())]


def only_run(changes: Changes | None) -> WorkflowRun:
    assert changes
    [run] = changes.runs
    return run
