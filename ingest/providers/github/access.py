"""Who we are to GitHub: a token, an installation of a GitHub App, or nobody (60 requests an hour)."""

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path

import httpx
import jwt
from gidgethub import GitHubException
from gidgethub.apps import get_installation_access_token
from gidgethub.httpx import GitHubAPI

from core.errors import BadSetting, ProviderUnavailable
from core.settings import Settings

# https://docs.github.com/en/rest/about-the-rest-api/api-versions
BASIC = {
    "Accept": "application/vnd.github+json",
    "X-GitHub-Api-Version": "2022-11-28",
    "User-Agent": "cicd-health-dashboard",
}
# An installation's token lives for an hour, counted from when it came, so that no clock has to agree with GitHub's. It
# is replaced before a long request could outlive it.
LIFETIME = 3600
MARGIN = 300


class Access:
    """The headers of our requests."""

    async def headers(self) -> Mapping[str, str]:
        return BASIC

    async def renew(self) -> bool:
        """GitHub refused the token: make a new one. False where there is no way to."""
        return False


class TokenAccess(Access):
    def __init__(self, token: str) -> None:
        self._headers = {**BASIC, "Authorization": f"Bearer {token}"}

    async def headers(self) -> Mapping[str, str]:
        return self._headers


class _AppApi(GitHubAPI):
    """Writes the scheme as GitHub's documentation does: not every proxy before a GitHub Enterprise reads "bearer"."""

    async def _request(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes = b""
    ) -> tuple[int, Mapping[str, str], bytes]:
        given = headers.get("authorization", "").replace("bearer ", "Bearer ", 1)
        return await super()._request(method, url, {**headers, "authorization": given}, body)


class AppAccess(Access):
    """An installation's token, made new shortly before it expires.

    https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app
    """

    def __init__(self, client: httpx.AsyncClient, api_url: str, app_id: str, private_key: str, installation: str):
        self._api = _AppApi(client, BASIC["User-Agent"], base_url=api_url)
        self._installation = installation
        self._app_id = app_id
        self._private_key = private_key
        self._lock = asyncio.Lock()
        self._headers: Mapping[str, str] = BASIC
        self._renew_at = 0.0
        self._renewed_at = 0.0

    async def headers(self) -> Mapping[str, str]:
        async with self._lock:
            if time.monotonic() > self._renew_at:
                await self._fetch()
            return self._headers

    async def renew(self) -> bool:
        """A token may be revoked before its time; once a minute is often enough to find out."""
        async with self._lock:
            if time.monotonic() - self._renewed_at > 60:
                await self._fetch()
        return True

    async def _fetch(self) -> None:
        try:
            answer = await get_installation_access_token(
                self._api, installation_id=self._installation, app_id=self._app_id, private_key=self._private_key
            )
        except httpx.TransportError as error:
            raise ProviderUnavailable(f"GitHub can't be reached: {error or type(error).__name__}.") from None
        except GitHubException as error:
            raise ProviderUnavailable(
                f"GitHub gives the App no token for its installation: {error or type(error).__name__}.",
                hint="Check GITHUB_APP_ID, GITHUB_APP_PRIVATE_KEY and GITHUB_APP_INSTALLATION_ID.",
            ) from None
        self._headers = {**BASIC, "Authorization": f"Bearer {answer['token']}"}
        self._renewed_at = time.monotonic()
        self._renew_at = self._renewed_at + LIFETIME - MARGIN


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
