"""Why a simulated job failed, as its log would say it: the texts of `failures.toml`, filled in. Pure."""

import random
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from importlib.resources import files
from string import Template
from typing import Any

ESCAPE = "\x1b"
COLOURS = {
    "off": f"{ESCAPE}[0m", "bold": f"{ESCAPE}[1m", "dim": f"{ESCAPE}[2m", "underline": f"{ESCAPE}[4m",
    "inverse": f"{ESCAPE}[7m", "red": f"{ESCAPE}[31m", "green": f"{ESCAPE}[32m", "yellow": f"{ESCAPE}[33m",
    "cyan": f"{ESCAPE}[96m", "grey": f"{ESCAPE}[90m", "redback": f"{ESCAPE}[0;41;97m",
}  # fmt: skip
COMPONENTS = ("CartBadge", "OrderTable", "PriceTag", "SearchBox", "VatField")
FIELDS = ("total", "label", "currency", "customerId", "expiresAt")
MODULES = ("invoices", "orders", "prices", "sessions", "refunds")


@dataclass(frozen=True, slots=True)
class Failure:
    """`repositories` and `jobs`: where it happens (none: anywhere). `began`: days ago, `chance`: how often since."""

    repositories: tuple[str, ...]
    jobs: tuple[str, ...]
    exit_code: int
    text: str
    began: int = 0
    chance: float = 1.0

    def fits(self, repository: str, job: str) -> bool:
        return (not self.repositories or repository in self.repositories) and (not self.jobs or job in self.jobs)


@dataclass(frozen=True, slots=True)
class Ending:
    """The lines that a failing step prints, and the code that it exits with."""

    lines: tuple[str, ...]
    exit_code: int


def ending(
    repository: str, job: str, sha: str, at: datetime, now: datetime, chance: random.Random, *, in_outage: bool
) -> Ending:
    """How a job of `repository` (its name without the owner) that failed at `at` ends. `now` is the simulation's."""
    chosen = _outage() if in_outage else next(_causes(repository, job, at, now, chance))
    number = chance.randint(2, 900)
    details = COLOURS | {
        "name": repository,
        "package": repository.split("-")[-1],
        "component": chance.choice(COMPONENTS),
        "field": chance.choice(FIELDS),
        "module": chance.choice(MODULES),
        "line": str(chance.randint(11, 240)),
        "column": str(chance.randint(3, 60)),
        "number": str(number),
        "other": str(number + chance.randint(1, 9)),
        "seconds": str(chance.randint(2, 58)),
        "sha": sha,
        "clock": f"{at:%Y-%m-%dT%H:%M:%SZ}",
    }
    return Ending(tuple(Template(chosen.text).substitute(details).strip("\n").split("\n")), chosen.exit_code)


def _causes(repository: str, job: str, at: datetime, now: datetime, chance: random.Random) -> Iterator[Failure]:
    """What several pipelines share at that time, then what fits best; the last of them always happens."""
    found = _read()
    for shared in found["shared"]:
        since = now - timedelta(days=shared.began)
        if at >= since and shared.fits(repository, job) and chance.random() < shared.chance:
            yield shared
    yield from sorted(
        (one for one in found["failure"] if one.fits(repository, job)), key=lambda one: not one.repositories
    )
    yield found["failure"][-1]


def _outage() -> Failure:
    return _read()["outage"][0]


@lru_cache
def _read() -> dict[str, list[Failure]]:
    tables = tomllib.loads((files("ingest.simulation") / "failures.toml").read_text())
    return {kind: [_failure(table) for table in entries] for kind, entries in tables.items()}


def _failure(table: dict[str, Any]) -> Failure:
    return Failure(
        tuple(table.get("in", ())), tuple(table.get("on", ())), table["exit"], table["text"],
        table.get("days_ago", 0), table.get("chance", 1.0),
    )  # fmt: skip
