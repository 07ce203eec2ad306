"""Counts and times requests, by route and status, for `/metrics`; gives each its log line."""

import time

import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = structlog.get_logger()

# A series with the time of its making beside each would be of no use to anybody.
disable_created_metrics()  # type: ignore[no-untyped-call]
HTTP = CollectorRegistry()
REQUESTS = Counter("cicd_http_requests", "Requests answered.", ["method", "route", "status"], registry=HTTP)
SECONDS = Histogram("cicd_http_request_duration_seconds", "Time to answer.", ["route"], registry=HTTP)

# Anything may stand in a request line; a label must have few values.
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})


class Measure:
    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun, status = time.perf_counter(), 500

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, watched)
        finally:
            took = time.perf_counter() - begun
            route = getattr(scope.get("route"), "path", "none")
            method = scope["method"] if scope["method"] in METHODS else "other"
            REQUESTS.labels(method, route, str(status)).inc()
            SECONDS.labels(route).observe(took)
            log.debug("request", method=method, path=scope["path"], status=status, milliseconds=round(took * 1000, 1))
