"""Where CI systems deliver: authenticate, understand, commit, and only then answer."""

import asyncio
from datetime import UTC, datetime

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from core.errors import BadPayload, NotFound, Unauthorized
from ingest.api.dependencies import check_write_key
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
    secret = webhook.secret_of(service.settings)
    if secret is None:
        check_write_key(request.headers.get("x-api-key"), service)
    elif not webhook.is_authentic(body, request.headers, secret):
        raise Unauthorized(
            "The webhook's signature is missing or wrong.", hint="Does its secret equal the one set here?"
        )
    delivery = read_delivery(
        provider.replace("_", "-"),
        webhook,
        webhook.envelope_of(request.headers, body),
        body,
        request.headers.get("content-type", ""),
        datetime.now(UTC),
    )
    outcome = await asyncio.wrap_future(service.writer.submit_delivery(delivery))
    if outcome == "failed":
        raise BadPayload(delivery.reason or "", details={"delivery_id": delivery.delivery_id})
    return JSONResponse({"status": outcome})
