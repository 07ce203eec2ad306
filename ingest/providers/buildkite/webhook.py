"""Buildkite's webhook calls: signed, or with the token itself, as the notification service is set up.

https://buildkite.com/docs/apis/webhooks/pipelines#webhook-signature
"""

import re
from collections.abc import Mapping

from core.settings import Settings
from ingest.providers import Envelope, envelope
from ingest.providers.buildkite.parse import parse
from ingest.providers.proofs import is_hmac_hex, is_same, plain

__all__ = ["envelope_of", "is_authentic", "parse", "secret_of"]


def secret_of(settings: Settings) -> str | None:
    return plain(settings.buildkite_webhook_token)


def is_authentic(body: bytes, headers: Mapping[str, str], secret: str) -> bool:
    """A wrong signature is never made good by a token beside it."""
    signed = headers.get("x-buildkite-signature")
    if signed is None:
        return is_same(headers.get("x-buildkite-token"), secret)
    match = re.fullmatch(r"timestamp=(\d{1,20}),\s*signature=([0-9a-f]{64})", signed)
    return match is not None and is_hmac_hex(match[2], f"{match[1]}.".encode() + body, secret)


def envelope_of(headers: Mapping[str, str], body: bytes) -> Envelope:
    return envelope(headers.get("x-buildkite-event", ""), headers, body)
