"""The FastAPI application: `uvicorn ingest.app:app`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.access import Role
from core.settings import settings
from ingest import errors
from ingest.api import alerts, backups, build_logs, builds, deliveries, health, ingest_health, metrics, webhooks
from ingest.api.dependencies import needs
from ingest.guards.body_limit import BodyLimit
from ingest.guards.exposure import Exposure
from ingest.guards.identity import Identity
from ingest.guards.request_id import RequestId
from ingest.logs import configure_logs
from ingest.service import Service


@asynccontextmanager
async def lifespan(api: FastAPI) -> AsyncIterator[None]:
    configure_logs(settings().log_level)
    api.state.service = Service.start(settings())
    try:
        yield
    finally:
        await api.state.service.stop()


api = FastAPI(title="CI/CD Health Dashboard", version="0.1.0", lifespan=lifespan)
errors.install(api)
for prefix, is_canonical in (("/api/v1", True), ("/api", False)):
    api.include_router(webhooks.router, prefix=prefix, include_in_schema=is_canonical)
    for router in (
        metrics.router,
        ingest_health.router,
        build_logs.router,
        builds.router,
        alerts.router,
        deliveries.router,
        backups.router,
    ):
        # Whatever is here needs a viewer at least; what changes something asks for more.
        api.include_router(router, prefix=prefix, include_in_schema=is_canonical, dependencies=[needs(Role.VIEWER)])
api.include_router(health.router)
api.add_middleware(Identity)
api.add_middleware(BodyLimit, limit=lambda: settings().max_body_bytes)
api.add_middleware(Exposure)
api.add_middleware(RequestId)


class PlainStartFailure:
    """An expected failure at start-up ends as one sentence: the ASGI server would print a traceback."""

    def __init__(self, inner: ASGIApp) -> None:
        self.inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await self.inner(scope, receive, send)
            return

        async def plain(message: Message) -> None:
            if message["type"] == "lifespan.startup.failed" and (sentence := _last_line(message)):
                message = {**message, "message": sentence}
            await send(message)

        await self.inner(scope, receive, plain)


def _last_line(message: dict[str, Any] | Message) -> str | None:
    """Of a DashboardError's traceback, its sentence; any other error keeps its traceback."""
    last = str(message.get("message", "")).strip().split("\n")[-1]
    return last.split(": ", 1)[1] if last.startswith("core.") and ": " in last else None


app = PlainStartFailure(api)
