"""GitLab's webhook calls: who may send, what the headers say.

https://docs.gitlab.com/user/project/integrations/webhooks/#delivery-headers
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from core.settings import Settings
from ingest.providers import Envelope, envelope
from ingest.providers.gitlab.parse import parse
from ingest.providers.proofs import is_same

__all__ = ["envelope_of", "is_authentic", "parse", "secret_of", "signature"]

SIGNING_PREFIX = "whsec_"


@dataclass(frozen=True, slots=True)
class Secrets:
    """The secret token is sent as it is; the signing token (GitLab 19) never leaves GitLab, it signs each call."""

    token: str | None
    signing_token: str | None


def secret_of(settings: Settings) -> Secrets | None:
    token, signing = settings.gitlab_webhook_token, settings.gitlab_webhook_signing_token
    if not token and not signing:
        return None
    return Secrets(token.get_secret_value() if token else None, signing.get_secret_value() if signing else None)


def is_authentic(body: bytes, headers: Mapping[str, str], secret: Secrets) -> bool:
    """A call that carries a signature must be signed right; it never falls back to the token beside it."""
    given = headers.get("webhook-signature")
    if secret.signing_token and (given or not secret.token):
        message_id, moment = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
        right = signature(body, message_id, moment, secret.signing_token)
        # While a token is being changed there may be several signatures, with a space between them.
        return any(is_same(one, right) for one in (given or "").split(" "))
    return bool(secret.token) and is_same(headers.get("x-gitlab-token"), secret.token or "")


def signature(body: bytes, message_id: str, moment: str, signing_token: str) -> str:
    """The `webhook-signature` of a call, as https://www.standardwebhooks.com defines it."""
    encoded = signing_token.removeprefix(SIGNING_PREFIX)
    key = base64.b64decode(encoded + "=" * (-len(encoded) % 4))
    message = f"{message_id}.{moment}.".encode("utf-8", "replace") + body
    return "v1," + base64.b64encode(hmac.new(key, message, hashlib.sha256).digest()).decode()


def envelope_of(headers: Mapping[str, str], body: bytes) -> Envelope:
    """The event is in the payload's `object_kind` too, so a missing header is no error.

    `X-Gitlab-Event-UUID` is shared by the hooks that one event sets off, so the ids of the single call come first.
    """
    event = headers.get("x-gitlab-event", "")
    return envelope(event, headers, body, "webhook-id", "idempotency-key")
