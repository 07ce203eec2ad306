"""Azure DevOps' service hooks: they can't sign, but send basic auth.

https://learn.microsoft.com/azure/devops/service-hooks/services/webhooks
"""

from collections.abc import Mapping

from core.settings import Settings
from ingest.providers import Envelope, envelope
from ingest.providers.azure_pipelines.parse import parse
from ingest.providers.proofs import is_basic_password, plain

__all__ = ["envelope_of", "is_authentic", "parse", "secret_of"]


def secret_of(settings: Settings) -> str | None:
    return plain(settings.azure_webhook_secret)


def is_authentic(_body: bytes, headers: Mapping[str, str], secret: str) -> bool:
    return is_basic_password(headers.get("authorization"), secret)


def envelope_of(headers: Mapping[str, str], body: bytes) -> Envelope:
    return envelope("service-hook", headers, body)
