"""Which repositories a setting means: what its patterns (`acme/*`) stand for is asked for now and then."""

import time
from collections.abc import Awaitable, Callable

from core.errors import DashboardError
from core.settings import split_list
from ingest.polling.source import Targets


class Expansion:
    def __init__(
        self,
        wanted: str,
        poll_interval_seconds: float,
        held_by: Callable[[str], Awaitable[list[str]]],
        alike: Callable[[str], str] = str.lower,
    ) -> None:
        """`wanted`: names and patterns, separated by commas. `held_by`: the names that `owner/*`, or `*` with an empty
        owner, stands for; may raise DashboardError. `alike`: the same for two names that the CI system takes for one.
        """
        self._wanted = split_list(wanted)
        self._held_by = held_by
        self._alike = alike
        # A new repository is found within this time.
        self._pace = max(300.0, 10 * poll_interval_seconds)
        self._known: dict[str, list[str]] = {}
        self._problems: dict[str, str] = {}
        self._asked_at: dict[str, float] = {}

    async def targets(self) -> Targets:
        names: list[str] = []
        for wanted in self._wanted:
            owner, _, last = wanted.rpartition("/")
            names += await self._expanded(wanted, owner) if last == "*" else [wanted]
        unique = {self._alike(name): name for name in reversed(names)}
        return Targets(tuple(sorted(unique.values())), dict(self._problems))

    async def _expanded(self, pattern: str, owner: str) -> list[str]:
        """What is known where the CI system can't say just now."""
        now = time.monotonic()
        if now - self._asked_at.get(pattern, -self._pace) >= self._pace or pattern in self._problems:
            self._asked_at[pattern] = now
            try:
                self._known[pattern] = await self._held_by(owner)
                self._problems.pop(pattern, None)
            except DashboardError as error:
                self._problems[pattern] = str(error)
        return self._known.get(pattern, [])
