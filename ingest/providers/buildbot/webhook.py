"""Buildbot's calls: `HttpStatusPush(serverUrl=…, auth=("buildbot", secret))`.

https://docs.buildbot.net/current/manual/configuration/reporters/http_status.html
"""

from collections.abc import Mapping

from core.settings import Settings
from ingest.providers import Envelope, envelope
from ingest.providers.buildbot.parse import parse
from ingest.providers.proofs import is_basic_password, plain

__all__ = ["envelope_of", "is_authentic", "parse", "secret_of"]


def secret_of(settings: Settings) -> str | None:
    return plain(settings.buildbot_webhook_secret)


def is_authentic(_body: bytes, headers: Mapping[str, str], secret: str) -> bool:
    return is_basic_password(headers.get("authorization"), secret)


def envelope_of(headers: Mapping[str, str], body: bytes) -> Envelope:
    return envelope("build", headers, body)
