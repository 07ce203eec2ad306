"""The steps of recent jobs that are stored: known from what the writer wrote, so that it needn't search the table."""

from collections import OrderedDict
from collections.abc import Sequence

from core.model import Step

# A job's steps come with two or three words about it, most within the hour.
MAX_JOBS = 20_000


class StoredSteps:
    """Used by the writer's thread. What it doesn't know may be stored all the same, by an earlier process."""

    def __init__(self) -> None:
        self._versions: OrderedDict[str, dict[int, str]] = OrderedDict()

    def parted(self, steps: Sequence[Step]) -> tuple[list[Step], list[Step]]:
        """The steps that aren't known to be stored, and newer words about some that are. The rest says nothing new."""
        unknown: list[Step] = []
        newer: list[Step] = []
        for step in steps:
            version = self._versions.get(step.job_id, {}).get(step.number)
            if version is None:
                unknown.append(step)
            elif step.version > version:
                newer.append(step)
        return unknown, newer

    def add(self, steps: Sequence[Step]) -> None:
        """These are stored now. The jobs that were heard of longest ago are forgotten."""
        for step in steps:
            self._versions.setdefault(step.job_id, {})[step.number] = step.version
            self._versions.move_to_end(step.job_id)
        while len(self._versions) > MAX_JOBS:
            self._versions.popitem(last=False)

    def forget(self) -> None:
        self._versions.clear()
