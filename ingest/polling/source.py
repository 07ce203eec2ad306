"""The interface of a CI system that can be polled."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from ingest.polling.book import Book
from ingest.polling.budget import Budget

LogResult = Literal["kept", "expired", "missing"]


@dataclass(frozen=True, slots=True)
class Targets:
    """The repositories to poll, and what is wrong with the patterns (`acme/*`) that couldn't be expanded."""

    repositories: tuple[str, ...]
    problems: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LogAddress:
    """Whose log is wanted, in the CI system's own words: numbers of the run and its attempt, id and name of the job."""

    repository: str
    run_id: str
    run_attempt: int
    job_id: str
    job_name: str


class Source(ABC):
    """One CI system. Every method may raise DashboardError; its sentence is shown beside the repository."""

    provider: str
    budget: Budget

    @abstractmethod
    async def targets(self) -> Targets:
        """What to poll. Asked before every round: remember what is expensive to find out."""

    @abstractmethod
    async def newest(self, book: Book) -> None:
        """What happened since the last look. Costs next to nothing where nothing happened."""

    async def recheck(self, book: Book) -> None:  # noqa: B027 - nothing is a fine answer
        """What the newest alone never shows, such as re-runs of old runs. Asked every tenth round."""

    async def backfill(self, book: Book) -> None:
        """Read one more piece of history and note with `book.reached` how far back it goes."""
        if book.state.backfill_since:
            await book.reached(book.state.backfill_since)

    async def details(self, book: Book) -> bool:  # noqa: ARG002
        """Read one more piece of what belongs to runs that are stored. False once there is nothing left to read."""
        return False

    async def read_log(self, job: LogAddress, feed: Callable[[bytes], None]) -> LogResult:  # noqa: ARG002
        """Hand the log of a job to `feed` in pieces.

        `expired`: there was one; `missing`: there is none, or none yet. Raises ProviderUnavailable; `Passing` is tried
        again from the start, with another `feed`.
        """
        return "missing"

    @abstractmethod
    async def close(self) -> None:
        """Let go of connections."""
