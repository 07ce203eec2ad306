"""Requests a minute: of an authenticated caller, else of an address. A sliding window, by the `limits` library."""

from collections.abc import Callable, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from limits import RateLimitItem, RateLimitItemPerMinute
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.settings import Settings
from ingest.access.callers import Caller
from ingest.errors import error_body
from ingest.guards.clock import seconds_until
from ingest.guards.windows import Windows

CODE = "too_many_requests"


class RateLimit:
    """Health checks are never counted. Webhooks are counted by their endpoint, unless they prove to be signed."""

    def __init__(self, app: ASGIApp, settings: Callable[[], Settings]) -> None:
        self.app = app
        self.settings = settings
        self.windows = Windows(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith("/health/"):
            await self.app(scope, receive, send)
            return
        chosen = self.settings()
        caller = scope["state"].get("caller")
        if isinstance(caller, Caller) and caller.via != "open":
            limit: RateLimitItem = RateLimitItemPerMinute(chosen.user_rate_limit_per_minute)
            who = f"user:{caller.name}"
        else:
            limit = RateLimitItemPerMinute(chosen.rate_limit_per_minute)
            who = f"address:{bucket(address_of(scope, chosen.trusted_proxies))}"
        # A webhook proves itself by its body, which nobody has read yet; unproven ones are counted by the endpoint.
        is_webhook = "/webhook/" in scope["path"] and scope["method"] == "POST"
        scope["state"]["count"] = lambda: self.windows.hit(limit, who)
        if not is_webhook and not await self.windows.hit(limit, who):
            await self._refuse(scope, receive, send, limit, who)
            return

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                await self._tell(MutableHeaders(scope=message), limit, who)
            await send(message)

        await self.app(scope, receive, told)

    async def _tell(self, headers: MutableHeaders, limit: RateLimitItem, who: str) -> None:
        state = await self.windows.state(limit, who)
        headers["RateLimit-Limit"] = str(limit.amount)
        headers["RateLimit-Remaining"] = str(state.remaining)
        headers["RateLimit-Reset"] = str(seconds_until(state.reset_time))
        if state.remaining == 0:
            headers.setdefault("Retry-After", str(seconds_until(state.reset_time)))

    async def _refuse(self, scope: Scope, receive: Receive, send: Send, limit: RateLimitItem, who: str) -> None:
        message = f"More than {limit.amount} requests in a minute. Retry-After says when to come again."
        answer = JSONResponse(error_body(CODE, message, {"limit": limit.amount}, scope.get("request_id", "")), 429)
        await self._tell(answer.headers, limit, who)
        await answer(scope, receive, send)


def address_of(scope: Scope, trusted: str) -> str:
    """The caller's address: what a trusted proxy forwards, else the connection's own, whatever the header says."""
    address = scope["client"][0] if scope.get("client") else "unknown"
    networks = [ip_network(entry.strip(), strict=False) for entry in trusted.split(",") if entry.strip()]
    forwarded = ",".join(Headers(scope=scope).getlist("x-forwarded-for")).split(",")
    # From the right: the last entry is the word of the proxy nearest to us.
    for entry in reversed([part.strip() for part in forwarded]):
        if not _is_within(address, networks) or not _is_address(entry):
            break
        address = entry
    return address


def bucket(address: str) -> str:
    """Whoever has one IPv6 address has its whole /64."""
    if not _is_address(address) or ip_address(address).version == 4:
        return address
    return str(ip_network(f"{address.split('%')[0]}/64", strict=False))


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _is_within(address: str, networks: Sequence[IPv4Network | IPv6Network]) -> bool:
    return _is_address(address) and any(ip_address(address) in network for network in networks)
