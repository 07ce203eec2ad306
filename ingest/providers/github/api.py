"""GitHub's REST API as polling uses it: which addresses there are, and what its refusals mean, in words."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from core.errors import ProviderUnavailable
from ingest.polling.book import Book
from ingest.polling.http import Answer, Api, Refused

PER_PAGE = "100"


class GitHub:
    """One lane to GitHub. Every method raises ProviderUnavailable with a sentence for people."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def list_page(self, book: Book, path: str, query: dict[str, str]) -> Answer:
        """A page of a listing, unless it is what `book` saw last; note its ETag once its rows are kept."""
        with in_words(book.repository):
            return await self._api.get(path, query, book.etag(address(path, query)))

    async def document(self, book: Book, path: str) -> Answer:
        """One object, unless it is what `book` saw last."""
        with in_words(book.repository):
            return await self._api.get(path, etag=book.etag(path))

    async def fetch(self, book: Book, path: str) -> Answer:
        """One object, whatever was seen last."""
        with in_words(book.repository):
            return await self._api.get(path)

    @asynccontextmanager
    async def download(self, path: str, whose: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """A file in pieces."""
        with in_words(whose):
            async with self._api.stream(path) as response:
                yield response.aiter_bytes()

    async def items(self, path: str, name: str | None, whose: str) -> AsyncIterator[Any]:
        """All items of a listing, page after page; `name` is the field that holds them, None for a bare list."""
        query: dict[str, str] | None = {"per_page": PER_PAGE}
        seen = 0
        while query:
            with in_words(whose):
                answer = await self._api.get(path, query)
            found = answer.body[name] if name else answer.body
            for item in found:
                yield item
            seen += len(found)
            total = answer.body.get("total_count") if name else None
            # A server that always names a next page must not keep us for ever.
            more = found and (total is None or seen < total)
            query = dict(answer.next_query) if more and answer.next_query else None


def address(path: str, query: dict[str, str]) -> str:
    """The name under which the ETag of a page is kept."""
    return path + "?" + "&".join(f"{name}={query[name]}" for name in sorted(query))


def runs_of(repository: str) -> str:
    return f"repos/{repository}/actions/runs"


@contextmanager
def in_words(whose: str) -> Iterator[None]:
    """Turn GitHub's refusals into a sentence that says what to do."""
    try:
        yield
    except Refused as refused:
        raise _Explained(_sentence(whose, refused), refused.http_status) from None


class _Explained(ProviderUnavailable):
    def __init__(self, sentence: str, http_status: int) -> None:
        super().__init__(sentence)
        self.http_status = http_status


def is_missing(error: object) -> bool:
    """True for "it isn't there, or no longer"."""
    return isinstance(error, _Explained) and error.http_status in (404, 410)


def _sentence(whose: str, refused: Refused) -> str:
    match refused.http_status:
        case 401:
            return "GitHub doesn't accept the token (401): it is wrong, revoked or expired. Set a new GITHUB_TOKEN."
        case 403:
            return (
                f"The token may not read Actions of {whose} (403): {refused.said.rstrip('.')}. "
                "It needs the permissions Actions: read and Metadata: read, and single sign-on where it is used."
            )
        case 404:
            return (
                f"GitHub knows no {whose} that the token may see (404). Check the name, and the token's repositories."
            )
    return f"GitHub refuses requests about {whose} ({refused.http_status}): {refused.said}"
