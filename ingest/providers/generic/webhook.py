"""Calls of systems that send our own plain format: who may send, what the headers say."""

from collections.abc import Mapping

from core.settings import Settings
from ingest.providers import Envelope, envelope
from ingest.providers.generic.parse import parse
from ingest.providers.proofs import is_hmac_hex, is_same

__all__ = ["envelope_of", "is_authentic", "parse", "secret_of"]


def secret_of(settings: Settings) -> str | None:
    return settings.generic_webhook_secret.get_secret_value() if settings.generic_webhook_secret else None


def is_authentic(body: bytes, headers: Mapping[str, str], secret: str) -> bool:
    """Signed, or with the secret itself where a sender can't compute an HMAC. A wrong signature is never made good."""
    signature = headers.get("x-signature-256")
    return is_hmac_hex(signature, body, secret) if signature else is_same(headers.get("x-webhook-token"), secret)


def envelope_of(headers: Mapping[str, str], body: bytes) -> Envelope:
    return envelope("run", headers, body, "x-delivery-id", "idempotency-key")
