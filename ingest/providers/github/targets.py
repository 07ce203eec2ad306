"""Which repositories `owner/*` of GITHUB_REPOSITORIES stands for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.errors import DashboardError, ProviderUnavailable
from core.settings import Settings
from ingest.providers.github.api import PER_PAGE, GitHub, address
from ingest.providers.refusals import is_missing, is_refused

MOST_PAGES = 1000


@dataclass(frozen=True, slots=True)
class _Page:
    """A page of a listing as it was last seen; asking again is free of charge where nothing changed."""

    etag: str | None
    items: list[Any]
    next_query: Mapping[str, str] | None


class Repositories:
    """Of organizations, people and GitHub Apps."""

    def __init__(self, github: GitHub, settings: Settings) -> None:
        self._github = github
        self._of_app = settings.github_app_id is not None
        self._has_token = settings.github_token is not None
        self._pages: dict[str, _Page] = {}
        self._people: set[str] = set()

    async def held_by(self, owner: str) -> list[str]:
        """All that the token may see, archived ones and forks too: they have a history, and quiet ones cost nothing."""
        if self._of_app:
            return _owned(owner, await self._listed("installation/repositories", owner))
        if owner not in self._people:
            try:
                return _owned(owner, await self._listed(f"orgs/{owner}/repos", owner))
            except DashboardError as error:
                if not is_missing(error):
                    raise
        found = await self._listed(f"users/{owner}/repos", owner)
        self._people.add(owner)
        return sorted({*_owned(owner, found), *_owned(owner, await self._private())})

    async def _private(self) -> list[Any]:
        """A person's private repositories are listed for whoever the token belongs to, and nowhere else."""
        if not self._has_token:
            return []
        try:
            return await self._listed("user/repos", "the token's owner")
        except ProviderUnavailable as error:
            # Refused, the token belongs to no person or may not say: it won't later either.
            self._has_token = not is_refused(error)
            return []

    async def _listed(self, path: str, whose: str) -> list[Any]:
        found: list[Any] = []
        query = {"per_page": PER_PAGE}
        for number in range(1, MOST_PAGES):
            name = address(path, query)
            last = self._pages.get(name)
            answer = await self._github.page(path, query, whose, last.etag if last else None)
            if last is None or not answer.unchanged:
                items = answer.body["repositories"] if isinstance(answer.body, dict) else answer.body
                last = self._pages[name] = _Page(answer.etag, items, answer.next_query)
            found += last.items
            if not last.items or (last.next_query is None and len(last.items) < int(PER_PAGE)):
                break
            # A full page's list of repositories is the same before and after a next page begins: look for yourself.
            query = {**query, **(last.next_query or {"page": str(number + 1)})}
        return found


def _owned(owner: str, repositories: list[Any]) -> list[str]:
    """Full names; a repository that GitHub has disabled can't be read."""
    names = [one["full_name"] for one in repositories if not one.get("disabled")]
    return [name for name in names if name.lower().startswith(f"{owner.lower()}/")]
