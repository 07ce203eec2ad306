"""A Buildbot of our own on loopback: a real HTTP server that keeps the rules of its REST API, from the documentation.

Filters (`field__gt=`, several `__eq` of one field: any of them), `order`, `limit` and `field`; properties come only to
those who ask for them; logs in raw; what isn't there is a 404 with Buildbot's own sentence.
https://docs.buildbot.net/current/developer/rest.html
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from tests.github_server import serving
from tests.ports import free_port

Json = dict[str, Any]
HOST = "https://buildbot.example/ci/"
TEXT = "application/json; charset=utf-8"


@dataclass
class BuildbotServer:
    """A master's tables; `refuse`, `fault_every` and `nonsense` (paths that answer with a list) are the weather."""

    port: int = field(default_factory=free_port)
    builders: list[Json] = field(default_factory=list)
    builds: list[Json] = field(default_factory=list)
    requests: list[Json] = field(default_factory=list)
    buildsets: list[Json] = field(default_factory=list)
    steps: list[Json] = field(default_factory=list)
    logs: list[Json] = field(default_factory=list)
    texts: dict[int, bytes] = field(default_factory=dict)
    refuse: int = 0
    fault_every: int = 0
    nonsense: frozenset[str] = frozenset()
    asked: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/ci"

    def builder(self, name: str, masters: tuple[int, ...] = (1,)) -> int:
        """A new builder; returns its number. One without a master was taken out of the configuration."""
        number = len(self.builders) + 1
        self.builders.append({"builderid": number, "name": name, "masterids": list(masters), "tags": []})
        return number

    def build(self, builder_id: int, begun: datetime, results: int | None = 0, seconds: int = 60) -> Json:
        """The builder's next build, with what asked for it and two steps; it still runs where `results` is None."""
        build_id, at = len(self.builds) + 1, int(begun.timestamp())
        number = sum(build["builderid"] == builder_id for build in self.builds) + 1
        set_id, request_id = 500 + build_id, 900 + build_id
        stamp = {"branch": "main", "revision": "", "project": "", "repository": "https://git.example/acme/shop.git"}
        self.buildsets.append(
            {"bsid": set_id, "reason": "A push", "submitted_at": at - 5, "sourcestamps": [stamp]},
        )
        self.requests.append({"buildrequestid": request_id, "buildsetid": set_id, "builderid": builder_id})
        properties = {
            "owner": ["ana", "Force"],
            "workername": ["worker-1", "Worker"],
            "scheduler": ["once", "Scheduler"],
        }
        build = {
            "buildid": build_id, "number": number, "builderid": builder_id, "buildrequestid": request_id,
            "workerid": 1, "masterid": 1, "started_at": at, "complete_at": None, "complete": False,
            "state_string": "building", "results": None, "properties": properties,
        }  # fmt: skip
        self.builds.append(build)
        for index, name in enumerate(("worker_preparation", "test")):
            self.steps.append(
                {"stepid": build_id * 10 + index, "number": index, "name": name, "buildid": build_id, "started_at": at,
                 "complete_at": None, "complete": False, "results": None}
            )  # fmt: skip
        if results is not None:
            self.finish(build, results, seconds)
        return build

    def finish(self, build: Json, results: int, seconds: int = 60) -> None:
        end = {"complete": True, "complete_at": build["started_at"] + seconds}
        build |= end | {"results": results}
        first, last = (step for step in self.steps if step["buildid"] == build["buildid"])
        first |= end | {"results": 0}
        last |= end | {"results": results}

    def log(self, step_id: int, name: str, text: bytes, kind: str = "s") -> None:
        """A log of a step; kinds are s (a command's streams), t (text), h (a page), d (deleted)."""
        log_id = len(self.logs) + 1
        self.logs.append({"logid": log_id, "name": name, "slug": name, "stepid": step_id, "type": kind})
        self.texts[log_id] = text

    def truth(self, builder_id: int) -> set[tuple[int, str | None]]:
        """Number and Buildbot's own word of each build of a builder."""
        words = {0: "success", 1: "warnings", 2: "failure", 4: "exception", None: None}
        return {(one["number"], words[one["results"]]) for one in self.builds if one["builderid"] == builder_id}

    async def answer(self, request: Request) -> Response:
        path = request.url.path.removeprefix("/ci/")
        self.asked.append(path + ("?" + request.url.query if request.url.query else ""))
        if self.fault_every and len(self.asked) % self.fault_every == 0:
            return PlainTextResponse("Bad Gateway", 502)
        if self.refuse:
            return _json({"error": "you need to have role 'admin'"}, self.refuse)
        if path in self.nonsense:
            return _json(["nonsense"])
        if path == "config":
            return _json({"buildbotURL": HOST, "title": "Shop", "multiMaster": False})
        return self._of_api(request, path.removeprefix("api/v2/").split("/"))

    def _of_api(self, request: Request, parts: list[str]) -> Response:
        match parts:
            case ["builders" | "buildrequests" | "buildsets" as kind]:
                return _listed(request, kind, self.requests if kind == "buildrequests" else getattr(self, kind))
            case ["builders", number, "builds"] if any(one["builderid"] == int(number) for one in self.builders):
                return _listed(request, "builds", [one for one in self.builds if one["builderid"] == int(number)])
            case ["builds", number]:
                found = [one for one in self.builds if one["buildid"] == int(number)]
                return _listed(request, "builds", found) if found else _missing(request)
            case ["builds", number, "steps"]:
                return _listed(request, "steps", [one for one in self.steps if one["buildid"] == int(number)])
            case ["steps", number, "logs"]:
                return _listed(request, "logs", [one for one in self.logs if one["stepid"] == int(number)])
            case ["logs", number, "raw"] if int(number) in self.texts:
                return Response(self.texts[int(number)], media_type="text/plain; charset=utf-8")
        return _missing(request)

    @contextmanager
    def running(self) -> Iterator["BuildbotServer"]:
        with serving(Starlette(routes=[Route("/{path:path}", self.answer)]), self.port, "127.0.0.1"):
            yield self


def _listed(request: Request, kind: str, rows: list[Json]) -> Response:
    """Rows as the query filters, orders, cuts and strips them. A word that Buildbot doesn't know is a 400."""
    among: dict[str, set[int]] = {}
    query = list(request.query_params.multi_items())
    for name, value in query:
        column, _, operator = name.partition("__")
        if operator == "eq":
            among.setdefault(column, set()).add(int(value))
        elif operator == "gt":
            rows = [row for row in rows if row[column] > int(value)]
        elif operator == "lt":
            rows = [row for row in rows if row[column] < int(value)]
        elif name not in ("order", "limit", "field", "property"):
            return _json({"error": f"unrecognized query parameter '{name}'"}, 400)
    rows = [row for row in rows if all(row[column] in wanted for column, wanted in among.items())]
    if order := request.query_params.get("order"):
        rows = sorted(rows, key=lambda row: row[order.lstrip("-")], reverse=order.startswith("-"))
    rows = rows[: int(request.query_params.get("limit", len(rows)))]
    if fields := request.query_params.getlist("field"):
        rows = [{name: row[name] for name in fields} for row in rows]
    if kind == "builds" and request.query_params.get("property") != "*":
        rows = [row | {"properties": {}} for row in rows]
    return _json({kind: rows, "meta": {"total": len(rows)}})


def _missing(request: Request) -> Response:
    return _json({"error": f"not found while getting from {request.url.path}"}, 404)


def _json(body: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(body), status, media_type=TEXT)
