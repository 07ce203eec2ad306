"""The CI systems as ingest describes them in the database: their names, icons, and how each is set up."""

from dataclasses import dataclass
from typing import Any

import streamlit as st

from core.errors import StoreUnavailable
from core.settings import settings
from dashboard import data
from dashboard.parts.formats import missing, text

KEPT_FOR = 60.0


@dataclass(frozen=True, slots=True)
class Provider:
    """`settings` hold its secret (any of them will do), `polling_settings` switch polling on; `steps` are Markdown."""

    provider: str
    name: str
    icon: str
    settings: tuple[str, ...]
    steps: str
    polling_settings: tuple[str, ...]
    polling_steps: str | None
    is_secured: bool
    is_polled: bool


def described() -> dict[str, Provider]:
    """All that ingest knows, in the order in which they are offered; none where the database can't say."""
    try:
        return _described(settings().database_url)
    except StoreUnavailable:
        return {}


@st.cache_resource(ttl=KEPT_FOR, show_spinner=False)
def _described(_: str) -> dict[str, Provider]:
    return {row["provider"]: _provider(row) for row in data.frame("providers").to_dict("records")}


def _provider(row: dict[Any, Any]) -> Provider:
    return Provider(
        provider=text(row["provider"]),
        name=text(row["name"]),
        icon=text(row["icon"]),
        settings=_names(row["settings"]),
        steps=text(row["steps"]),
        polling_settings=_names(row["polling_settings"]),
        polling_steps=None if missing(row["polling_steps"]) else text(row["polling_steps"]),
        is_secured=bool(row["is_secured"]),
        is_polled=bool(row["is_polled"]),
    )


def _names(value: Any) -> tuple[str, ...]:
    return () if missing(value) else tuple(text(value).split(","))


def polling() -> dict[str, dict[str, Any]]:
    """For each system that is polled: repositories, failing, last_success_at (UTC), an_error."""
    return {text(row["provider"]): row for row in data.frame("provider_polling").to_dict("records")}  # type: ignore[misc]
