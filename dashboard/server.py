"""The web server's side of the dashboard: what Streamlit needs to sign people in, and the headers of its answers."""

import hashlib
import hmac
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.errors import BadSetting
from core.settings import Settings, settings

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "same-origin",
    # Streamlit's own page needs inline scripts and styles; what it doesn't need is shut off.
    "Content-Security-Policy": "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'",
}


def options() -> dict[str, Any]:
    """What `st.App` takes besides the script. While a setting is bad there are no secrets: every page says so."""
    try:
        chosen = settings()
    except BadSetting:
        return {}
    is_https = chosen.frontend_origin.startswith("https://")
    return {"secrets": secrets_of(chosen), "middleware": [Middleware(SafeAnswers, is_https=is_https)]}


def secrets_of(chosen: Settings) -> dict[str, Any]:
    """Streamlit's section `[auth]` from our settings, so that no secrets.toml is needed; empty without a sign-in.

    https://docs.streamlit.io/develop/tutorials/authentication
    """
    if not (chosen.oidc_client_id and chosen.oidc_client_secret and chosen.oidc_issuer and chosen.jwt_secret):
        return {}
    # Another issuer or client makes another secret: cookies of the old one are worth nothing then.
    purpose = f"dashboard cookie {chosen.oidc_issuer} {chosen.oidc_client_id}".encode()
    cookie_secret = hmac.new(chosen.jwt_secret.get_secret_value().encode(), purpose, hashlib.sha256).hexdigest()
    return {
        "auth": {
            "redirect_uri": f"{chosen.frontend_origin}/oauth2callback",
            "cookie_secret": cookie_secret,
            "client_id": chosen.oidc_client_id,
            "client_secret": chosen.oidc_client_secret.get_secret_value(),
            "server_metadata_url": f"{chosen.oidc_issuer.rstrip('/')}/.well-known/openid-configuration",
            "client_kwargs": {"scope": chosen.oidc_scope},
        }
    }


class SafeAnswers:
    """Adds HEADERS, and `Secure` to cookies where people come by https: Streamlit sets HttpOnly and SameSite alone."""

    def __init__(self, app: ASGIApp, is_https: bool) -> None:
        self.app = app
        self.is_https = is_https

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def safe(message: Message) -> None:
            if message["type"] == "http.response.start":
                if self.is_https:
                    message = {**message, "headers": [_secure(*header) for header in message["headers"]]}
                headers = MutableHeaders(raw=message["headers"])
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, safe)


def _secure(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    is_plain_cookie = name.lower() == b"set-cookie" and b"; secure" not in value.lower()
    return name, value + b"; Secure" if is_plain_cookie else value
