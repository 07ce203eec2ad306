"""uvicorn's HTTP protocol with a deadline for a request's headers, which uvicorn lacks: against slow-loris clients."""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from core.settings import settings


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
