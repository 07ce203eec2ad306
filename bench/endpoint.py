"""The same endpoint with another store behind it: our router, guards and checks, so that only the store differs."""

from concurrent.futures import Future
from types import SimpleNamespace
from typing import Protocol

from fastapi import FastAPI

from core.model import Delivery
from core.settings import settings
from core.store.writer import Outcome
from ingest import errors
from ingest.api import webhooks
from ingest.guards.body_limit import BodyLimit
from ingest.guards.exposure import Exposure
from ingest.guards.request_id import RequestId


class DeliveryWriter(Protocol):
    def submit_delivery(self, delivery: Delivery) -> "Future[Outcome]":
        """Store a delivery; the future's result is the answer to the caller."""


def endpoint(writer: DeliveryWriter) -> FastAPI:
    """An application with the webhook endpoint and `writer` as its store."""
    app = FastAPI()
    errors.install(app)
    app.include_router(webhooks.router, prefix="/api/v1")
    app.add_api_route("/health/ready", lambda: {"status": "ready"})
    app.add_middleware(BodyLimit, limit=lambda: settings().max_body_bytes)
    app.add_middleware(Exposure)
    app.add_middleware(RequestId)
    app.state.service = SimpleNamespace(settings=settings(), writer=writer)
    return app
