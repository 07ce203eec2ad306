"""GitLab's REST API as polling uses it: which addresses there are, and what its refusals mean, in words.

https://docs.gitlab.com/api/rest/
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from ingest.polling.http import Api, Refused
from ingest.providers.refusals import explained, of_kind

PER_PAGE = 100

Json = dict[str, Any]
Query = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Page:
    """Some items of a listing, and the query of the page after it, which only GitLab knows: None after the last."""

    items: list[Json]
    following: Query | None


class GitLab:
    """One lane to GitLab. Every method raises ProviderUnavailable with a sentence for people."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def document(self, path: str, whose: str) -> Json:
        with explained(lambda refused: _sentence(whose, refused)):
            return of_kind(dict, (await self._api.get(path)).body, whose)

    async def page(self, path: str, query: Query, whose: str) -> Page:
        """One page, by offset or by keyset: both name the next one in the `Link` header.

        https://docs.gitlab.com/api/rest/#keyset-based-pagination
        """
        with explained(lambda refused: _sentence(whose, refused)):
            answer = await self._api.get(path, {"per_page": str(PER_PAGE), **query})
        # A server that always names a next page must not keep us for ever.
        items = of_kind(list, answer.body, whose)
        return Page(items, answer.next_query if items else None)

    async def items(self, path: str, query: Query, whose: str) -> list[Json]:
        """All items of a listing."""
        found: list[Json] = []
        following: Query | None = query
        while following is not None:
            page = await self.page(path, following, whose)
            found += page.items
            following = page.following
        return found

    @asynccontextmanager
    async def download(self, path: str, whose: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """A file in pieces."""
        with explained(lambda refused: _sentence(whose, refused)):
            async with self._api.stream(path) as response:
                yield response.aiter_bytes()


def project_at(path: str) -> str:
    """The address of a project known by its path."""
    return f"projects/{quote(path, safe='')}"


def _sentence(whose: str, refused: Refused) -> str:
    match refused.http_status:
        case 401:
            return "GitLab doesn't accept the token (401): it is wrong, revoked or expired. Set a new GITLAB_TOKEN."
        case 403:
            return (
                f"The token may not read pipelines of {whose} (403): {refused.said.rstrip('.')}. It needs the scope "
                "read_api and the role Reporter, and the project must have CI/CD switched on."
            )
        case 404:
            return (
                f"GitLab knows no {whose} that the token may see (404). Check the name, and whose project the token is."
            )
    return f"GitLab refuses requests about {whose} ({refused.http_status}): {refused.said}"
