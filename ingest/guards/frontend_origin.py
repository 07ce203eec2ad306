"""CORS: pages of FRONTEND_ORIGIN may call, no other site's; which one it is is known once settings are read."""

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from core.settings import settings


class FrontendOrigin:
    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._guarded: CORSMiddleware | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if self._guarded is None:
            self._guarded = self._guard(settings().frontend_origin)
        await self._guarded(scope, receive, send)

    def _guard(self, origin: str) -> CORSMiddleware:
        return CORSMiddleware(
            self.app,
            allow_origins=[origin],
            allow_methods=["GET", "POST", "PUT", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "X-API-KEY", "X-Request-ID", "If-None-Match"],
            expose_headers=["ETag", "X-Request-ID", "RateLimit-Remaining", "RateLimit-Reset", "Retry-After"],
        )
