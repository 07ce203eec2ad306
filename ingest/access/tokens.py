"""Bearer tokens: checked by PyJWT, refused with a reason that tells the caller what to do and an attacker nothing."""

from typing import Any

import jwt

from core.access import AUDIENCE
from core.errors import Unauthorized
from core.settings import Settings
from ingest.access.issuer import Issuer

LEEWAY_SECONDS = 10
LONGEST = 8192

# The first that fits, because PyJWT's errors are a tree.
_REASONS: tuple[tuple[type[Exception], str], ...] = (
    (jwt.ExpiredSignatureError, "The token has expired."),
    (jwt.ImmatureSignatureError, "The token is not valid yet."),
    (jwt.InvalidAudienceError, "The token is for another audience."),
    (jwt.InvalidIssuerError, "The token is from another issuer."),
    (jwt.MissingRequiredClaimError, "The token lacks a claim that is required (sub, exp)."),
    (jwt.InvalidAlgorithmError, "The token's algorithm is not accepted."),
    (jwt.InvalidSignatureError, "The token's signature is wrong."),
)


class Tokens:
    """Checks tokens by the secret of this service, or by the keys of its issuer; never one by the other's means."""

    def __init__(self, settings: Settings) -> None:
        self._secrets = [
            secret.get_secret_value() for secret in (settings.jwt_secret, settings.jwt_secret_previous) if secret
        ]
        # An issuer may be for signing in to the dashboard alone: without an audience no token of its is for us.
        self._issuer = Issuer(settings.oidc_issuer) if settings.oidc_issuer and settings.oidc_audience else None
        self._audience = settings.oidc_audience

    @property
    def are_accepted(self) -> bool:
        return bool(self._secrets or self._issuer)

    def claims_of(self, token: str) -> dict[str, Any]:
        """The claims of a good token. Raises Unauthorized with the reason for any other."""
        if len(token) > LONGEST:
            raise Unauthorized("The token is too long.")
        try:
            algorithm = jwt.get_unverified_header(token).get("alg")
            if algorithm == "HS256" and self._secrets:
                return self._by_secret(token)
            if algorithm in ("RS256", "ES256") and self._issuer:
                return self._by_issuer(token, algorithm, self._issuer)
        except jwt.PyJWTError as error:
            reason = next((text for kind, text in _REASONS if isinstance(error, kind)), "The token is malformed.")
            raise Unauthorized(reason) from None
        except (ValueError, TypeError, RecursionError):  # what a hostile header can provoke below PyJWT
            raise Unauthorized("The token is malformed.") from None
        raise Unauthorized("The token's algorithm is not accepted.")

    def _by_secret(self, token: str) -> dict[str, Any]:
        """An own token. It may lack an audience (the secret is this service's alone), but not name another one."""
        for secret in self._secrets:
            try:
                claims: dict[str, Any] = jwt.decode(
                    token,
                    secret,
                    algorithms=["HS256"],
                    leeway=LEEWAY_SECONDS,
                    options={"require": ["exp", "sub"], "verify_aud": False},
                )
            except jwt.InvalidSignatureError:
                continue
            named = claims.get("aud", AUDIENCE)
            if AUDIENCE not in (named if isinstance(named, list) else [named]):
                raise jwt.InvalidAudienceError
            return claims
        raise jwt.InvalidSignatureError

    def _by_issuer(self, token: str, algorithm: str, issuer: Issuer) -> dict[str, Any]:
        claims: dict[str, Any] = jwt.decode(
            token,
            issuer.key_of(token, algorithm),
            algorithms=[algorithm],
            audience=self._audience,
            issuer=issuer.address,
            leeway=LEEWAY_SECONDS,
            options={"require": ["exp", "sub", "aud", "iss"]},
        )
        return claims
