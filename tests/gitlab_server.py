"""A GitLab of our own on loopback: a real HTTP server that keeps GitLab's rules, written from its documentation.

Offset paging with absolute `Link`s, keyset paging where GitLab has it and 405 elsewhere, child pipelines left out of
listings, 401, 404 and 429 in GitLab's words, faults, and traces on another host that must never see the token.
https://docs.gitlab.com/api/rest/
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.conftest import free_port
from tests.github_server import serving
from tests.gitlab_truth import Pipeline, Project

TOKEN = "glpat-a-token-of-the-tests"
PAGING = {"page", "per_page", "pagination", "order_by", "sort", "cursor"}
PIPELINES = PAGING | {"source", "updated_after", "updated_before", "status", "ref", "sha", "username", "scope"}
PROJECTS = PAGING | {"archived", "include_subgroups", "simple"}


@dataclass
class GitLabServer:
    """`projects` is the truth; the others are the weather. `instead`: status and body of other answers, by path."""

    projects: dict[str, Project] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    storage_port: int = field(default_factory=free_port)
    fault_every: int = 0
    refuse: int = 0
    too_many: int = 0
    has_keyset: bool = True
    instead: dict[str, tuple[int, Any]] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    storage_headers: list[dict[str, str]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def add(self, project: Project) -> Project:
        self.projects[project.path] = project
        return project

    async def answer(self, request: Request) -> Response:
        # The raw path: a project's path comes as one segment, its slashes escaped.
        path = request.scope["raw_path"].decode()
        self.requests.append(path + ("?" + request.url.query if request.url.query else ""))
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return _error(401, "401 Unauthorized")
        if self.too_many:
            self.too_many -= 1
            return PlainTextResponse("Retry later\n", 429, {"Retry-After": "1", "RateLimit-Remaining": "0"})
        if self.fault_every and len(self.requests) % self.fault_every == 0:
            return Response("<html>Whoops, GitLab is taking too much time", 502, media_type="text/html")
        if self.refuse:
            return _error(self.refuse, "403 Forbidden")
        if path in self.instead:
            status, body = self.instead[path]
            return Response(orjson.dumps(body), status, media_type="application/json")
        return self._route(request, [unquote(part) for part in path.removeprefix("/api/v4/").split("/")])

    def _route(self, request: Request, parts: list[str]) -> Response:
        match parts:
            case ["groups", path, "projects"]:
                return self._owned(request, path, "/")
            case ["users", name, "projects"]:
                return self._owned(request, "~" + name, "/")
            case ["projects", known, *rest]:
                project = next((one for one in self.projects.values() if known in (one.path, str(one.id))), None)
                return self._of(request, project, rest) if project else _error(404, "404 Project Not Found")
        return _error(404, "404 Not Found")

    def _owned(self, request: Request, path: str, _: str) -> Response:
        deep = request.query_params.get("include_subgroups") == "true"
        found = [
            one.body()
            for one in self.projects.values()
            if one.path.startswith(f"{path}/") and (deep or one.path.count("/") == path.count("/") + 1)
        ]
        return self._page(request, found, PROJECTS) if found else _error(404, "404 Group Not Found")

    def _of(self, request: Request, project: Project, rest: list[str]) -> Response:
        match rest:
            case []:
                return _json(project.body())
            case ["pipelines"]:
                return self._pipelines(request, project)
            case ["jobs"]:
                return self._jobs(request, project)
            case ["jobs", number, "trace"]:
                return self._trace(project, int(number))
            case ["merge_requests", number] if int(number) in project.requests:
                return _json(project.requests[int(number)])
            case ["pipelines", number, *more] if int(number) in project.pipelines:
                return self._pipeline(request, project, project.pipelines[int(number)], more)
        return _error(404, "404 Not found")

    def _pipelines(self, request: Request, project: Project) -> Response:
        query = request.query_params
        assert (query["order_by"], query["sort"]) == ("updated_at", "desc"), "the only order that misses nothing"
        child = query.get("source") == "parent_pipeline"
        found = [
            project.listed(one) for one in project.pipelines.values() if child == (one.source == "parent_pipeline")
        ]
        after, before = query.get("updated_after", ""), query.get("updated_before", "~")
        found = [one for one in found if after < one["updated_at"] < before]
        found.sort(key=lambda one: (one["updated_at"], one["id"]), reverse=True)
        return self._page(request, found, PIPELINES)

    def _pipeline(self, request: Request, project: Project, pipeline: Pipeline, rest: list[str]) -> Response:
        retried = request.query_params.get("include_retried") == "true"
        match rest:
            case []:
                return _json(project.detail(pipeline))
            case ["jobs"]:
                jobs = [job for job in pipeline.jobs if not job.is_bridge and (retried or not job.retried)]
                return self._page(
                    request, [project.job(pipeline, job) for job in jobs], PAGING | {"include_retried", "scope"}
                )
            case ["bridges"]:
                bridges = [project.job(pipeline, job) for job in pipeline.jobs if job.is_bridge]
                return self._page(request, bridges, PAGING | {"scope"})
        return _error(404, "404 Not found")

    def _jobs(self, request: Request, project: Project) -> Response:
        """Jobs of a project, retried ones included, bridges not. By keyset only: newest first, by id."""
        query = request.query_params
        if not self.has_keyset:
            return _unavailable()
        assert (query["pagination"], query["order_by"], query["sort"]) == ("keyset", "id", "desc")
        assert "page" not in query
        jobs = [project.job(one, job) for one in project.pipelines.values() for job in one.jobs if not job.is_bridge]
        jobs.sort(key=lambda job: job["id"], reverse=True)
        left = [job for job in jobs if job["id"] < int(query.get("cursor", 10**12))]
        size = int(query["per_page"])
        response = _json(left[:size])
        if len(left) > size:
            self._link(response, request, {**query, "cursor": str(left[size - 1]["id"])})
        return response

    def _page(self, request: Request, items: list[Any], allowed: set[str]) -> Response:
        query = request.query_params
        assert set(query) <= allowed, f"GitLab documents no {set(query) - allowed} here"
        if query.get("pagination") == "keyset":
            return _unavailable()
        size, page = min(100, int(query.get("per_page", "20"))), int(query.get("page", "1"))
        response = _json(items[(page - 1) * size : page * size])
        if page * size < len(items):
            self._link(response, request, {**query, "page": str(page + 1)})
        return response

    def _link(self, response: Response, request: Request, query: dict[str, str]) -> None:
        # By its external address, as GitLab does. Nothing listens there.
        address = request.url.replace(scheme="https", netloc="gitlab.example", query="").include_query_params(**query)
        response.headers["Link"] = f'<{address}>; rel="next", <{address}>; rel="first"'

    def _trace(self, project: Project, number: int) -> Response:
        if number not in project.traces:
            return _error(404, "404 Not Found")
        return RedirectResponse(f"http://localhost:{self.storage_port}/{project.id}/{number}", 302)

    async def stored(self, request: Request) -> Response:
        """The object store."""
        self.storage_headers.append(dict(request.headers))
        project_id, number = request.url.path.strip("/").split("/")
        project = next(one for one in self.projects.values() if one.id == int(project_id))
        return PlainTextResponse(project.traces[int(number)])

    @contextmanager
    def running(self) -> Iterator["GitLabServer"]:
        api = Starlette(routes=[Route("/{path:path}", self.answer)])
        storage = Starlette(routes=[Route("/{path:path}", self.stored)])
        with serving(api, self.port, "127.0.0.1"), serving(storage, self.storage_port, "localhost"):
            yield self


def _json(body: Any) -> Response:
    return Response(orjson.dumps(body), media_type="application/json")


def _error(status: int, message: str) -> Response:
    return Response(orjson.dumps({"message": message}), status, media_type="application/json")


def _unavailable() -> Response:
    body = {"error": "Keyset pagination is not yet available for this type of request"}
    return Response(orjson.dumps(body), 405, media_type="application/json")
