"""Asking the running ingest service, from the command line."""

from typing import Any

import httpx

from core.access import Role, own_headers
from core.errors import DashboardError
from core.settings import Settings


def ask(
    chosen: Settings,
    method: str,
    path: str,
    *,
    query: dict[str, str] | None = None,
    body: dict[str, Any] | None = None,
    timeout: float = 60,
) -> dict[str, Any]:
    """The answer of the service. Raises DashboardError with what it said, or that it doesn't answer."""
    headers = own_headers(chosen, "command line", Role.ADMIN)
    try:
        answer = httpx.request(
            method, chosen.ingest_url + path, params=query, json=body, headers=headers, timeout=timeout
        )
    except httpx.HTTPError as error:
        raise DashboardError(
            f"The ingest service at {chosen.ingest_url} doesn't answer: {error}.", hint="Check INGEST_URL."
        ) from None
    try:
        said: dict[str, Any] = answer.json()
    except ValueError:
        raise DashboardError(
            f"What answers at {chosen.ingest_url} is no ingest service ({answer.status_code}).",
            hint="Check INGEST_URL.",
        ) from None
    if answer.is_error:
        raise DashboardError(str(said["error"]["message"]))
    return said
