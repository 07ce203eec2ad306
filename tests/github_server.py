"""A GitHub of our own on loopback: a real HTTP server that keeps GitHub's rules, and the weather around it.

Paging with absolute `Link`s to another host, ETags and free 304s, the primary and the secondary limit, faults of every
kind, a clock of its own, GitHub Apps, and logs on another host that must never see the token.
"""

import asyncio
import hashlib
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qsl, urlencode

import jwt
import orjson
import uvicorn

from tests.conftest import free_port, wait_for
from tests.github_routes import Asked, Routes, Said, error
from tests.github_truth import Repository

TOKEN = "ghs_a_token_of_the_tests"
FAULTS = ("502", "500", "reset", "slow", "truncated", "cut JSON", "secondary limit")

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]


@dataclass
class GitHubServer:
    """`repositories` is the truth; most of the other fields are the weather."""

    repositories: dict[str, Repository] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    storage_port: int = field(default_factory=free_port)
    base: str = ""
    fault_every: int = 0
    faults: dict[str, int] = field(default_factory=dict)
    limit: int = 1_000_000
    window: float = 3600
    clock_ahead: float = 0
    burst_answers: list[Said] = field(default_factory=list)
    app_key: str | None = None
    app_tokens: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    points: int = 0
    storage_headers: list[dict[str, str]] = field(default_factory=list)
    used: int = 0
    reset: float = 0

    def __post_init__(self) -> None:
        self.routes = Routes(self.repositories, f"http://localhost:{self.storage_port}", self.base)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{self.base}"

    @property
    def refuse(self) -> dict[str, int]:
        """The status by which requests about a repository are refused."""
        return self.routes.refuse

    def add(self, repository: Repository) -> Repository:
        self.repositories[repository.name] = repository
        return repository

    def forget_requests(self) -> None:
        self.requests.clear()
        self.statuses.clear()
        self.points = 0

    async def __call__(self, scope: MutableMapping[str, Any], _: Any, send: Send) -> None:
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        query = dict(parse_qsl(scope["query_string"].decode(), keep_blank_values=True))
        self.requests.append(scope["path"] + ("?" + scope["query_string"].decode() if query else ""))
        fault = self._fault()
        if fault == "reset":
            self.statuses.append(0)
            send.__self__.transport.abort()  # type: ignore[attr-defined]
            return
        if fault == "slow":
            await asyncio.sleep(0.5)
        said = self._answer(scope["method"], Asked(scope["path"], query), headers, fault)
        self.statuses.append(said.status)
        await self._say(said, scope["path"], query, send, truncated=fault == "truncated")

    def _fault(self) -> str:
        number = len(self.requests)
        if not self.fault_every or number % self.fault_every:
            return ""
        fault = FAULTS[number // self.fault_every % len(FAULTS)]
        self.faults[fault] = self.faults.get(fault, 0) + 1
        return fault

    def _answer(self, method: str, asked: Asked, headers: dict[str, str], fault: str) -> Said:
        if time.time() > self.reset:
            self.used, self.reset = 0, time.time() + self.window
        refusal = self._weather(fault) or self._access(headers, method)
        if refusal:
            return refusal
        if method == "POST":
            return self._app_token(asked, headers)
        said = self.routes.answer(asked)
        if said.status == 200:
            etag = 'W/"' + hashlib.sha256(said.body).hexdigest()[:32] + '"'
            if headers.get("if-none-match") == etag:
                return Said(304, b"", {"etag": etag}, said.next_page)
            said.headers["etag"] = etag
        self.used += 1
        self.points += 1
        return said

    def _weather(self, fault: str) -> Said | None:
        match fault:
            case "502" | "500":
                return Said(int(fault), b"<html>Unicorn!</html>", {"content-type": "text/html"})
            case "cut JSON":
                return Said(200, b'{"total_count": 3, "workflow_')
            case "secondary limit":
                return error(403, "You have exceeded a secondary rate limit.", retry_after="1")
        return self.burst_answers.pop() if self.burst_answers else None

    def _access(self, headers: dict[str, str], method: str) -> Said | None:
        if "user-agent" not in headers:
            return error(403, "Request forbidden by administrative rules. Make sure it has a User-Agent header.")
        if method == "POST":
            return None
        if headers.get("authorization") not in [f"Bearer {token}" for token in [TOKEN, *self.app_tokens]]:
            return error(401, "Bad credentials")
        return error(403, "API rate limit exceeded for installation ID 1.") if self.used >= self.limit else None

    def _app_token(self, asked: Asked, headers: dict[str, str]) -> Said:
        """POST /app/installations/{id}/access_tokens, for whoever signs as the App."""
        proof = headers.get("authorization", "").removeprefix("Bearer ")
        try:
            claims = jwt.decode(proof, self.app_key or "", ["RS256"], options={"require": ["iat", "exp", "iss"]})
        except jwt.PyJWTError:
            return error(401, "A JSON web token could not be decoded")
        if claims["exp"] - time.time() > 600 or asked.path != f"{self.base}/app/installations/77/access_tokens":
            return error(401, "'Expiration time' claim ('exp') is too far in the future")
        self.app_tokens.append(f"ghs_installation_{len(self.requests)}")
        return Said(201, orjson.dumps({"token": self.app_tokens[-1], "expires_at": "2016-07-11T22:14:10Z"}))

    async def _say(self, said: Said, path: str, query: dict[str, str], send: Send, *, truncated: bool) -> None:
        headers = {
            "content-type": "application/json; charset=utf-8",
            "content-length": str(len(said.body) + (100 if truncated else 0)),
            "date": formatdate(time.time() + self.clock_ahead, usegmt=True),
            "x-ratelimit-limit": str(self.limit),
            "x-ratelimit-remaining": str(max(0, self.limit - self.used)),
            "x-ratelimit-used": str(self.used),
            "x-ratelimit-reset": str(int(self.reset + self.clock_ahead)),
            "x-ratelimit-resource": "core",
            **said.headers,
        }
        if said.next_page and said.status == 200:
            # As GitHub does: absolute. Nothing of ours listens there.
            address = f"https://api.github.com{path}?{urlencode({**query, 'page': said.next_page})}"
            headers["link"] = f'<{address}>; rel="next", <{address}>; rel="last"'
        pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": said.status, "headers": pairs})
        await send({"type": "http.response.body", "body": said.body, "more_body": truncated})

    async def storage(self, scope: MutableMapping[str, Any], _: Any, send: Send) -> None:
        """The other host: where the logs lie."""
        self.storage_headers.append({name.decode(): value.decode() for name, value in scope["headers"]})
        body = self.routes.stored(scope["path"])
        headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    @contextmanager
    def running(self) -> Iterator["GitHubServer"]:
        with serving(self, self.port, "127.0.0.1"), serving(self.storage, self.storage_port, "localhost"):
            yield self


@contextmanager
def serving(app: Any, port: int, host: str) -> Iterator[None]:
    """A real HTTP server on a thread of its own."""
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        interface="asgi3",
        log_level="critical",
        lifespan="off",
        proxy_headers=False,
        date_header=False,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_for(lambda: server.started, "the server to listen")
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(timeout=10)


def now_to_the_second() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)
