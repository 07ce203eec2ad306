"""Where CI systems deliver: authenticate, understand, commit, and only then answer."""

import asyncio
from datetime import UTC, datetime
from types import ModuleType

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from core.errors import BadPayload, NotFound, TooManyRequests, Unauthorized
from ingest.api.models import ErrorBody, WebhookAnswer
from ingest.deliveries import read_delivery
from ingest.providers import webhooks
from ingest.service import Service

router = APIRouter(tags=["webhooks"])


@router.post(
    "/webhook/{provider}",
    response_model=WebhookAnswer,
    responses={code: {"model": ErrorBody} for code in (400, 401, 404, 413, 422)},
    summary="Deliver a webhook",
)
async def deliver(provider: str, request: Request) -> JSONResponse:
    """Store one webhook call. `processed`, `ignored` (event not used) or `duplicate` (delivery id seen before).

    The answer comes after the commit that holds the delivery. A signed body that can't be understood is kept and
    answered with 422; `python -m ingest replay` processes it once the code can.
    """
    service: Service = request.app.state.service
    webhook = webhooks().get(provider.replace("_", "-"))
    if webhook is None:
        raise NotFound(f"No CI system is called {provider}.", details={"known": sorted(webhooks())})
    body = await request.body()
    try:
        is_signed = await _check_trust(webhook, body, request, service)
    except Unauthorized:
        await _count(request)
        raise
    if not is_signed:
        await _count(request)
    delivery = read_delivery(
        provider.replace("_", "-"),
        webhook,
        webhook.envelope_of(request.headers, body),
        body,
        request.headers.get("content-type", ""),
        datetime.now(UTC),
    )
    if await service.seen.knows(delivery):
        return JSONResponse({"status": "duplicate"})
    outcome = await asyncio.wrap_future(service.writer.submit_delivery(delivery))
    await service.seen.note(delivery)
    if outcome == "failed":
        raise BadPayload(delivery.reason or "", details={"delivery_id": delivery.delivery_id})
    return JSONResponse({"status": outcome})


async def _check_trust(webhook: ModuleType, body: bytes, request: Request, service: Service) -> bool:
    """True for a call signed with the secret, or with the one before it while that is set; else raises Unauthorized.

    Without a secret the write key is asked for, where one is set; such a call is not signed.
    """
    secret = webhook.secret_of(service.settings)
    if secret is None:
        key = request.headers.get("x-api-key", "")
        if service.callers.needs_key() and not await asyncio.to_thread(service.callers.is_write_key, key):
            raise Unauthorized("The header X-API-KEY is missing or wrong.")
        return False
    if not webhook.is_authentic(body, request.headers, secret):
        previous = webhook.secret_of(service.settings.before_rotation())
        if previous and webhook.is_authentic(body, request.headers, previous):
            return True
        raise Unauthorized(
            "The webhook's signature is missing or wrong.", hint="Does its secret equal the one set here?"
        )
    return True


async def _count(request: Request) -> None:
    """Signed calls are never dropped by their address's limit; others count. Raises TooManyRequests."""
    if not await request.state.count():
        raise TooManyRequests("Too many unsigned calls in a minute. Retry-After says when to come again.")
