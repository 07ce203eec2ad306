"""CircleCI's webhook calls. https://circleci.com/docs/guides/integration/outbound-webhooks/#validate-webhooks"""

from collections.abc import Mapping

from core.settings import Settings
from ingest.providers import Envelope, envelope
from ingest.providers.circleci.parse import parse
from ingest.providers.proofs import is_hmac_hex, plain

__all__ = ["envelope_of", "is_authentic", "parse", "secret_of"]


def secret_of(settings: Settings) -> str | None:
    return plain(settings.circleci_webhook_secret)


def is_authentic(body: bytes, headers: Mapping[str, str], secret: str) -> bool:
    """The header lists signatures by version, `v1=<hex>,v2=…`; only v1 is defined."""
    given = [part.strip() for part in headers.get("circleci-signature", "").split(",")]
    return any(is_hmac_hex(part.removeprefix("v1="), body, secret) for part in given if part.startswith("v1="))


def envelope_of(headers: Mapping[str, str], body: bytes) -> Envelope:
    """A repeated call has the same body, its id included."""
    return envelope(headers.get("circleci-event-type", ""), headers, body)
