"""One folder for each CI system, registered by being there.

A provider's package has `PROVIDER` (its name in URLs and rows) and a module `webhook` with `secret_of(settings)`,
`is_authentic(body, headers, secret)`, `envelope_of(headers, body)` and `parse(event, payload)`.
"""

import pkgutil
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from types import ModuleType


@dataclass(frozen=True, slots=True)
class Envelope:
    """What the headers say of a webhook call, before its body is understood."""

    event: str
    delivery_id: str


@lru_cache
def webhooks() -> dict[str, ModuleType]:
    """The webhook module of every provider, by the provider's name."""
    found = {}
    for entry in pkgutil.iter_modules(__path__):
        package = import_module(f"{__name__}.{entry.name}")
        found[package.PROVIDER] = import_module(f"{__name__}.{entry.name}.webhook")
    return found
