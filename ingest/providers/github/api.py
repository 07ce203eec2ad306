"""GitHub's REST API as polling uses it: which addresses there are, and what its refusals mean, in words."""

from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager
from typing import Any

from core.errors import ProviderUnavailable
from ingest.polling.book import Book
from ingest.polling.http import Answer, Api, Refused
from ingest.providers.refusals import explained

PER_PAGE = "100"


class GitHub:
    """One lane to GitHub. Every method raises ProviderUnavailable with a sentence for people."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def list_page(self, book: Book, path: str, query: dict[str, str]) -> Answer:
        """A page of a listing, unless it is what `book` saw last; note its ETag once its rows are kept."""
        with in_words(book.repository):
            answer = await self._api.get(path, query, book.etag(address(path, query)), book.count)
        if not answer.unchanged and not isinstance(_field(answer.body, "workflow_runs"), list):
            raise ProviderUnavailable(f"GitHub's list of the runs of {book.repository} is none.")
        return answer

    async def document(self, book: Book, path: str) -> Answer:
        """One object, unless it is what `book` saw last."""
        with in_words(book.repository):
            return _object(await self._api.get(path, None, book.etag(path), book.count), path)

    async def fetch(self, book: Book, path: str) -> Answer:
        """One object, whatever was seen last."""
        with in_words(book.repository):
            return _object(await self._api.get(path, count=book.count), path)

    @asynccontextmanager
    async def download(self, path: str, whose: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """A file in pieces."""
        with in_words(whose):
            async with self._api.stream(path) as response:
                yield response.aiter_bytes()

    async def page(self, path: str, query: dict[str, str], whose: str, etag: str | None) -> Answer:
        """A page of a listing that belongs to no repository."""
        with in_words(whose):
            return await self._api.get(path, query, etag)

    async def jobs(self, book: Book, path: str) -> list[Any]:
        """All jobs of a listing, page after page, each once."""
        query: dict[str, str] | None = {"per_page": PER_PAGE}
        found: dict[Any, Any] = {}
        while query:
            with in_words(book.repository):
                answer = await self._api.get(path, query, count=book.count)
            jobs = _field(answer.body, "jobs")
            if not isinstance(jobs, list):
                raise ProviderUnavailable(f"GitHub's list of the jobs of {book.repository} is none.")
            known = len(found)
            found |= {_field(job, "id"): job for job in jobs}
            # A server that always names a next page must not keep us for ever.
            query = {**query, **answer.next_query} if answer.next_query and len(found) > known else None
        return list(found.values())


def address(path: str, query: dict[str, str]) -> str:
    """The name under which the ETag of a page is kept."""
    return path + "?" + "&".join(f"{name}={query[name]}" for name in sorted(query))


def runs_of(repository: str) -> str:
    return f"repos/{repository}/actions/runs"


def name_of(book: Book) -> str:
    """What GitHub calls the repository now: asked for by an old name it redirects, which costs a request each time."""
    known = book.remembered("repository") or {}
    return known.get("full_name") or book.repository


def _field(body: Any, name: str) -> Any:
    return body.get(name) if isinstance(body, dict) else None


def _object(answer: Answer, path: str) -> Answer:
    if not answer.unchanged and not isinstance(answer.body, dict):
        raise ProviderUnavailable(f"GitHub answers {path} with something else than an object.")
    return answer


def in_words(whose: str) -> AbstractContextManager[None]:
    """Turn GitHub's refusals into a sentence that says what to do."""
    return explained(lambda refused: _sentence(whose, refused))


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
