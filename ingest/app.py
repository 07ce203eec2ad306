"""The FastAPI application: `uvicorn ingest.app:app`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import Depends, FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.access import Role
from core.settings import settings
from ingest import errors
from ingest.api import (
    alert_settings,
    alerts,
    backfills,
    backups,
    build_logs,
    builds,
    deliveries,
    digest,
    exports,
    health,
    ingest_health,
    insight_settings,
    insights,
    lights,
    metrics,
    notifications,
    prometheus,
    seed,
    silences,
    webhooks,
)
from ingest.api import settings as settings_api
from ingest.api import sql as sql_api
from ingest.api.dependencies import may_see_badges, needs
from ingest.api.parameters import no_nul, only_known
from ingest.guards.body_limit import BodyLimit
from ingest.guards.etag import ETag
from ingest.guards.exposure import Exposure
from ingest.guards.frontend_origin import FrontendOrigin
from ingest.guards.identity import Identity
from ingest.guards.measure import Measure
from ingest.guards.rate_limit import RateLimit
from ingest.guards.request_id import RequestId
from ingest.guards.safe_headers import SafeHeaders
from ingest.logs import configure_logs
from ingest.service import Service


@asynccontextmanager
async def lifespan(api: FastAPI) -> AsyncIterator[None]:
    configure_logs(settings())
    api.state.service = Service.start(settings())
    try:
        yield
    finally:
        await api.state.service.stop()


def guard(app: FastAPI) -> None:
    """Put all guards before an application. The last one added meets a request first."""
    app.add_middleware(ETag)
    app.add_middleware(RateLimit, settings=settings)
    app.add_middleware(Identity)
    app.add_middleware(BodyLimit, settings=settings)
    app.add_middleware(Exposure)
    app.add_middleware(FrontendOrigin)
    app.add_middleware(SafeHeaders)
    app.add_middleware(Measure)
    app.add_middleware(RequestId)


api = FastAPI(
    title="CI/CD Health Dashboard",
    version="0.1.0",
    description="Runs of CI systems: receive, read, export, act. Every error has one shape (`ErrorBody`).",
    lifespan=lifespan,
)
errors.install(api)
READS = [
    metrics.router,
    insights.router,
    insight_settings.router,
    digest.router,
    ingest_health.router,
    build_logs.router,
    builds.router,
    alerts.router,
    alert_settings.router,
    notifications.router,
    silences.router,
    deliveries.router,
    backfills.router,
    backups.router,
    exports.router,
    settings_api.router,
    sql_api.router,
]
SANE = [Depends(only_known), Depends(no_nul)]
CHECKED: dict[str, Any] = {"dependencies": SANE, "responses": errors.documented()}
# Whoever reads needs a viewer's role at least; what changes something asks for more.
READABLE: dict[str, Any] = CHECKED | {"dependencies": [*SANE, needs(Role.VIEWER)]}
for prefix, is_canonical in (("/api/v1", True), ("/api", False)):
    place: dict[str, Any] = {"prefix": prefix, "include_in_schema": is_canonical}
    api.include_router(webhooks.router, **place, responses=errors.documented())
    api.include_router(seed.router, **place, **CHECKED)
    for router in READS:
        api.include_router(router, **place, **READABLE)
api.include_router(health.router, **CHECKED)
for router in (prometheus.router, lights.lights):
    api.include_router(router, **READABLE)
api.include_router(lights.badges, **CHECKED | {"dependencies": [*SANE, Depends(may_see_badges)]})
guard(api)


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
