"""Who we are to GitHub: a token, an installation of a GitHub App, or nobody (60 requests an hour)."""

import asyncio
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import httpx
import jwt

from core.errors import BadSetting, ProviderUnavailable
from core.settings import Settings

# https://docs.github.com/en/rest/about-the-rest-api/api-versions
BASIC = {
    "Accept": "application/vnd.github+json",
    "X-GitHub-Api-Version": "2022-11-28",
    "User-Agent": "cicd-health-dashboard",
}
# A token that is about to expire is replaced before a long request could outlive it.
MARGIN = 300


class Access:
    """The headers of our requests."""

    async def headers(self) -> Mapping[str, str]:
        return BASIC


class TokenAccess(Access):
    def __init__(self, token: str) -> None:
        self._headers = {**BASIC, "Authorization": f"Bearer {token}"}

    async def headers(self) -> Mapping[str, str]:
        return self._headers


class AppAccess(Access):
    """An installation's token, made new shortly before it expires.

    https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app
    """

    def __init__(self, client: httpx.AsyncClient, api_url: str, app_id: str, private_key: str, installation: str):
        self._client = client
        self._url = f"{api_url}/app/installations/{installation}/access_tokens"
        self._app_id = app_id
        self._private_key = private_key
        self._lock = asyncio.Lock()
        self._headers: Mapping[str, str] = BASIC
        self._expires_at = 0.0

    async def headers(self) -> Mapping[str, str]:
        async with self._lock:
            if time.time() > self._expires_at - MARGIN:
                await self._renew()
            return self._headers

    async def _renew(self) -> None:
        now = int(time.time())
        # A minute back allows for clocks that differ; ten minutes are the longest that GitHub accepts.
        claims = {"iat": now - 60, "exp": now + 540, "iss": self._app_id}
        proof = jwt.encode(claims, self._private_key, algorithm="RS256")
        try:
            answer = await self._client.post(self._url, headers={**BASIC, "Authorization": f"Bearer {proof}"})
        except httpx.TransportError as error:
            raise ProviderUnavailable(f"GitHub can't be reached: {error or type(error).__name__}.") from None
        if answer.is_error or answer.has_redirect_location:
            raise ProviderUnavailable(
                f"GitHub gives the App no token for its installation ({answer.status_code}).",
                hint="Check GITHUB_APP_ID, GITHUB_APP_PRIVATE_KEY and GITHUB_APP_INSTALLATION_ID.",
            )
        body = answer.json()
        self._headers = {**BASIC, "Authorization": f"Bearer {body['token']}"}
        self._expires_at = datetime.fromisoformat(body["expires_at"].replace("Z", "+00:00")).timestamp()


def access_of(settings: Settings, client: httpx.AsyncClient) -> Access:
    """Raises BadSetting for a GitHub App that is set up by half, or whose key can't be read."""
    key, installation = settings.github_app_private_key, settings.github_app_installation_id
    if settings.github_app_id or key or installation:
        if not (settings.github_app_id and key and installation):
            raise BadSetting(
                "A GitHub App needs GITHUB_APP_ID, GITHUB_APP_PRIVATE_KEY and GITHUB_APP_INSTALLATION_ID together."
            )
        pem = _pem(key.get_secret_value())
        return AppAccess(client, settings.github_api_url, settings.github_app_id, pem, installation)
    return TokenAccess(settings.github_token.get_secret_value()) if settings.github_token else Access()


def _pem(value: str) -> str:
    """The key's text: given as such, or read from the file that is named."""
    if "-----BEGIN" not in value:
        try:
            value = Path(value).read_text()
        except OSError as error:
            raise BadSetting(f"GITHUB_APP_PRIVATE_KEY: the file can't be read: {error.strerror}.") from None
    pem = value.replace("\\n", "\n")
    try:
        jwt.encode({}, pem, algorithm="RS256")
    except (ValueError, TypeError, jwt.PyJWTError):
        raise BadSetting("GITHUB_APP_PRIVATE_KEY: this is no RSA key in PEM format.") from None
    return pem
