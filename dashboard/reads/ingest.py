"""What the page of ingest's own health reads, and the one thing that it does: process a delivery again."""

from datetime import datetime
from typing import Any
from urllib.parse import quote

import pandas as pd

from core.access import Role
from dashboard.data import ask_service, frame
from dashboard.parts.formats import text


def repositories(now: datetime) -> pd.DataFrame:
    """One row for each polled repository."""
    return frame("poll_states", now=now)


def rate_limit(since: datetime) -> pd.DataFrame:
    """What was left of the rate limit at each look, by CI system, oldest first."""
    return frame("rate_limit_history", provider=None, since=since)


def delivery_counts(since: datetime) -> dict[str, int]:
    """Kept deliveries by result, and how many came again since the day of `since`."""
    counts = {"processed": 0, "ignored": 0, "failed": 0}
    counts |= {text(row["result"]): int(row["number"]) for row in frame("delivery_counts").to_dict("records")}
    again = frame("duplicate_counts", since=since)
    return counts | {"duplicate": int(again["number"].sum()) if len(again) else 0}


def deliveries(result: str | None, provider: str | None, *, limit: int, offset: int) -> pd.DataFrame:
    """Deliveries without their payloads, newest first."""
    return frame("delivery_list", result=result, provider=provider, limit=limit, offset=offset)


def payload(provider: str, delivery_id: str) -> str | None:
    """The body of a delivery as it came; None once it is forgotten."""
    found = frame("delivery_payload", delivery_id=delivery_id)
    bodies = found.loc[found["provider"] == provider, "payload"]
    return text(bodies.iloc[0]) if len(bodies) else None


def archived_files() -> pd.DataFrame:
    """The files that old runs were moved to, by month."""
    return frame("archived_files")


def service_state() -> dict[str, Any]:
    """What only the running service knows: timed jobs, the size of the database, its version. Raises as ask_service."""
    state: dict[str, Any] = ask_service("GET", "/health/ingest").json()
    return state


def replay(delivery_id: str) -> dict[str, Any]:
    """Process a delivery again by the code of today; its new row. Raises as ask_service."""
    path = f"/deliveries/{quote(delivery_id, safe='')}/replay"
    answer: dict[str, Any] = ask_service("POST", path, role=Role.ADMIN).json()
    return answer
