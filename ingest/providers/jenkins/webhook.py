"""Jenkins' webhook calls: who may send, what the headers say."""

from collections.abc import Mapping

from core.settings import Settings
from ingest.providers import Envelope, envelope
from ingest.providers.jenkins.parse import parse
from ingest.providers.proofs import is_basic_password, is_hmac_hex

__all__ = ["envelope_of", "is_authentic", "parse", "secret_of"]


def secret_of(settings: Settings) -> str | None:
    return settings.jenkins_webhook_secret.get_secret_value() if settings.jenkins_webhook_secret else None


def is_authentic(body: bytes, headers: Mapping[str, str], secret: str) -> bool:
    """Signed by our pipeline step; the Notification plugin can't sign, but sends the password of its URL.

    `http://jenkins:<secret>@host/…` becomes basic auth (github.com/jenkinsci/notification-plugin, Protocol.java).
    """
    signature = headers.get("x-jenkins-signature")
    if signature is not None:
        return is_hmac_hex(signature, body, secret)
    return is_basic_password(headers.get("authorization"), secret)


def envelope_of(headers: Mapping[str, str], body: bytes) -> Envelope:
    """Only the CloudEvents plugin names its events and gives ids; any other call is about a build."""
    return envelope(headers.get("ce-type") or "build", headers, body, "ce-id", "x-jenkins-delivery")
