"""Every error in the one shape of the API. The only place where errors become HTTP."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.routing import Match

from core.errors import DashboardError
from core.redaction import redactor
from ingest.api.models import ErrorBody

log = structlog.get_logger()

_MEANINGS = {
    400: "The request is malformed",
    401: "No credential, or a wrong one",
    403: "The caller's role may not do this",
    404: "There is no such thing",
    405: "Not with this method",
    408: "The request took too long to arrive",
    409: "Somebody else was first",
    413: "The body is larger than MAX_BODY_BYTES",
    415: "The body is compressed, or of another kind",
    422: "A parameter or the body breaks a rule; `details` names it",
    429: "Too many requests; `Retry-After` says when to come again",
    500: "An error of this program; its log has the details",
    503: "The database or the OpenID Connect issuer can't be reached",
}

# What a status obliges to say beside its body.
_HEADERS = {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": "1"}}
_CODES = {400: "bad_request", 401: "unauthorized", 404: "not_found", 405: "method_not_allowed", 413: "body_too_large"}


def error_body(code: str, message: str, details: dict[str, Any], request_id: str) -> dict[str, Any]:
    """The one shape: `{"error": {code, message, details}, timestamp, request_id}`. No secret passes."""
    clean = redactor()
    return {
        "error": {"code": code, "message": clean.text(message), "details": clean.anything(details)},
        "timestamp": datetime.now(UTC).isoformat(),
        "request_id": request_id,
    }


def documented() -> dict[int | str, dict[str, Any]]:
    """The errors that any endpoint may answer with, for the OpenAPI page."""
    return {status: {"model": ErrorBody, "description": meaning} for status, meaning in _MEANINGS.items()}


def install(app: FastAPI) -> None:
    """Translate expected errors, validation errors, unknown paths and the unexpected."""
    app.add_exception_handler(DashboardError, _expected)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)


def _respond(
    request: Request,
    status: int,
    code: str,
    message: str,
    details: dict[str, Any],
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    request_id = request.scope.get("request_id", "")
    return JSONResponse(error_body(code, message, details, request_id), status, headers or _HEADERS.get(status))


def _expected(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, DashboardError)
    if error.status >= 500:
        log.error("request failed", path=request.url.path, reason=str(error))
    return _respond(request, error.status, error.code, str(error), error.details)


def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    fields = {".".join(str(part) for part in e["loc"][1:]) or str(e["loc"][0]): e["msg"] for e in error.errors()}
    message = "; ".join(f"{name}: {reason}" for name, reason in fields.items())
    return _respond(request, 422, "validation_error", message, {"fields": fields})


def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    code = _CODES.get(error.status_code, "http_error")
    headers = {"Allow": _allowed(request)} if error.status_code == 405 else error.headers
    return _respond(request, error.status_code, code, str(error.detail), {}, headers)


def _allowed(request: Request) -> str:
    """The methods of every route with this path; Starlette names those of the first one alone."""
    contexts = iter_route_contexts(request.app.router.routes)
    found = [context for context in contexts if context.matches(request.scope)[0] is not Match.NONE]
    return ", ".join(sorted({method for context in found for method in context.methods or ()}))


def _unexpected(request: Request, error: Exception) -> JSONResponse:
    log.error("unexpected error", path=request.url.path, exc_info=error)
    return _respond(request, 500, "internal_error", "Something went wrong; the log has the details.", {})
