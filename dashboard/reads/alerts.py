"""What the alert pages read, and what people do there through the ingest service."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pandas as pd

from core.access import Role
from core.queries import Value
from dashboard.data import Freshness, Scope, ask_service, frame, unless_new


@dataclass(frozen=True, slots=True)
class AlertQuery:
    """Which alerts a page is about; None means any. `since` (UTC) leaves out alerts that ended before."""

    scope: Scope
    severity: str | None
    type: str | None
    since: datetime | None

    def parameters(self) -> dict[str, Value]:
        own: dict[str, Value] = {"severity": self.severity, "type": self.type, "since": self.since}
        return {**self.scope.parameters(), **own, "pipeline_id": None, "alert_id": None}


NOTHING_ASKED = AlertQuery(Scope(), None, None, None).parameters()


def summary(fresh: Freshness, query: AlertQuery) -> dict[str, Any]:
    """Counts by state, and the medians of the times to acknowledge and to resolve in seconds."""
    row: dict[Any, Any] = unless_new(fresh, "alert_summary", query.parameters(), ("since",)).iloc[0].to_dict()
    return row


def page(fresh: Freshness, query: AlertQuery, state: str, *, limit: int, offset: int) -> pd.DataFrame:
    """A page of the alerts in one state."""
    parameters = {**query.parameters(), "statuses": (state,), "limit": limit, "offset": offset}
    return unless_new(fresh, "alert_page", parameters, ("since",))


def one(alert_id: str) -> dict[Any, Any] | None:
    """One alert; None for an unknown id."""
    rows = frame("alert_page", **{**NOTHING_ASKED, "alert_id": alert_id}, statuses=None, limit=1, offset=0)
    return None if rows.empty else rows.to_dict("records")[0]


def events(alert_id: str) -> pd.DataFrame:
    """What happened to an alert, oldest first."""
    return frame("alert_events", alert_id=alert_id)


def messages(
    *, alert_id: str | None = None, status: str | None = None, channel: str | None = None, limit: int, offset: int = 0
) -> pd.DataFrame:
    """Messages and what became of them, newest first."""
    return frame("notification_list", alert_id=alert_id, status=status, channel=channel, limit=limit, offset=offset)


def silences(now: datetime) -> pd.DataFrame:
    """Silences in force or still to come."""
    return frame("silence_list", now=now)


def pipelines() -> pd.DataFrame:
    """Pipelines to choose from: id, provider, repository, pipeline."""
    return frame("pipeline_names")


def ask(method: str, path: str, by: str = "dashboard", *, role: Role | None = None, json: Any = None) -> dict[str, Any]:
    """The service's answer as a dict. Raises as `ask_service`."""
    answer = ask_service(method, path, by=by, role=role, json=json)
    found: dict[str, Any] = answer.json() if answer.content else {}
    return found


def acknowledge(alert_ids: list[str], by: str, note: str | None) -> list[str]:
    """Take alerts on; returns why some could not be. Raises as `ask_service`."""
    answer = ask("POST", "/alerts/acknowledge", by, json={"ids": alert_ids, "by": by, "note": note})
    return [refusal["reason"] for refusal in answer["refused"]]


def snooze(alert_id: str, by: str, note: str | None, length: timedelta) -> None:
    minutes = max(1, round(length.total_seconds() / 60))
    ask("POST", f"/alerts/{alert_id}/snooze", by, json={"minutes": minutes, "by": by, "note": note})


def resolve(alert_id: str, by: str, note: str | None) -> None:
    ask("POST", f"/alerts/{alert_id}/resolve", by, json={"by": by, "note": note})
