"""What endpoints ask for: the running service, and a caller who may do what they do.

@router.post("/alerts/{id}/snooze", dependencies=[needs(Role.OPERATOR)])
def snooze(caller: Calling, …)
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.security import APIKeyHeader, HTTPBearer

from core.access import Role
from core.errors import DashboardError, Forbidden, Unauthorized
from ingest.access.callers import Caller
from ingest.service import Service

# For the OpenAPI page alone; `ingest.guards.identity` reads the headers.
_bearer = HTTPBearer(auto_error=False, description="A token of `python -m ingest token`, or of your OIDC issuer.")
_key = APIKeyHeader(name="X-API-KEY", auto_error=False, description="The write key (API_WRITE_KEY).")


def running_service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


Running = Annotated[Service, Depends(running_service)]


def caller_of(request: Request) -> Caller:
    """Who calls. Raises what his credential earned."""
    caller: Caller | DashboardError = request.state.caller
    if isinstance(caller, DashboardError):
        raise caller
    return caller


Calling = Annotated[Caller, Depends(caller_of)]


def name_of(caller: Caller, given: str) -> str:
    """A token says who acts; a key or nothing doesn't, so the caller's word is taken."""
    return caller.name if caller.via == "bearer" else given


def needs(role: Role) -> Any:
    """For `dependencies=[…]`: 401 without a credential, 403 for a caller whose role may not."""
    return Depends(_check_of(role))


def may_see_badges(request: Request, service: Running) -> None:
    """Like any reading, unless PUBLIC_BADGES lets everybody see them (a README can't send a token)."""
    if not service.settings.public_badges:
        _read(request, caller_of(request), service, None)


def _read(request: Request, caller: Calling, service: Running, _bearer: Annotated[Any, Depends(_bearer)]) -> None:
    # The write key is for writing; what changes something asks for its own role besides.
    is_reading = request.method in ("GET", "HEAD")
    if service.callers.reads_need_token and (caller.via == "open" or (caller.via == "key" and is_reading)):
        what = "Reading needs" if is_reading else "This needs"
        raise Unauthorized(f"{what} the header Authorization: Bearer <token>.")
    if caller.via == "bearer" and caller.role is None:
        raise Forbidden(f"{caller.name} has no role here.", hint="Somebody with the role admin can give one.")


# Which role a dependency asks for, so that documents and tests can tell it of every endpoint.
ASKED: dict[Callable[..., Any], Role] = {may_see_badges: Role.VIEWER, _read: Role.VIEWER}


@lru_cache
def _check_of(role: Role) -> Callable[..., None]:
    if role is Role.VIEWER:
        return _read

    def write(caller: Calling, _bearer: Annotated[Any, Depends(_bearer)], _key: Annotated[Any, Depends(_key)]) -> None:
        if caller.via == "open" and caller.role is not Role.ADMIN:
            raise Unauthorized("The header X-API-KEY is missing; a Bearer token with a role that may is good, too.")
        if caller.role is None or caller.role < role:
            raise Forbidden(
                f"{caller.name} may not do this.", hint=f"It needs the role {role.word}.", details={"role": role.word}
            )

    ASKED[write] = role
    return write
