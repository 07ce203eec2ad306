"""Travis' webhook calls, signed with Travis' private key.

https://docs.travis-ci.com/user/notifications/#verifying-webhook-requests
"""

import base64
import binascii
from collections.abc import Mapping
from urllib.parse import parse_qs

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from core.settings import Settings
from ingest.providers import Envelope, envelope
from ingest.providers.travis.parse import parse

__all__ = ["envelope_of", "is_authentic", "parse", "secret_of"]


def secret_of(settings: Settings) -> str | None:
    """The public key: it is no secret, but it proves as much."""
    return settings.travis_public_key


def is_authentic(body: bytes, headers: Mapping[str, str], secret: str) -> bool:
    """Signed is the decoded field `payload`, not the body."""
    payload = parse_qs(body.decode("utf-8", "replace")).get("payload", [""])[0]
    key = load_pem_public_key(secret.replace("\\n", "\n").encode())
    assert isinstance(key, RSAPublicKey)
    try:
        given = base64.b64decode(headers.get("signature", ""))
        key.verify(given, payload.encode(), PKCS1v15(), SHA1())  # noqa: S303 -- Travis signs so
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def envelope_of(headers: Mapping[str, str], body: bytes) -> Envelope:
    return envelope("build", headers, body)
