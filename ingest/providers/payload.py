"""What all providers read payloads with: lenient pydantic parts, moments in every spelling, and one clear refusal."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from core.errors import BadPayload

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# More than a person reads at once, and less than a hostile body could cause.
MOST_FIELDS_NAMED = 20


class Part(BaseModel):
    """A part of a payload: fields that we don't read are ignored, numbers may stand for texts."""

    model_config = ConfigDict(extra="ignore", frozen=True, coerce_numbers_to_str=True)


def _spelled(at: object) -> object:
    """`2016-08-12 15:23:28 UTC` and `2016-08-12 15:23:28 +0200` as ISO 8601; "not yet" in its spellings as None."""
    if not isinstance(at, str):
        return None if at == 0 else at
    text = at.strip()
    if not text or text.startswith("0001-"):
        return None
    head, _, zone = text.rpartition(" ")
    if zone == "UTC":
        return f"{head}Z"
    return head + zone if head and zone[:1] in ("+", "-") else text


def _utc(at: datetime) -> datetime:
    try:
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError:
        raise ValueError("lies outside of the calendar") from None


def _utc_if_any(at: datetime | None) -> datetime | None:
    return at and _utc(at)


Number = Annotated[int, Field(ge=0, le=2**63 - 1)]
# Without a zone it is UTC; numbers are seconds or milliseconds since 1970.
Moment = Annotated[datetime, BeforeValidator(_spelled), AfterValidator(_utc)]
OptionalMoment = Annotated[datetime | None, BeforeValidator(_spelled), AfterValidator(_utc_if_any)]

Model = TypeVar("Model", bound=BaseModel)


def read(model: type[Model], payload: dict[str, Any]) -> Model:
    """The payload as `model`. Raises BadPayload naming each field that is missing or wrong, and why."""
    try:
        return model.model_validate(payload)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False)[:MOST_FIELDS_NAMED]
        fields = {".".join(map(str, e["loc"])): e["msg"].removeprefix("Value error, ") for e in problems}
        sentence = "; ".join(f"{name or 'payload'}: {reason}" for name, reason in fields.items())
        raise BadPayload(f"The payload can't be understood: {sentence}.", details={"fields": fields}) from None


def digest(*words: str) -> str:
    """A short, URL-safe name of something that is known by texts only."""
    return blake2b("\0".join(words).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def latest(*moments: datetime | None) -> datetime:
    """The latest of the moments that are known; the epoch if none is."""
    return max((at for at in moments if at), default=EPOCH)


def first_line(text: str | None) -> str | None:
    lines = (text or "").strip().splitlines()
    return lines[0].strip() if lines else None


def earliest(moments: Iterable[datetime | None]) -> datetime | None:
    return min((at for at in moments if at), default=None)


def git_address(url: str | None) -> tuple[str | None, str | None]:
    """The path (`acme/web`) and the web page of a repository, from any address that git can clone from."""
    text = (url or "").strip().removesuffix("/").removesuffix(".git")
    match = re.match(
        r"^(?:(?P<scheme>https?|ssh|git)://)?(?:[^@/]+@)?(?P<host>[^/:]+)(?::\d+(?=/))?[:/](?P<path>.+)$", text
    )
    if not match:
        return text or None, None
    path = match["path"].strip("/")
    return path, f"https://{match['host']}/{path}"
