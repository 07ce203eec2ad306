"""A GitHub of our own on loopback: a real HTTP server that keeps GitHub's rules, written from its documentation.

Paging with absolute `Link`s, ETags and free 304s, the primary and the secondary limit, the end of filtered listings
after 1,000 results, faults, and logs on another host that must never see the token.
"""

import hashlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.conftest import free_port, wait_for
from tests.github_truth import Repository, Run, text_of

TOKEN = "ghs_a_token_of_the_tests"
MOST_RESULTS = 1000


@dataclass
class GitHubServer:
    """`repositories` is the truth; the other fields are the weather."""

    repositories: dict[str, Repository] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    storage_port: int = field(default_factory=free_port)
    fault_every: int = 0
    limit: int = 1_000_000
    window: float = 3600
    refuse: dict[str, int] = field(default_factory=dict)
    burst_answers: int = 0
    requests: list[str] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    points: int = 0
    storage_headers: list[dict[str, str]] = field(default_factory=list)
    used: int = 0
    reset: float = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def add(self, repository: Repository) -> Repository:
        self.repositories[repository.name] = repository
        return repository

    def forget_requests(self) -> None:
        self.requests.clear()
        self.statuses.clear()
        self.points = 0

    async def answer(self, request: Request) -> Response:
        self.requests.append(str(request.url.path) + ("?" + request.url.query if request.url.query else ""))
        response = self._answer(request)
        self.statuses.append(response.status_code)
        response.headers["X-RateLimit-Limit"] = str(self.limit)
        response.headers["X-RateLimit-Remaining"] = str(max(0, self.limit - self.used))
        response.headers["X-RateLimit-Used"] = str(self.used)
        response.headers["X-RateLimit-Reset"] = str(int(self.reset))
        response.headers["X-RateLimit-Resource"] = "core"
        return response

    def _answer(self, request: Request) -> Response:
        if time.time() > self.reset:
            self.used, self.reset = 0, time.time() + self.window
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return _error(401, "Bad credentials")
        if self.fault_every and len(self.requests) % self.fault_every == 0:
            kind = len(self.requests) // self.fault_every % 3
            if kind == 2:
                return Response(b'{"total_count": 3, "workflow_', media_type="application/json")
            return Response("<html>Unicorn!</html>", (502, 503)[kind], media_type="text/html")
        if self.burst_answers:
            self.burst_answers -= 1
            body = _error(403, "You have exceeded a secondary rate limit. Please wait a few minutes.")
            body.headers["Retry-After"] = "1"
            return body
        if self.used >= self.limit:
            return _error(403, "API rate limit exceeded for installation ID 1.")
        response = self._route(request)
        etag = '"' + hashlib.sha256(response.body).hexdigest()[:32] + '"'
        if response.status_code == 200:
            if request.headers.get("if-none-match") == etag:
                return Response(status_code=304, headers={"ETag": etag})
            response.headers["ETag"] = etag
        self.used += 1
        self.points += 1
        return response

    def _route(self, request: Request) -> Response:
        parts = request.url.path.strip("/").split("/")
        if parts[0] in ("orgs", "users") and parts[-1] == "repos":
            return self._owned(request, parts[0], parts[1])
        if parts[0] != "repos":
            return _error(404, "Not Found")
        name = "/".join(parts[1:3])
        if name in self.refuse:
            return _error(self.refuse[name], "Resource not accessible by personal access token")
        repository = self.repositories.get(name)
        if repository is None:
            return _error(404, "Not Found")
        match parts[3:]:
            case []:
                return _json(repository.body())
            case ["actions", "runs"]:
                return self._runs(request, repository)
            case ["actions", "jobs", job_id, "logs"]:
                return self._log(repository, int(job_id))
            case ["actions", "runs", run_id, *rest] if int(run_id) in repository.runs:
                return self._run(request, repository, repository.runs[int(run_id)], rest)
        return _error(404, "Not Found")

    def _owned(self, request: Request, kind: str, owner: str) -> Response:
        found = [one.body() for one in self.repositories.values() if one.name.split("/")[0] == owner]
        return self._page(request, found, None) if found and kind == "users" else _error(404, "Not Found")

    def _runs(self, request: Request, repository: Repository) -> Response:
        runs = sorted(repository.runs.values(), key=lambda run: (run.created, run.id), reverse=True)
        span = request.query_params.get("created")
        if span:
            start, end = span.split("..")
            runs = [run for run in runs if start <= text_of(run.created) <= end]
        total = len(runs)
        shown = runs[:MOST_RESULTS] if span else runs
        found = [repository.run_body(run, run.latest) for run in shown]
        return self._page(request, found, "workflow_runs", total)

    def _run(self, request: Request, repository: Repository, run: Run, rest: list[str]) -> Response:
        match rest:
            case []:
                return _json(repository.run_body(run, run.latest))
            case ["attempts", number] if int(number) <= len(run.attempts):
                return _json(repository.run_body(run, run.attempts[int(number) - 1]))
            case ["attempts", number, "jobs"] if int(number) <= len(run.attempts):
                return self._page(request, run.attempts[int(number) - 1].jobs, "jobs")
        return _error(404, "Not Found")

    def _page(self, request: Request, items: list[Any], name: str | None, total: int | None = None) -> Response:
        size = min(100, int(request.query_params.get("per_page", "30")))
        page = int(request.query_params.get("page", "1"))
        shown = items[(page - 1) * size : page * size]
        response = _json({"total_count": len(items) if total is None else total, name: shown} if name else shown)
        if page * size < len(items):
            query = {**request.query_params, "page": str(page + 1)}
            # As GitHub does: absolute, and by the repository's id. Nothing listens there.
            address = request.url.replace(scheme="https", netloc="api.github.com").include_query_params(**query)
            response.headers["Link"] = f'<{address}>; rel="next", <{address}>; rel="last"'
        return response

    def _log(self, repository: Repository, job_id: int) -> Response:
        log = repository.logs.get(job_id, 404)
        if isinstance(log, int):
            return _error(log, "Gone" if log == 410 else "Not Found")
        response = RedirectResponse(f"http://localhost:{self.storage_port}/{repository.name}/{job_id}", 302)
        response.body = b""
        return response

    async def stored(self, request: Request) -> Response:
        """The other host: where the logs lie."""
        self.storage_headers.append(dict(request.headers))
        owner, name, job_id = request.url.path.strip("/").split("/")
        log = self.repositories[f"{owner}/{name}"].logs[int(job_id)]
        assert isinstance(log, bytes)
        return PlainTextResponse(log)

    @contextmanager
    def running(self) -> Iterator["GitHubServer"]:
        api = Starlette(routes=[Route("/{path:path}", self.answer)])
        storage = Starlette(routes=[Route("/{path:path}", self.stored)])
        with serving(api, self.port, "127.0.0.1"), serving(storage, self.storage_port, "localhost"):
            yield self


@contextmanager
def serving(app: Any, port: int, host: str) -> Iterator[None]:
    """A real HTTP server on a thread of its own."""
    server = uvicorn.Server(uvicorn.Config(app, host=host, port=port, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_for(lambda: server.started, "the server to listen")
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(timeout=10)


def _json(body: Any) -> Response:
    return Response(orjson.dumps(body), media_type="application/json")


def _error(status: int, message: str) -> Response:
    return Response(orjson.dumps({"message": message}), status, media_type="application/json")


def now_to_the_second() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)
