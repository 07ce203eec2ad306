"""A client for JSON APIs: bounded, patient, conditional, and with a token that never leaves its host."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import orjson
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from core.errors import ProviderUnavailable
from core.nul import without_nul
from ingest.polling.budget import Budget, retry_after

TRIES = 6
MOST_REDIRECTS = 4
MOST_PAUSES = 50
TIMEOUT = httpx.Timeout(20, connect=10)
# A document that drips in byte by byte never meets the timeout of a single read.
LONGEST_ANSWER = 120.0

Headers = Callable[[], Awaitable[Mapping[str, str]]]
Renew = Callable[[], Awaitable[bool]]
Count = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Answer:
    """A good answer. `body` is None where it is unchanged since the ETag that was sent."""

    status: int
    body: Any
    etag: str | None
    next_query: Mapping[str, str] | None

    @property
    def unchanged(self) -> bool:
        return self.status == 304


class Refused(ProviderUnavailable):
    """The CI system said no, and asking again won't help: `http_status` is its answer, `said` its own words."""

    def __init__(self, system: str, http_status: int, said: str) -> None:
        super().__init__(f"{system} answered {http_status}: {said}")
        self.http_status = http_status
        self.said = said


class Passing(ProviderUnavailable):
    """A fault that usually passes: the network, a 5xx, an answer cut short."""


@dataclass(frozen=True, slots=True)
class Lane:
    """A share of the connections: so many at once, leaving `reserve` (a part of the limit) to the other lanes."""

    slots: asyncio.Semaphore
    reserve: float = 0.0


class Api:
    """Requests to one CI system through one lane.

    `headers` gives those that carry the token; `renew` makes a new token after a 401 and tells whether it could.
    """

    def __init__(
        self,
        system: str,
        client: httpx.AsyncClient,
        base: str,
        headers: Headers,
        budget: Budget,
        lane: Lane,
        renew: Renew | None = None,
    ) -> None:
        self._system = system
        self._client = client
        self._base = httpx.URL(base.rstrip("/") + "/")
        self._headers = headers
        self._budget = budget
        self._lane = lane
        self._renew = renew

    async def get(
        self, path: str, query: Mapping[str, str] | None = None, etag: str | None = None, count: Count | None = None
    ) -> Answer:
        """One JSON document. Raises Refused (401, 403, 404, 410 …) or, after several tries, Passing.

        `count` hears the status of every answer on the way, refusals and faults included.
        """
        url = self._base.join(path).copy_merge_params(query or {})
        extra = {"If-None-Match": etag} if etag else {}
        async for attempt in patiently():
            with attempt:
                async with self._answered(url, extra, count) as response:
                    return await self._read(response)
        raise AssertionError("tenacity raises the last error")

    @asynccontextmanager
    async def stream(self, path: str, count: Count | None = None) -> AsyncIterator[httpx.Response]:
        """A download, through the redirect to wherever it is kept. Raises as `get` does, but tries once only."""
        async with self._answered(self._base.join(path), {}, count) as response:
            yield response

    @asynccontextmanager
    async def _answered(
        self, url: httpx.URL, extra: Mapping[str, str], count: Count | None
    ) -> AsyncIterator[httpx.Response]:
        """The final, good answer to one request; pauses that the CI system asks for are made here."""
        renewed = self._renew is None
        for _ in range(MOST_PAUSES):
            async with self._lane.slots:
                await self._budget.admit(self._lane.reserve)
                async with self._followed(url, extra, count) as response:
                    ours = self._is_ours(response.url)
                    if ours and await self._must_pause(response):
                        continue
                    if ours and response.status_code == 401 and not renewed:
                        renewed = True
                        if self._renew and await self._renew():
                            continue
                    await self._check(response)
                    yield response
                    return
        raise Passing(f"{self._system} limits our requests and doesn't stop.", hint="The next poll tries again.")

    @asynccontextmanager
    async def _followed(
        self, url: httpx.URL, extra: Mapping[str, str], count: Count | None
    ) -> AsyncIterator[httpx.Response]:
        """The answer at the end of all redirects. Another place gets no token, nothing but the request."""
        for _ in range(MOST_REDIRECTS):
            ours = self._is_ours(url)
            headers = {**await self._headers(), **extra} if ours else {}
            try:
                async with self._client.stream("GET", url, headers=headers) as response:
                    if ours:
                        self._budget.note(response.status_code, response.headers)
                        if count:
                            count(response.status_code)
                    if not response.has_redirect_location:
                        yield response
                        return
                    url = url.join(response.headers["location"])
            except (httpx.TransportError, httpx.DecodingError) as error:
                reason = str(error) or type(error).__name__
                raise Passing(f"{self._system} at {url.host} can't be reached: {reason}.") from None
        raise Refused(self._system, 310, "too many redirects")

    def _is_ours(self, url: httpx.URL) -> bool:
        """Is this the API that was configured? GitHub Enterprise keeps other things on the same host."""
        return _origin(url) == _origin(self._base) and url.path.startswith(self._base.path)

    async def _must_pause(self, response: httpx.Response) -> bool:
        """Was this answer "not now"? Then note how long to wait.

        https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit
        """
        if response.status_code not in (403, 429):
            return False
        seconds = retry_after(response.headers)
        if seconds is not None:
            self._budget.pause(seconds)
            return True
        if response.headers.get("x-ratelimit-remaining") == "0":
            self._budget.wait_for_reset()
            return True
        if response.status_code == 429 or "rate limit" in (await _said(response)).lower():
            self._budget.pause_longer()
            return True
        return False

    async def _check(self, response: httpx.Response) -> None:
        status = response.status_code
        if status >= 500:
            if seconds := retry_after(response.headers):
                self._budget.pause(min(seconds, LONGEST_ANSWER))
            raise Passing(
                f"{self._system} answered {status}, {TRIES} times in a row.", hint="The next poll tries again."
            )
        if status >= 400:
            raise Refused(self._system, status, await _said(response))

    async def _read(self, response: httpx.Response) -> Answer:
        if response.status_code == 304:
            return Answer(304, None, None, None)
        try:
            async with asyncio.timeout(LONGEST_ANSWER):
                content = await response.aread()
            body = orjson.loads(without_nul(content.decode("utf-8", "replace")))
        except TimeoutError:
            raise Passing(f"{self._system} took more than {LONGEST_ANSWER:.0f} s for one answer.") from None
        except orjson.JSONDecodeError:
            raise Passing(f"{self._system} answered with something that is no JSON.") from None
        following = response.links.get("next", {}).get("url")
        # Only the query of the next page's address is used: its host is the server's word, and may be any.
        query = dict(httpx.URL(following).params) if following else None
        return Answer(response.status_code, body, response.headers.get("etag"), query)


def patiently() -> AsyncRetrying:
    """Try again what failed in passing, later and later, never in step with others."""
    return AsyncRetrying(
        stop=stop_after_attempt(TRIES),
        wait=wait_random_exponential(multiplier=0.5, max=20),
        retry=retry_if_exception_type(Passing),
        reraise=True,
    )


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


async def _said(response: httpx.Response) -> str:
    """The message of an error body, or its beginning."""
    text = (await response.aread()).decode("utf-8", "replace")
    try:
        return str(orjson.loads(text)["message"])[:300]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return " ".join(text.split())[:200] or response.reason_phrase
