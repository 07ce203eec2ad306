"""Bodies larger than the limit get 413 while they stream in, before they are read whole."""

from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.errors import BodyTooLarge
from ingest.errors import error_body


class BodyLimit:
    """`limit` gives the most bytes allowed; asked for on each request, because settings are read at start-up."""

    def __init__(self, app: ASGIApp, limit: Callable[[], int]) -> None:
        self.app = app
        self.limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = self.limit()
        announced = Headers(scope=scope).get("content-length", "0")
        received = 0
        answered = False

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise BodyTooLarge(f"The body is larger than {limit} bytes.")
            return message

        async def watched(message: Message) -> None:
            nonlocal answered
            answered = True
            await send(message)

        # A length that is honest saves reading the body at all; a lying or missing one is caught while counting.
        if announced.isdigit() and int(announced) > limit:
            await self._refuse(scope, receive, send, limit)
            return
        try:
            await self.app(scope, counted, watched)
        except BodyTooLarge:
            if answered:
                raise
            await self._refuse(scope, receive, send, limit)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send, limit: int) -> None:
        message = f"The body is larger than {limit} bytes (MAX_BODY_BYTES)."
        body = error_body(BodyTooLarge.code, message, {"limit": limit}, scope.get("request_id", ""))
        await JSONResponse(body, BodyTooLarge.status, {"Connection": "close"})(scope, receive, send)
