"""Proofs that a caller knows a secret, each compared in constant time and as bytes, so that no header can fail."""

import base64
import binascii
import hashlib
import hmac

from pydantic import SecretStr

from core.settings import Settings


def is_same(given: str | None, secret: str) -> bool:
    """True if a header holds the secret itself."""
    return hmac.compare_digest((given or "").encode("utf-8", "replace"), secret.encode())


def hmac_hex(message: bytes, secret: str) -> str:
    """The HMAC-SHA256 of a message, in hex."""
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def is_hmac_hex(given: str | None, message: bytes, secret: str) -> bool:
    """True if a header holds the message's HMAC-SHA256 in hex, with or without `sha256=` before it."""
    return is_same((given or "").strip().removeprefix("sha256=").lower(), hmac_hex(message, secret))


def is_basic_password(authorization: str | None, secret: str) -> bool:
    """True if an `Authorization: Basic` header carries the secret as its password; the user's name is free."""
    scheme, _, credentials = (authorization or "").partition(" ")
    try:
        pair = base64.b64decode(credentials, validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return False
    return scheme.lower() == "basic" and is_same(pair.partition(":")[2], secret)


def plain(secret: SecretStr | None) -> str | None:
    """The text of a secret setting, None where it isn't set."""
    return secret.get_secret_value() if secret else None


def named_secret(settings: Settings, provider: str) -> str | None:
    """The secret of a provider that has no setting of its own: `WEBHOOK_SECRETS__<NAME>`."""
    return plain(settings.webhook_secrets.get(provider.replace("-", "_")))
