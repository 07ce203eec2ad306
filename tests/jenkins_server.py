"""A Jenkins of our own on loopback: a real HTTP server that keeps Jenkins' rules, written from its documentation.

`tree` lets through what it names and nothing else, ranges included; basic auth with an API token; console logs by
`progressiveText` with its two headers; 401, 403 and 404 as pages; the stages' plugin may be missing.
https://www.jenkins.io/doc/book/using/remote-access-api/
"""

import re
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from tests.conftest import free_port
from tests.github_server import serving
from tests.jenkins_truth import Build, Item

USER, TOKEN = "health", "11aa-a-token-of-the-tests"
CREDENTIALS = "Basic " + b64encode(f"{USER}:{TOKEN}".encode()).decode()
# A word of `tree`: a name, what is wanted of it, and a range.
WORD = re.compile(r"(\w+)(\[)?")
RANGE = re.compile(r"\{(\d*),(\d*)\}")
# Most bytes that one part of a log has here, so that there are several.
PART = 1000


@dataclass
class JenkinsServer:
    """`root` is the truth; the others are the weather. `instead`: status and body of other answers, by path."""

    root: Item = field(default_factory=lambda: Item("", "root"))
    port: int = field(default_factory=free_port)
    prefix: str = "/ci"
    has_stages: bool = True
    refuse: int = 0
    fault_every: int = 0
    instead: dict[str, tuple[int, Any]] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{self.prefix}"

    async def answer(self, request: Request) -> Response:
        path = request.scope["raw_path"].decode().removeprefix(self.prefix)
        self.requests.append(path + ("?" + request.url.query if request.url.query else ""))
        if request.headers.get("authorization") != CREDENTIALS:
            return _page(401, "Invalid password/token for user: health")
        if self.fault_every and len(self.requests) % self.fault_every == 0:
            return _page(503, "Jenkins is going to shut down")
        if self.refuse:
            return _page(self.refuse, "health is missing the Overall/Read permission")
        if path in self.instead:
            status, body = self.instead[path]
            return Response(orjson.dumps(body), status, media_type="application/json")
        item, rest = self._found(path.strip("/").split("/"))
        return self._of(request, item, rest) if item else _page(404, "Not Found")

    def _found(self, parts: list[str]) -> tuple[Item | None, list[str]]:
        item: Item | None = self.root
        while item and len(parts) > 1 and parts[0] == "job":
            name = unquote(parts[1])
            item = next((one for one in item.items if one.name == name), None)
            parts = parts[2:]
        return item, parts

    def _of(self, request: Request, item: Item, rest: list[str]) -> Response:
        match rest:
            case ["api", "json"]:
                return _tree(request, item.body())
            case [number, *more] if number.isdigit() and int(number) in item.builds:
                return self._build(request, item, item.builds[int(number)], more)
            case [axes, number, *more] if unquote(axes) in item.axes and int(number) in item.builds:
                return self._build(request, item, item.builds[int(number)], more)
        return _page(404, "Not Found")

    def _build(self, request: Request, item: Item, build: Build, rest: list[str]) -> Response:
        match rest:
            case ["api", "json"]:
                return _tree(request, item.build_body(build))
            case ["wfapi", "describe"] if self.has_stages and item.kind == "workflow":
                return _json(item.stages(build))
            case ["logText", "progressiveText"]:
                start = int(request.query_params["start"])
                end = min(len(build.log), start + PART)
                more = {"X-More-Data": "true"} if end < len(build.log) or build.building else {}
                return Response(
                    build.log[start:end], headers={"X-Text-Size": str(end), **more}, media_type="text/plain"
                )
        return _page(404, "Not Found")

    @contextmanager
    def running(self) -> Iterator["JenkinsServer"]:
        with serving(Starlette(routes=[Route("/{path:path}", self.answer)]), self.port, "127.0.0.1"):
            yield self


def _tree(request: Request, body: Any) -> Response:
    wanted, rest = wanted_of(request.query_params["tree"])
    assert not rest, f"Jenkins can't read the tree from here on: {rest}"
    return _json(only(body, wanted))


def wanted_of(text: str) -> tuple[dict[str, Any], str]:
    """A tree expression: {name: (what is wanted of it, first, last)}, and what is left of the text."""
    wanted: dict[str, Any] = {}
    while word := WORD.match(text):
        name, inner = word[1], None
        text = text[word.end() :]
        if word[2]:
            inner, text = wanted_of(text)
            assert text.startswith("]"), "a bracket isn't closed"
            text = text[1:]
        first, last = 0, None
        if span := RANGE.match(text):
            first, last = int(span[1] or 0), int(span[2]) if span[2] else None
            text = text[span.end() :]
        wanted[name] = (inner, first, last)
        if not text.startswith(","):
            break
        text = text[1:]
    return wanted, text


def only(body: Any, wanted: dict[str, Any] | None) -> Any:
    """What of a body was asked for; `_class` always comes along."""
    if isinstance(body, list):
        return [only(one, wanted) for one in body]
    if not isinstance(body, dict):
        return body
    names = wanted or {}
    found = {"_class": body["_class"]} if "_class" in body else {}
    for name, (inner, first, last) in names.items():
        if name in body:
            value = body[name][first:last] if isinstance(body[name], list) else body[name]
            found[name] = only(value, inner)
    return found


def _json(body: Any) -> Response:
    return Response(orjson.dumps(body), media_type="application/json")


def _page(status: int, words: str) -> Response:
    return HTMLResponse(f"<html><body><h2>HTTP ERROR {status} {words}</h2></body></html>", status)
