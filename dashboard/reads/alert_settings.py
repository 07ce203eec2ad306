"""What the page of alert settings reads and changes."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pandas as pd
import streamlit as st

from core.access import Role
from core.alert_preview import History, WouldBe, preview, read_history
from core.pipeline_rules import Rules, Thresholds
from core.settings import settings
from core.store.alerts import ROUTES, RULES
from core.store.stored_settings import stored_json
from dashboard.data import frame
from dashboard.reads.alerts import ask

PREVIEW_DAYS = 30
Stored = dict[str, Any]


def stored_rules() -> Stored:
    """The thresholds as people set them: `{"default": {…}, "pipelines": {id: {…}}}`."""
    return {"default": {}, "pipelines": {}} | stored_json(frame, RULES)


def stored_routes() -> Stored:
    """Severities of channels and routes: `{"least": {channel: severity}, "routes": […]}`."""
    return {"least": {}, "routes": []} | stored_json(frame, ROUTES)


def with_thresholds(stored: Stored, pipeline_id: str | None, chosen: Thresholds | None) -> Stored:
    """`stored` with the thresholds of all pipelines (no id), or of one; None: it has none of its own.

    A pipeline keeps only what differs from the thresholds of all.
    """
    if pipeline_id is None:
        return stored | {"default": asdict(chosen or Thresholds())}
    others = {name: own for name, own in stored["pipelines"].items() if name != pipeline_id}
    if chosen is None:
        return stored | {"pipelines": others}
    default = asdict(Rules.read(stored).default)
    own = {name: value for name, value in asdict(chosen).items() if value != default[name]}
    return stored | {"pipelines": others | {pipeline_id: own}}


def tried(stored: Stored, pipeline_id: str | None) -> list[WouldBe]:
    """The alerts that these thresholds would have raised in the last PREVIEW_DAYS days."""
    now = datetime.now(UTC)
    text = orjson.dumps(stored, option=orjson.OPT_SORT_KEYS).decode()
    return _tried(f"{settings().database_url} {text} {pipeline_id} {now:%Y-%m-%dT%H:%M}", stored, pipeline_id, now)


@st.cache_resource(ttl=120, max_entries=20, show_spinner="Going through the history …")
def _tried(key: str, _stored: Stored, _pipeline_id: str | None, _now: datetime) -> list[WouldBe]:  # noqa: ARG001
    history = _history(f"{settings().database_url} {_pipeline_id}", _pipeline_id, _now)
    return preview(history, Rules.read(_stored), _now - timedelta(days=PREVIEW_DAYS), _now)


@st.cache_resource(ttl=120, max_entries=4, show_spinner="Reading the history …")
def _history(key: str, _pipeline_id: str | None, _now: datetime) -> History:  # noqa: ARG001 -- the key has them
    return read_history(frame, _pipeline_id, days=PREVIEW_DAYS, now=_now)


def save_rules(stored: Stored) -> None:
    ask("PUT", "/alert-rules", role=Role.ADMIN, json=stored)


def save_routes(stored: Stored) -> None:
    ask("PUT", "/alert-routes", role=Role.ADMIN, json=stored)


def channels() -> list[dict[str, Any]]:
    """The channels as GET /channels describes them."""
    found: list[dict[str, Any]] = ask("GET", "/channels")["channels"]
    return found


def test(channel: str) -> str:
    """Send a test message; returns what the channel answered. Raises as `ask_service`, with its refusal."""
    return str(ask("POST", "/alert/test", json={"channel": channel})["answer"])


def retry(message_id: str) -> None:
    ask("POST", f"/notifications/{message_id}/retry")


def silence(wanted: dict[str, Any], by: str) -> None:
    ask("POST", "/silences", by, json=wanted | {"by": by})


def end_silence(silence_id: str) -> None:
    ask("DELETE", f"/silences/{silence_id}")


def names_of(pipelines: pd.DataFrame) -> dict[str, str]:
    """Pipeline ids with what people call them: `acme/web · CI`."""
    columns = (pipelines[name] for name in ("id", "repository", "pipeline"))
    return {str(key): f"{repository} · {name}" for key, repository, name in zip(*columns, strict=True)}
