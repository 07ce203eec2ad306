"""Query parameters: those that several endpoints share, and the refusal of those that an endpoint doesn't know."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Depends, Query, Request
from fastapi.dependencies.models import Dependant
from pydantic import BeforeValidator

from core.errors import BadRequest, UnknownParameter
from core.model import Status
from core.nul import has_nul

EARLIEST, LATEST = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)

LONGEST = 2**31 - 1


def only_known(request: Request) -> None:
    """Refuse a query parameter that the endpoint doesn't have: a misspelt filter would quietly filter nothing."""
    route = request.scope["route"]
    known = sorted(_parameters(route.dependant))
    unknown = sorted(set(request.query_params) - set(known))
    if unknown:
        hint = f"Known are: {', '.join(known)}." if known else "This endpoint takes none."
        raise UnknownParameter(
            f"Unknown query parameter: {', '.join(unknown)[:300]}.",
            hint=hint,
            details={"unknown": unknown, "known": known},
        )


async def no_nul(request: Request) -> None:
    """Refuse the character NUL in a path, a query or a body: no database may have to answer for it."""
    values = [*request.path_params.values(), *request.query_params.values()]
    body = (await request.body()).decode("utf-8", "replace")
    if any("\0" in str(value) for value in values) or has_nul(body):
        raise BadRequest("The request holds the character NUL (U+0000), which no value may.")


def _parameters(dependant: Dependant) -> set[str]:
    """The query parameters of an endpoint and of all that it depends on."""
    own = {field.alias for field in dependant.query_params}
    return own.union(*(_parameters(inner) for inner in dependant.dependencies))


def _with_plus(value: object) -> object:
    """`+02:00` reads as a space where the caller forgot to encode it. A bare number is no time of day, but a guess."""
    if isinstance(value, str) and re.fullmatch(r"[\d.+-]*", value) and not re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        raise ValueError("must be a time in ISO 8601, such as 2026-03-02T12:00:00Z")
    return re.sub(r" (\d\d:?\d\d)$", r"+\1", value) if isinstance(value, str) else value


Moment = Annotated[datetime, BeforeValidator(_with_plus)]
Text = Annotated[str | None, Query(max_length=300)]


def run_filter(
    provider: Annotated[str | None, Query(max_length=50, description="`github-actions` or `github_actions`.")] = None,
    status: Status | None = None,
    branch: Text = None,
    since: Annotated[Moment | None, Query(description="ISO 8601 with any offset; UTC without one.")] = None,
    until: Annotated[Moment | None, Query(description="Like `since`; runs whose last activity is earlier.")] = None,
    pipeline_id: Text = None,
    repository: Text = None,
) -> dict[str, Any]:
    """The parameters of run_page, run_count and run_export but for paging."""
    return {
        "provider": provider.replace("_", "-") if provider else None,
        "repository": repository,
        "branch": branch,
        "pipeline_id": pipeline_id,
        "statuses": (status,) if status else None,
        "since": _in_utc(since),
        "until": _in_utc(until),
    }


def export_filter(
    provider: Annotated[str | None, Query(max_length=50, description="`github-actions` or `github_actions`.")] = None,
    status: Annotated[list[Status] | None, Query(description="Any of these; repeat it for several.")] = None,
    branch: Text = None,
    since: Annotated[Moment | None, Query(description="ISO 8601 with any offset; UTC without one.")] = None,
    until: Annotated[Moment | None, Query(description="Like `since`; runs whose last activity is earlier.")] = None,
    pipeline_id: Text = None,
    repository: Text = None,
    event: Text = None,
    actor: Annotated[str | None, Query(max_length=300, description="Who started the run.")] = None,
    author: Annotated[str | None, Query(max_length=300, description="Who wrote the commit.")] = None,
    is_fork: bool | None = None,
    min_seconds: Annotated[int | None, Query(ge=0, le=LONGEST, description="Shortest duration.")] = None,
    max_seconds: Annotated[int | None, Query(ge=0, le=LONGEST, description="Longest duration.")] = None,
    words: Annotated[
        str | None, Query(max_length=300, description="In message, title, author, actor, branch, sha or number.")
    ] = None,
    limit: Annotated[int | None, Query(ge=1, le=LONGEST, description="Rows at most; all without it.")] = None,
) -> dict[str, Any]:
    """The parameters of run_export: those of the runs explorer."""
    chosen = run_filter(provider, None, branch, since, until, pipeline_id, repository)
    return {
        **chosen,
        "statuses": tuple(status) if status else None,
        "event": event,
        "actor": actor,
        "author": author,
        "is_fork": is_fork,
        "min_seconds": min_seconds,
        "max_seconds": max_seconds,
        "words": words.lower() if words else None,
        "limit": limit,
    }


def _in_utc(moment: datetime | None) -> datetime | None:
    """Times before the year 1 or after 9999, which an offset can give, are its first and last moment."""
    if moment is None:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    try:
        return aware.astimezone(UTC)
    except OverflowError:
        return EARLIEST if moment.year == 1 else LATEST


RunFilter = Annotated[dict[str, Any], Depends(run_filter)]
ExportFilter = Annotated[dict[str, Any], Depends(export_filter)]
