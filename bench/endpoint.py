"""The same endpoint with another store behind it: our router, guards and checks, so that only the store differs."""

from concurrent.futures import Future
from types import SimpleNamespace
from typing import Protocol

import pandas as pd
from fastapi import FastAPI

from core.model import Delivery
from core.queries import Value
from core.settings import settings
from core.store.writer import Outcome
from ingest import errors
from ingest.access.callers import Callers
from ingest.api import webhooks
from ingest.app import guard
from ingest.seen import Seen


class DeliveryWriter(Protocol):
    def submit_delivery(self, delivery: Delivery) -> "Future[Outcome]":
        """Store a delivery; the future's result is the answer to the caller."""


class _NoStoredSettings:
    """What callers are known by: nothing but the environment."""

    def frame(self, query: str, **_: Value) -> pd.DataFrame:
        assert query == "stored_settings"
        return pd.DataFrame({"key": [], "value": []})


def endpoint(writer: DeliveryWriter) -> FastAPI:
    """An application with the webhook endpoint and `writer` as its store."""
    app = FastAPI()
    errors.install(app)
    app.include_router(webhooks.router, prefix="/api/v1")
    app.add_api_route("/health/ready", lambda: {"status": "ready"})
    guard(app)
    callers = Callers(settings(), _NoStoredSettings())
    app.state.service = SimpleNamespace(settings=settings(), writer=writer, callers=callers, seen=Seen(None))
    return app
