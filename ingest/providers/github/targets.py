"""Which repositories GITHUB_REPOSITORIES means: `owner/*` is asked for now and then."""

import time
from typing import Any

from core.errors import DashboardError
from core.settings import Settings
from ingest.polling.source import Targets
from ingest.providers.github.api import GitHub, is_missing


class Expansion:
    def __init__(self, github: GitHub, patterns: list[str], settings: Settings) -> None:
        self._github = github
        self._patterns = patterns
        self._of_app = settings.github_app_id is not None
        # A new repository is found within this time; the listing costs a point for each hundred repositories.
        self._pace = max(300.0, 10 * settings.poll_interval_seconds)
        self._known: dict[str, list[str]] = {}
        self._problems: dict[str, str] = {}
        self._asked_at: dict[str, float] = {}

    async def targets(self) -> Targets:
        names: list[str] = []
        for pattern in self._patterns:
            names += await self._expanded(pattern) if pattern.endswith("/*") else [pattern]
        # GitHub doesn't tell upper from lower case, so neither may we: one repository, one row.
        unique = {name.lower(): name for name in reversed(names)}
        return Targets(tuple(sorted(unique.values())), dict(self._problems))

    async def _expanded(self, pattern: str) -> list[str]:
        """What is known where GitHub can't say just now."""
        now = time.monotonic()
        if now - self._asked_at.get(pattern, -self._pace) >= self._pace or pattern in self._problems:
            self._asked_at[pattern] = now
            try:
                self._known[pattern] = await self._repositories(pattern.removesuffix("/*"))
                self._problems.pop(pattern, None)
            except DashboardError as error:
                self._problems[pattern] = str(error)
        return self._known.get(pattern, [])

    async def _repositories(self, owner: str) -> list[str]:
        if self._of_app:
            found = await self._named("installation/repositories", owner, "repositories")
            return [name for name in found if name.lower().startswith(f"{owner.lower()}/")]
        try:
            return await self._named(f"orgs/{owner}/repos", owner, None)
        except DashboardError as error:
            if not is_missing(error):
                raise
            return await self._named(f"users/{owner}/repos", owner, None)

    async def _named(self, path: str, owner: str, field: str | None) -> list[str]:
        items: list[dict[str, Any]] = [item async for item in self._github.items(path, field, owner)]
        return [item["full_name"] for item in items if not item.get("disabled")]
