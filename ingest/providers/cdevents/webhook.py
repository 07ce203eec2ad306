"""CloudEvents over HTTP, binary or structured, that carry CDEvents.

https://github.com/cdevents/spec/blob/main/cloudevents-binding.md
"""

from collections.abc import Mapping

from core.settings import Settings
from ingest.providers import Envelope, envelope
from ingest.providers.cdevents.parse import parse
from ingest.providers.proofs import is_hmac_hex, is_same, plain

__all__ = ["envelope_of", "is_authentic", "parse", "secret_of"]


def secret_of(settings: Settings) -> str | None:
    return plain(settings.cdevents_webhook_secret)


def is_authentic(body: bytes, headers: Mapping[str, str], secret: str) -> bool:
    """CloudEvents define no signature: ours over the body, or the secret itself, which never makes a wrong one good."""
    signature = headers.get("x-signature-256")
    return is_hmac_hex(signature, body, secret) if signature else is_same(headers.get("x-webhook-token"), secret)


def envelope_of(headers: Mapping[str, str], body: bytes) -> Envelope:
    return envelope(headers.get("ce-type", ""), headers, body, "ce-id")
