"""Every endpoint and who may call it, as the application itself declares it: for docs/api.md and for tests.

`python -m ingest.api.catalogue` writes the table of docs/api.md anew.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts

from core.access import Role
from ingest.api.dependencies import ASKED

DOCUMENT = Path(__file__).parents[2] / "docs" / "api.md"
BEGIN, END = "<!-- endpoints -->\n", "<!-- /endpoints -->"
CANONICAL = "/api/v1"

# Those that ask for no role; an endpoint that is neither here nor asks for one fails a test.
OPEN = {
    "/health/live": "nobody in particular",
    "/health/ready": "nobody in particular",
    "/webhook/{provider}": "a signature, else the write key",
    "/seed": "`X-Seed-Key`, or admin",
}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`role` is None where another proof is asked for, or none."""

    method: str
    path: str
    summary: str
    role: Role | None

    @property
    def short_path(self) -> str:
        return self.path.removeprefix(CANONICAL).removeprefix("/api")

    @property
    def who(self) -> str:
        """Who may call it, in words. Raises KeyError for an endpoint that nobody thought about."""
        return self.role.word if self.role else OPEN[self.short_path]


def endpoints(api: FastAPI) -> list[Endpoint]:
    """All of them, both prefixes, in the order of their addition; not the OpenAPI page itself."""
    return [
        Endpoint(method, str(context.path), context.summary or "", _role(context.dependant))
        for context in iter_route_contexts(api.routes)
        if isinstance(context.original_route, APIRoute)
        for method in sorted(context.methods or ())
    ]


def _role(dependant: Dependant) -> Role | None:
    return max((ASKED[call] for call in _calls(dependant) if call in ASKED), default=None)


def _calls(dependant: Dependant) -> Iterator[object]:
    for inner in dependant.dependencies:
        yield inner.call
        yield from _calls(inner)


def table(api: FastAPI) -> str:
    """The table of docs/api.md: canonical paths only."""
    listed = [found for found in endpoints(api) if found.path.startswith(CANONICAL) or found.path == found.short_path]
    rows = [f"| `{one.method} {one.short_path}` | {one.summary} | {one.who} |\n" for one in listed]
    return "| Endpoint | What it does | Who may |\n|---|---|---|\n" + "".join(rows)


def with_table(text: str, api: FastAPI) -> str:
    """The text of docs/api.md with the table of today."""
    head, rest = text.split(BEGIN, 1)
    return head + BEGIN + table(api) + END + rest.split(END, 1)[1]


if __name__ == "__main__":
    from ingest.app import api  # the application imports the routers beside this module

    DOCUMENT.write_text(with_table(DOCUMENT.read_text(), api))
