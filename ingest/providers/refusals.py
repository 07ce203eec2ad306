"""What a CI system's refusal means for a person: each provider writes the sentences, the HTTP status is kept."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from core.errors import ProviderUnavailable
from ingest.polling.http import Refused

T = TypeVar("T")


class Explained(ProviderUnavailable):
    def __init__(self, sentence: str, http_status: int) -> None:
        super().__init__(sentence)
        self.http_status = http_status


@contextmanager
def explained(sentence: Callable[[Refused], str]) -> Iterator[None]:
    """Turn a refusal into the sentence that says what to do."""
    try:
        yield
    except Refused as refused:
        raise Explained(sentence(refused), refused.http_status) from None


def of_kind(kind: type[T], body: object, whose: str) -> T:
    """An answer of the kind that is documented. Raises ProviderUnavailable for any other."""
    if not isinstance(body, kind):
        raise ProviderUnavailable(
            f"The answer about {whose} isn't what it should be.", hint="The next poll tries again."
        )
    return body


def is_missing(error: object) -> bool:
    """True for "it isn't there, or no longer"."""
    return isinstance(error, Explained) and error.http_status in (404, 410)


def is_gone(error: object) -> bool:
    """True for "it was there once"."""
    return isinstance(error, Explained) and error.http_status == 410


def is_refused(error: object) -> bool:
    """True for an answer that stays the same however often one asks."""
    return isinstance(error, Explained)
