"""Buildbot's REST API as polling uses it.

https://docs.buildbot.net/current/developer/rest.html
"""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from ingest.polling.http import Api, Refused
from ingest.providers.refusals import explained, of_kind

Json = dict[str, Any]

PAGE = 100


class Buildbot:
    """One lane to a Buildbot master. Every method raises ProviderUnavailable with a sentence for people."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def address(self) -> str:
        """The master's `buildbotURL`, which the addresses of its builds begin with."""
        with explained(lambda refused: _sentence("the configuration", refused)):
            config = of_kind(dict, (await self._api.get("config")).body, "the configuration")
        return str(config["buildbotURL"])

    async def builders(self) -> list[Json]:
        """Those that a master serves now: `builderid` and `name`."""
        found = await self._listed("builders?field=builderid&field=name&field=masterids", "builders", "the builders")
        return [builder for builder in found if builder["masterids"]]

    async def builds(self, builder_id: int, condition: str, whose: str) -> list[Json]:
        """A page of a builder's builds with their properties; `condition` filters and orders them."""
        path = f"builders/{builder_id}/builds?{condition}&limit={PAGE}&property=*"
        return await self._listed(path, "builds", whose)

    async def build(self, build_id: str, whose: str) -> Json:
        found = await self._listed(f"builds/{build_id}?property=*", "builds", whose)
        return found[0]

    async def steps(self, build_id: int, whose: str) -> list[Json]:
        return await self._listed(f"builds/{build_id}/steps", "steps", whose)

    async def logs(self, step_id: int, whose: str) -> list[Json]:
        return await self._listed(f"steps/{step_id}/logs", "logs", whose)

    async def buildsets(self, request_ids: Iterable[int], whose: str) -> dict[int, Json]:
        """What asked for some builds, by the number of their request."""
        requests = await self._among("buildrequests", "buildrequestid", request_ids, whose)
        set_ids = {request["buildsetid"] for request in requests}
        sets = {one["bsid"]: one for one in await self._among("buildsets", "bsid", set_ids, whose)}
        return {one["buildrequestid"]: sets[one["buildsetid"]] for one in requests if one["buildsetid"] in sets}

    @asynccontextmanager
    async def text(self, log_id: int, whose: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """A log in pieces."""
        with explained(lambda refused: _sentence(whose, refused)):
            async with self._api.stream(f"api/v2/logs/{log_id}/raw") as response:
                yield response.aiter_bytes()

    async def _among(self, kind: str, field: str, numbers: Iterable[int], whose: str) -> list[Json]:
        wanted = sorted(set(numbers))
        condition = "&".join(f"{field}__eq={number}" for number in wanted)
        return await self._listed(f"{kind}?{condition}", kind, whose) if wanted else []

    async def _listed(self, path: str, kind: str, whose: str) -> list[Json]:
        with explained(lambda refused: _sentence(whose, refused)):
            body = of_kind(dict, (await self._api.get(f"api/v2/{path}")).body, whose)
        return of_kind(list, body.get(kind), whose)


def _sentence(whose: str, refused: Refused) -> str:
    if refused.http_status in (401, 403):
        return (
            f"Buildbot doesn't let strangers read {whose} ({refused.http_status}): its API must be open to this host."
        )
    if refused.http_status == 404:
        return f"Buildbot knows no {whose} (404). Is BUILDBOT_URL the address of its web page?"
    return f"Buildbot refuses requests about {whose} ({refused.http_status})."
