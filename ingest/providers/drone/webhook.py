"""Drone's webhook calls: who may send, what the headers say.

Drone signs the date and a digest of the body: https://docs.drone.io/webhooks/overview/#signature
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping

from core.settings import Settings
from ingest.providers import Envelope, envelope
from ingest.providers.drone import PROVIDER
from ingest.providers.drone.parse import parse
from ingest.providers.proofs import is_same, named_secret

__all__ = ["envelope_of", "is_authentic", "parse", "secret_of"]

_SIGNATURE = re.compile(r'\bsignature="([^"]*)"')


def secret_of(settings: Settings) -> str | None:
    return named_secret(settings, PROVIDER)


def is_authentic(body: bytes, headers: Mapping[str, str], secret: str) -> bool:
    digest = "SHA-256=" + base64.b64encode(hashlib.sha256(body).digest()).decode()
    signed = f"date: {headers.get('date', '')}\ndigest: {digest}".encode("utf-8", "replace")
    right = base64.b64encode(hmac.new(secret.encode(), signed, hashlib.sha256).digest()).decode()
    given = _SIGNATURE.search(headers.get("signature", ""))
    return is_same(given[1] if given else None, right)


def envelope_of(headers: Mapping[str, str], body: bytes) -> Envelope:
    """Drone gives its calls no id, so each is known by its body."""
    return envelope(headers.get("x-drone-event", "build"), headers, body)
