"""ETag on every answer to GET that is one piece; a caller that has it already gets 304 without the body."""

import hashlib

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# What a 304 must not say: it has no body.
BODY_HEADERS = ("content-length", "content-type")


class ETag:
    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            await self.app(scope, receive, send)
            return
        start: Message | None = None
        known = Headers(scope=scope).get("if-none-match", "")

        async def tagged(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start" and message["status"] == 200:
                start = message  # held until the body shows whether it is one piece
                return
            if start is not None:
                held, start = start, None
                if not message.get("more_body"):
                    held, message = _with_tag(held, message, known)
                await send(held)
            await send(message)

        await self.app(scope, receive, tagged)


def _with_tag(start: Message, body: Message, known: str) -> tuple[Message, Message]:
    headers = MutableHeaders(raw=start["headers"])
    tag = f'W/"{hashlib.blake2b(body.get("body", b""), digest_size=12).hexdigest()}"'
    headers["ETag"] = tag
    if tag not in (entry.strip() for entry in known.split(",")) and known.strip() != "*":
        return start, body
    for name in BODY_HEADERS:
        del headers[name]
    return {**start, "status": 304}, {**body, "body": b""}
