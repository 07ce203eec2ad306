"""Finds out once who calls; endpoints ask for a role with `needs` (`ingest.api.dependencies`)."""

import asyncio

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from core.errors import DashboardError
from ingest.access.callers import Caller


class Identity:
    """Puts a Caller into the request's state, or the error that its credential earned: who asks for a role meets it.

    A webhook needs neither: its signature is checked over its body.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope.setdefault("state", {})["caller"] = await self._caller(scope)
        await self.app(scope, receive, send)

    async def _caller(self, scope: Scope) -> Caller | DashboardError:
        callers = scope["app"].state.service.callers
        headers = Headers(scope=scope)
        authorization, key = headers.get("authorization"), headers.get("x-api-key")
        try:
            # A wrong key costs a slow hash, an unknown issuer a request: neither on the event loop.
            if authorization or key is not None:
                return await asyncio.to_thread(callers.caller, authorization, key)
            return callers.anonymous()  # type: ignore[no-any-return]
        except DashboardError as error:
            return error
