"""A webhook call from its bytes to its place in the store, and the same again on replay."""

from datetime import datetime
from types import ModuleType
from typing import Any
from urllib.parse import parse_qs

import orjson

from core.errors import BadPayload
from core.model import Changes, Delivery
from core.nul import without_nul
from ingest.providers import Envelope


def read_delivery(
    provider: str, webhook: ModuleType, envelope: Envelope, body: bytes, content_type: str, received_at: datetime
) -> Delivery:
    """Understand an authentic call. What can't be understood becomes a failed delivery with its reason."""
    text = body_text(body, content_type)
    action = None
    changes: Changes | None = Changes()
    reason = None
    try:
        payload = _json_object(text)
        action = payload["action"][:100] if isinstance(payload.get("action"), str) else None
        changes = webhook.parse(envelope.event, payload)
        result = "processed" if changes is not None else "ignored"
    except BadPayload as error:
        result, reason = "failed", str(error)
    return Delivery(
        provider=provider,
        delivery_id=without_nul(envelope.delivery_id),
        event=without_nul(envelope.event),
        action=action,
        received_at=received_at,
        result=result,  # type: ignore[arg-type]
        reason=reason,
        payload=text,
        changes=changes or Changes(),
    )


def body_text(body: bytes, content_type: str) -> str:
    """The JSON text of a body, without NUL; GitHub's form encoding carries it in the field `payload`."""
    text = body.decode("utf-8", "replace")
    if content_type.startswith("application/x-www-form-urlencoded"):
        # curl says that it sends a form where nobody told it otherwise.
        text = parse_qs(text).get("payload", [text])[0]
    return without_nul(text)


def _json_object(text: str) -> dict[str, Any]:
    try:
        payload = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise BadPayload(f"The body is no JSON: {error}.") from None
    if not isinstance(payload, dict):
        raise BadPayload("The body is JSON, but no object.")
    return payload
