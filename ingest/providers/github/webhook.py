"""GitHub's webhook calls: who may send, what the headers say.

https://docs.github.com/en/webhooks/webhook-events-and-payloads#delivery-headers
"""

import hashlib
from collections.abc import Mapping

from core.errors import BadRequest
from core.settings import Settings
from ingest.providers import Envelope
from ingest.providers.github.parse import parse
from ingest.providers.github.signature import is_signed

__all__ = ["envelope_of", "is_authentic", "parse", "secret_of"]


def secret_of(settings: Settings) -> str | None:
    return settings.github_webhook_secret.get_secret_value() if settings.github_webhook_secret else None


def is_authentic(body: bytes, headers: Mapping[str, str], secret: str) -> bool:
    return is_signed(body, headers.get("x-hub-signature-256"), secret)


def envelope_of(headers: Mapping[str, str], body: bytes) -> Envelope:
    """Event and delivery id. A call without an id (curl, an old proxy) is known by its body. Raises BadRequest."""
    event = headers.get("x-github-event", "")
    if not event:
        raise BadRequest(
            "The header X-GitHub-Event is missing.", hint="GitHub sends it: workflow_run, workflow_job or ping."
        )
    delivery_id = headers.get("x-github-delivery") or "sha256-" + hashlib.sha256(body).hexdigest()
    return Envelope(event[:100], delivery_id[:200])
