"""Which projects GITLAB_PROJECTS means: `group/*` is asked for now and then, subgroups included."""

import time
from urllib.parse import quote

from core.errors import DashboardError
from ingest.polling.source import Targets
from ingest.providers.gitlab.api import GitLab
from ingest.providers.refusals import is_missing

EVERYTHING = "/*"


class Expansion:
    def __init__(self, gitlab: GitLab, patterns: list[str], pace: float) -> None:
        """`pace`: the seconds within which a new project of a group is found."""
        self._gitlab = gitlab
        self._patterns = patterns
        self._pace = pace
        self._known: dict[str, list[str]] = {}
        self._problems: dict[str, str] = {}
        self._asked_at: dict[str, float] = {}

    async def targets(self) -> Targets:
        names: list[str] = []
        for pattern in self._patterns:
            names += await self._expanded(pattern) if pattern.endswith(EVERYTHING) else [pattern]
        # GitLab doesn't tell upper from lower case in a path.
        unique = {name.lower(): name for name in reversed(names)}
        return Targets(tuple(sorted(unique.values())), dict(self._problems))

    async def _expanded(self, pattern: str) -> list[str]:
        """What is known where GitLab can't say just now."""
        now = time.monotonic()
        if now - self._asked_at.get(pattern, -self._pace) >= self._pace or pattern in self._problems:
            self._asked_at[pattern] = now
            try:
                self._known[pattern] = await self._projects(pattern.removesuffix(EVERYTHING))
                self._problems.pop(pattern, None)
            except DashboardError as error:
                self._problems[pattern] = str(error)
        return self._known.get(pattern, [])

    async def _projects(self, owner: str) -> list[str]:
        """Of a group or, where there is none of that name, of a user; without those that can have no pipelines."""
        query = {"archived": "false", "order_by": "id", "sort": "asc"}
        place = quote(owner, safe="")
        try:
            found = await self._gitlab.items(f"groups/{place}/projects", {**query, "include_subgroups": "true"}, owner)
        except DashboardError as error:
            if not is_missing(error):
                raise
            found = await self._gitlab.items(f"users/{place}/projects", query, owner)
        return [one["path_with_namespace"] for one in found if one.get("builds_access_level") != "disabled"]
