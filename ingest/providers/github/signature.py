"""Is this webhook from GitHub?

https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
"""

import hashlib
import hmac

PREFIX = "sha256="


def signature(body: bytes, secret: str) -> str:
    """The `X-Hub-Signature-256` of a raw body."""
    return PREFIX + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def is_signed(body: bytes, header: str | None, secret: str) -> bool:
    """True if `header` is the body's signature; compared in constant time, as bytes, so that no header can fail."""
    return hmac.compare_digest((header or "").encode("utf-8", "replace"), signature(body, secret).encode())
