"""Bodies: 413 above MAX_BODY_BYTES, counted while they stream in; 408 when they take too long; 415 when compressed."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.settings import Settings
from ingest.errors import error_body


class BodyLimit:
    """Settings are asked for on each request, because they are read at start-up."""

    def __init__(self, app: ASGIApp, settings: Callable[[], Settings]) -> None:
        self.app = app
        self.settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        limit = self.settings().max_body_bytes
        # No CI system compresses its webhooks; unpacking for whoever does would open the door to bombs.
        if headers.get("content-encoding", "identity").lower() != "identity":
            message = "The body is compressed (Content-Encoding). Send it as it is."
            await _refuse(scope, receive, send, _Refusal(415, "unsupported_encoding", message))
            return
        # A length that is honest saves reading the body at all; a lying or missing one is caught while counting.
        announced = headers.get("content-length", "0")
        if announced.isdigit() and int(announced) > limit:
            await _refuse(scope, receive, send, _too_large(limit))
            return
        body = _Body(receive, limit, self.settings().request_timeout_seconds)
        answered = False

        async def watched(message: Message) -> None:
            nonlocal answered
            # What the application makes of a body that didn't arrive (FastAPI: 400 for whatever went wrong) isn't sent.
            if answered or body.refusal is None:
                answered = True
                await send(message)

        try:
            await self.app(scope, body.receive, watched)
        except _Unread:
            if answered:
                raise
        if body.refusal and not answered:
            await _refuse(scope, receive, send, body.refusal)


@dataclass(frozen=True, slots=True)
class _Refusal:
    status: int
    code: str
    message: str


class _Unread(Exception):
    """The rest of the body is not read, and the request not answered by the application."""


class _Body:
    """A body as it streams in: counted, and with a deadline for the whole of it."""

    def __init__(self, receive: Receive, limit: int, seconds: float) -> None:
        self._receive = receive
        self._limit = limit
        self._deadline = asyncio.get_running_loop().time() + seconds
        self._received = 0
        self._is_whole = False
        self.refusal: _Refusal | None = None

    async def receive(self) -> Message:
        if self._is_whole:  # what comes now is the end of the connection, whenever that is
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._deadline):
                message = await self._receive()
        except TimeoutError:
            self.refusal = _Refusal(408, "request_timeout", "The body took too long to arrive.")
            raise _Unread from None
        self._received += len(message.get("body", b""))
        if self._received > self._limit:
            self.refusal = _too_large(self._limit)
            raise _Unread
        self._is_whole = not message.get("more_body", False)
        return message


def _too_large(limit: int) -> _Refusal:
    return _Refusal(413, "body_too_large", f"The body is larger than {limit} bytes (MAX_BODY_BYTES).")


async def _refuse(scope: Scope, receive: Receive, send: Send, refusal: _Refusal) -> None:
    """The rest of the body is not waited for: the connection ends."""
    body = error_body(refusal.code, refusal.message, {}, scope.get("request_id", ""))
    await JSONResponse(body, refusal.status, {"Connection": "close"})(scope, receive, send)
