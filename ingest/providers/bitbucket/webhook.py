"""Bitbucket's webhook calls. https://support.atlassian.com/bitbucket-cloud/docs/manage-webhooks/ ("Secure webhooks")"""

from collections.abc import Mapping

from core.settings import Settings
from ingest.providers import Envelope, envelope
from ingest.providers.bitbucket.parse import parse
from ingest.providers.proofs import is_hmac_hex, plain

__all__ = ["envelope_of", "is_authentic", "parse", "secret_of"]


def secret_of(settings: Settings) -> str | None:
    return plain(settings.bitbucket_webhook_secret)


def is_authentic(body: bytes, headers: Mapping[str, str], secret: str) -> bool:
    return is_hmac_hex(headers.get("x-hub-signature"), body, secret)


def envelope_of(headers: Mapping[str, str], body: bytes) -> Envelope:
    return envelope(headers.get("x-event-key", ""), headers, body, "x-request-uuid")
