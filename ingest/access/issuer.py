"""The public keys of an OpenID Connect issuer: found by discovery, kept for minutes, asked again for an unknown key.

https://openid.net/specs/openid-connect-discovery-1_0.html
"""

import threading

import httpx
import jwt
import structlog

from core.errors import DashboardError, Unauthorized

log = structlog.get_logger()

TIMEOUT_SECONDS = 5


class IssuerUnavailable(DashboardError):
    """The issuer can't be asked for its keys: nobody's fault who calls."""

    code = "issuer_unavailable"
    status = 503


class Issuer:
    """Thread-safe. An unknown key makes it ask again, at most every 30 s, so that junk can't make it hammer."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._lock = threading.Lock()
        self._client: jwt.PyJWKClient | None = None

    def key_of(self, token: str, algorithm: str) -> jwt.PyJWK:
        """The key that signed `token`. Raises Unauthorized, or IssuerUnavailable."""
        name = jwt.get_unverified_header(token).get("kid")
        if not isinstance(name, str):
            raise Unauthorized("The token doesn't name its key (kid).")
        try:
            key = self._keys().get_signing_key(name)
        except (jwt.PyJWKClientConnectionError, jwt.PyJWKSetError, ValueError) as error:  # away, without keys, no JSON
            raise self._unavailable(str(error)) from None
        except jwt.PyJWKClientError:
            raise Unauthorized("The token's key is unknown.") from None
        if key.key_type != ("RSA" if algorithm == "RS256" else "EC"):
            raise Unauthorized("The token's algorithm is not accepted.")
        return key

    def _keys(self) -> jwt.PyJWKClient:
        with self._lock:
            if self._client is None:
                self._client = jwt.PyJWKClient(self._discover(), timeout=TIMEOUT_SECONDS)
            return self._client

    def _discover(self) -> str:
        address = self.address.rstrip("/") + "/.well-known/openid-configuration"
        try:
            found = httpx.get(address, timeout=TIMEOUT_SECONDS).raise_for_status().json()
            if found["issuer"] != self.address:
                raise self._unavailable(f"the discovery document names another issuer: {found['issuer']}")
            return str(found["jwks_uri"])
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            raise self._unavailable(f"{type(error).__name__}: {error}") from None

    def _unavailable(self, reason: str) -> IssuerUnavailable:
        log.error("the OpenID Connect issuer can't be used", issuer=self.address, reason=reason)
        return IssuerUnavailable("The OpenID Connect issuer can't be reached.", hint="The log says more.")
