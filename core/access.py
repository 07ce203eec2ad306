"""Who a caller is and what he may do: roles, and the tokens that this service signs itself (HS256).

Both processes use it: ingest checks tokens, the dashboard and the commands sign short-lived ones for their own calls.
"""

from datetime import UTC, datetime, timedelta
from enum import IntEnum

import jwt

from core.errors import BadRequest
from core.settings import Settings

AUDIENCE = "cicd-health-dashboard"
ISSUER = "cicd-health-dashboard"
OWN_CALL = timedelta(minutes=1)


class Role(IntEnum):
    """Each may do what the one before may: see; acknowledge, snooze, silence, test; change settings, seed, replay."""

    VIEWER = 1
    OPERATOR = 2
    ADMIN = 3

    @property
    def word(self) -> str:
        return self.name.lower()


ROLES = {role.word: role for role in Role}


def role_named(word: str) -> Role:
    """The role called `viewer`, `operator` or `admin`. Raises BadRequest."""
    try:
        return ROLES[word.strip().lower()]
    except KeyError:
        raise BadRequest(f"{word!r} is no role.", hint="Roles are viewer, operator and admin.") from None


def sign(secret: str, subject: str, role: Role, lifetime: timedelta, now: datetime) -> str:
    """A token for `subject`, valid from `now` for `lifetime`."""
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": subject,
        "role": role.word,
        "iat": now,
        "nbf": now,
        "exp": now + lifetime,
    }
    return jwt.encode(claims, secret, algorithm="HS256")


def own_headers(settings: Settings, subject: str, role: Role) -> dict[str, str]:
    """The credentials of a call from this program's other processes, on behalf of `subject`."""
    if settings.jwt_secret:
        token = sign(settings.jwt_secret.get_secret_value(), subject, role, OWN_CALL, datetime.now(UTC))
        return {"Authorization": f"Bearer {token}"}
    if settings.api_write_key:
        return {"X-API-KEY": settings.api_write_key.get_secret_value()}
    return {}
