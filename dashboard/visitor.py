"""Who looks at the dashboard and what he may do: whoever signed in, or whom the settings let in without it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from core.access import ROLES, Role, role_of, shown_name
from core.settings import Settings, is_loopback

# What the ingest service may hear of whoever signed in, so that it comes to the same name and role.
PASSED_ON = ("email", "email_verified", "preferred_username")


@dataclass(frozen=True, slots=True)
class Visitor:
    """`name` is None for somebody who didn't sign in, `role` for somebody who did but has none here."""

    name: str | None
    role: Role | None
    subject: str = ""
    about: Mapping[str, Any] = field(default_factory=dict)

    def may(self, role: Role) -> bool:
        return self.role is not None and self.role >= role


def visitor_of(
    claims: Mapping[str, Any], chosen: Settings, stored: Callable[[], Mapping[str, Role]], address: str, now: datetime
) -> Visitor | None:
    """Who shows these claims (none: nobody signed in) to a dashboard that listens on `address`; None for a stranger.

    `stored` gives the roles of the settings table; it is asked only for somebody who signed in.
    """
    if chosen.oidc_client_id and claims.get("is_logged_in") is True and _is_recent(claims, chosen, now):
        about = {name: claims[name] for name in PASSED_ON if name in claims}
        role = role_of(claims, stored(), chosen)
        return Visitor(shown_name(claims), role, str(claims.get("sub")), about)
    role = _role_without_sign_in(chosen, address)
    return Visitor(None, role) if role else None


def is_exposed(chosen: Settings, address: str) -> bool:
    """True where others than this machine's users can reach the dashboard, by itself or through a proxy."""
    origin = urlsplit(chosen.frontend_origin).hostname or ""
    return not (is_loopback(address) and is_loopback(origin))


def _role_without_sign_in(chosen: Settings, address: str) -> Role | None:
    if chosen.dashboard_anonymous_role:
        return ROLES[chosen.dashboard_anonymous_role]
    open_to_all = not chosen.oidc_client_id and (chosen.demo_mode or not is_exposed(chosen, address))
    return Role.ADMIN if open_to_all else None


def _is_recent(claims: Mapping[str, Any], chosen: Settings, now: datetime) -> bool:
    """Streamlit keeps its cookie for 30 days and looks at no claim; the ID token's own time says when it began."""
    begun = claims.get("iat")
    return isinstance(begun, int) and now.timestamp() - begun < timedelta(hours=chosen.sign_in_hours).total_seconds()
