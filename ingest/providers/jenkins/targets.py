"""Which jobs JENKINS_JOBS means: `team/*` and `*` are walked through now and then, folder by folder."""

import time

from core.errors import DashboardError
from ingest.polling.source import Targets
from ingest.providers.jenkins.api import Jenkins, Json, place_of

# `jobs` of an item is only asked for to see whether it has any: then it is a folder of some kind.
FOLDER = "_class,jobs[_class,name,jobs[_class]{0,1}]"


class Expansion:
    def __init__(self, jenkins: Jenkins, patterns: list[str], pace: float) -> None:
        """`pace`: the seconds within which a new job of a folder is found."""
        self._jenkins = jenkins
        self._patterns = patterns
        self._pace = pace
        self._known: dict[str, list[str]] = {}
        self._problems: dict[str, str] = {}
        self._asked_at: dict[str, float] = {}

    async def targets(self) -> Targets:
        names: list[str] = []
        for pattern in self._patterns:
            names += await self._expanded(pattern) if pattern.split("/")[-1] == "*" else [pattern]
        return Targets(tuple(sorted(set(names))), dict(self._problems))

    async def _expanded(self, pattern: str) -> list[str]:
        """What is known where Jenkins can't say just now."""
        now = time.monotonic()
        if now - self._asked_at.get(pattern, -self._pace) >= self._pace or pattern in self._problems:
            self._asked_at[pattern] = now
            try:
                self._known[pattern] = await self._beneath(pattern.split("/")[:-1])
                self._problems.pop(pattern, None)
            except DashboardError as error:
                self._problems[pattern] = str(error)
        return self._known.get(pattern, [])

    async def _beneath(self, names: list[str]) -> list[str]:
        """The full names of all jobs of a folder and its folders. A multibranch project is one job."""
        whose = "/".join(names) or "Jenkins"
        folder = await self._jenkins.document(place_of(names), FOLDER, whose)
        if is_multibranch(folder):
            return ["/".join(names)]
        found: list[str] = []
        for item in folder.get("jobs") or []:
            inside = [*names, item["name"]]
            is_folder = "jobs" in item and not is_multibranch(item)
            found += await self._beneath(inside) if is_folder else ["/".join(inside)]
        return found


def is_multibranch(item: Json) -> bool:
    return bool(item.get("_class", "").endswith("MultiBranchProject"))
