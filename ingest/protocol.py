"""uvicorn's HTTP protocol with a deadline for a request's headers, which uvicorn lacks: against slow-loris clients.

What is no HTTP at all is refused in the one shape of errors too.
"""

import asyncio
import uuid

import orjson
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from core.errors import BadRequest
from core.settings import settings
from ingest.errors import error_body


class DeadlineProtocol(HttpToolsProtocol):
    """Ends a connection whose headers aren't whole in time, counted from its opening or a request's first byte.

    Between requests uvicorn's own keep-alive timeout applies; for bodies, `ingest.guards.body_limit`.
    """

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect_headers()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._expect_headers()

    def on_headers_complete(self) -> None:
        self._forget()
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        request_id = uuid.uuid4().hex
        body = orjson.dumps(error_body(BadRequest.code, msg, {}, request_id))
        head = (
            "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nX-Content-Type-Options: nosniff\r\n"
            f"X-Request-ID: {request_id}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget()
        super().connection_lost(exc)

    def _expect_headers(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(settings().request_timeout_seconds, self.transport.abort)

    def _forget(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
