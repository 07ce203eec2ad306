"""Who a caller is and what he may do: roles, what claims say, and the tokens that this service signs itself (HS256).

Both processes use it: ingest checks tokens; the dashboard reads the claims of whoever signed in; it and the commands
sign short-lived tokens for their own calls.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import Any

import jwt
import orjson

from core.errors import BadRequest
from core.settings import Settings

AUDIENCE = "cicd-health-dashboard"
ISSUER = "cicd-health-dashboard"
OWN_CALL = timedelta(minutes=1)
ROLES_KEY = "roles"  # in the settings table


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


def stored_roles(table: Mapping[str, str]) -> dict[str, Role]:
    """Who has which role by the settings table (`table`: its values by key); stronger than what a token claims."""
    stored: dict[str, Any] = orjson.loads(table.get(ROLES_KEY, "{}"))
    return {name: ROLES[word] for name, word in stored.items() if word in ROLES}


def verified_email(claims: Mapping[str, Any]) -> str | None:
    email = claims.get("email") if claims.get("email_verified") is True else None
    return email if isinstance(email, str) else None


def shown_name(claims: Mapping[str, Any]) -> str:
    """How somebody is called where he acts: the verified e-mail, else the user name, else the subject."""
    user = claims.get("preferred_username")
    return (verified_email(claims) or (isinstance(user, str) and user) or str(claims.get("sub")))[:200]


def role_in(claims: Mapping[str, Any], path: str) -> Role | None:
    """The highest role that the claims name, in `role` or at `path` (dots reach inside); None where they name none."""
    found = [claims.get("role"), _inside(claims, path)]
    words = [word for value in found for word in (value if isinstance(value, list) else [value])]
    return max((ROLES[word] for word in words if isinstance(word, str) and word in ROLES), default=None)


def role_of(claims: Mapping[str, Any], stored: Mapping[str, Role], settings: Settings) -> Role | None:
    """What whoever shows these claims may do: by the settings table, else by the claims, else OIDC_DEFAULT_ROLE."""
    known_by = (claims.get("sub"), verified_email(claims))
    kept = [stored[name] for name in known_by if isinstance(name, str) and name in stored]
    default = ROLES.get(settings.oidc_default_role)
    return kept[0] if kept else role_in(claims, settings.oidc_role_claim) or default


def _inside(claims: Mapping[str, Any], path: str) -> object:
    """What stands at `path` (a claim's whole name, or names with dots between them)."""
    if path in claims:
        return claims[path]
    value: object = claims
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def sign(
    secret: str, subject: str, role: Role, lifetime: timedelta, now: datetime, about: Mapping[str, Any] | None = None
) -> str:
    """A token for `subject`, valid from `now` for `lifetime`; `about` are further claims."""
    claims = {
        **(about or {}),
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": subject,
        "role": role.word,
        "iat": now,
        "nbf": now,
        "exp": now + lifetime,
    }
    return jwt.encode(claims, secret, algorithm="HS256")


def own_headers(settings: Settings, subject: str, role: Role, about: Mapping[str, Any] | None = None) -> dict[str, str]:
    """The credentials of a call from this program's other processes, on behalf of `subject`."""
    if settings.jwt_secret:
        token = sign(settings.jwt_secret.get_secret_value(), subject, role, OWN_CALL, datetime.now(UTC), about)
        return {"Authorization": f"Bearer {token}"}
    if settings.api_write_key:
        return {"X-API-KEY": settings.api_write_key.get_secret_value()}
    return {}
