"""What is known of one repository while it is polled: its state, its ETags, and the way of its rows into the store."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from core.model import Changes, WorkflowRun
from core.queries import Value
from core.store import polling as store
from core.store.cursor import Cursor
from core.store.polling import AttemptResult, PollState
from core.store.reader import Reader
from core.store.writer import Writer
from ingest.api.frames import records
from ingest.polling.gaps import GRACE, SKEW, Suspect, news, sorted_out

# Of one repository in one round.
MOST_FOLLOWED = 100


class Book:
    """Lives on the event loop of the engine. What was noted is stored by `save`, after the rows that it speaks of."""

    def __init__(self, state: PollState, reader: Reader, writer: Writer) -> None:
        self.state = state
        self._reader = reader
        self._writer = writer
        self._etags: dict[str, str] = {row["url"]: row["etag"] for row in self._own_rows("poll_etags")}
        self._unsaved: dict[str, str] = {}
        self._suspects: list[Suspect] = []
        self._notes: dict[str, Any] = orjson.loads(state.cursor) if state.cursor else {}

    @property
    def repository(self) -> str:
        return self.state.repository

    def rows(self, query: str, **parameters: Value) -> list[dict[str, Any]]:
        """The rows of a named query."""
        return records(self._reader.frame(query, **parameters))

    def unfinished(self, longest: timedelta) -> list[dict[str, Any]]:
        """Attempts whose end isn't known, the newest MOST_FOLLOWED; those that began longer ago are given up."""
        return self.rows(
            "poll_unfinished",
            provider=self.state.provider,
            repository_id=self.state.repository_id,
            since=datetime.now(UTC) - longest,
            limit=MOST_FOLLOWED,
        )

    async def keep(self, changes: Changes) -> None:
        """Store what polling found. Runs that webhooks should have brought, but didn't, count as closed gaps."""
        unknown, older = await asyncio.to_thread(self._news, changes)
        await asyncio.wrap_future(self._writer.submit_changes(changes))
        self.note(rows_added=self.state.rows_added + len(unknown))
        if self._webhooks_arrive():
            gaps, suspects = sorted_out([*unknown, *older], datetime.now(UTC))
            self._suspects += suspects
            self.note(gaps_closed=self.state.gaps_closed + gaps)

    async def keep_history(self, changes: Changes) -> None:
        """Store rows of the past, which no webhook could have brought."""
        unknown, _ = await asyncio.to_thread(self._news, changes)
        await asyncio.wrap_future(self._writer.submit_changes(changes))
        self.note(rows_added=self.state.rows_added + len(unknown))

    async def settle_gaps(self, now: datetime) -> None:
        """Count the runs that polling saw before their webhooks, where these haven't come by now."""
        due = [suspect for suspect in self._suspects if now - suspect.updated_at >= GRACE]
        self._suspects = [suspect for suspect in self._suspects if now - suspect.updated_at < GRACE]
        lost = await asyncio.to_thread(lambda: sum(not self._was_delivered(suspect) for suspect in due))
        self.note(gaps_closed=self.state.gaps_closed + lost)

    async def mark(self, attempt_ids: Iterable[str], result: AttemptResult) -> None:
        """These attempts were read whole, or are gone: don't ask for them again."""
        ids = list(attempt_ids)
        if ids:
            await self.transact(lambda cursor: store.mark_attempts(cursor, ids, result, datetime.now(UTC)))

    async def end_deleted(self, attempt_id: str) -> None:
        """The CI system deleted this attempt before we saw its end."""
        await self.transact(lambda cursor: store.end_deleted(cursor, attempt_id, datetime.now(UTC)))

    def etag(self, url: str) -> str | None:
        return self._etags.get(url)

    def note_etag(self, url: str, etag: str | None) -> None:
        """Call this after the rows of the page were kept, never before."""
        if etag and self._etags.get(url) != etag:
            self._etags[url] = self._unsaved[url] = etag

    def count(self, status: int) -> None:
        """A request was answered; an answer of 304 is free of charge."""
        self.note(requests=self.state.requests + 1, points=self.state.points + (status != 304))

    def note(self, **columns: Any) -> None:
        """Change the state; `save` stores it."""
        self.state = replace(self.state, **columns)

    def remembered(self, name: str) -> Any:
        """What the source itself noted."""
        return self._notes.get(name)

    def remember(self, **notes: Any) -> None:
        self._notes |= notes
        self.note(cursor=orjson.dumps(self._notes).decode())

    async def reached(self, moment: datetime) -> None:
        """The history is stored back to `moment` without a gap."""
        self.note(backfill_reached=moment)
        await self.save()

    async def save(self) -> None:
        """Store the state and the ETags noted since the last time."""
        state, etags = self.state, self._unsaved
        self._unsaved = {}

        def change(cursor: Cursor) -> None:
            store.save_state(cursor, state)
            if etags:
                store.save_etags(cursor, state.provider, state.repository, etags, datetime.now(UTC))

        await self.transact(change)

    async def transact(self, change: Callable[[Cursor], None]) -> None:
        await asyncio.wrap_future(self._writer.transact(change))

    def _news(self, changes: Changes) -> tuple[list[WorkflowRun], list[WorkflowRun]]:
        known: dict[str, str] = {}
        if changes.runs:
            ids = tuple({run.id for run in changes.runs})
            known = {row["id"]: row["version"] for row in self.rows("poll_known_runs", attempt_ids=ids)}
        return news(changes.runs, known)

    def _was_delivered(self, suspect: Suspect) -> bool:
        since = suspect.updated_at - SKEW
        rows = self.rows("poll_delivered", provider=self.state.provider, text=suspect.run_id, since=since)
        return bool(rows[0]["arrived"])

    def _webhooks_arrive(self) -> bool:
        return bool(self.rows("has_deliveries", provider=self.state.provider)[0]["arrive"])

    def _own_rows(self, query: str) -> list[dict[str, Any]]:
        return self.rows(query, provider=self.state.provider, repository=self.repository)
