"""One folder for each CI system, registered by being there.

A provider's package has `PROVIDER` (its name in URLs and rows) and a module `webhook` with `secret_of(settings)`,
`is_authentic(body, headers, secret)`, `envelope_of(headers, body)` and `parse(event, payload)`; it may have a module
`poll` (see `ingest.polling`). The modules beside the folders are what they share. docs/adding-a-provider.md goes
through it step by step.
"""

import hashlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType


@dataclass(frozen=True, slots=True)
class Envelope:
    """What the headers say of a webhook call, before its body is understood."""

    event: str
    delivery_id: str


def envelope(event: str, headers: Mapping[str, str], body: bytes, *id_headers: str) -> Envelope:
    """The envelope of a call whose id is in one of `id_headers`; a call without an id is known by its body."""
    given = next((headers[name] for name in id_headers if headers.get(name)), None)
    return Envelope(event[:100], (given or "sha256-" + hashlib.sha256(body).hexdigest())[:200])


@lru_cache
def webhooks() -> dict[str, ModuleType]:
    """The webhook module of every provider, by the provider's name."""
    found = {}
    for entry in pkgutil.iter_modules(__path__):
        if not entry.ispkg:
            continue
        package = import_module(f"{__name__}.{entry.name}")
        found[package.PROVIDER] = import_module(f"{__name__}.{entry.name}.webhook")
    return found


@lru_cache
def poll_modules() -> tuple[ModuleType, ...]:
    """The poll module of every provider that has one."""
    names = [f"{__name__}.{entry.name}.poll" for entry in pkgutil.iter_modules(__path__) if entry.ispkg]
    return tuple(import_module(name) for name in names if find_spec(name))
