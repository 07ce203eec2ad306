"""A kept delivery once more through the code of today: for those that the code of yesterday couldn't understand."""

from typing import Any

from core.errors import NotFound
from core.model import Delivery
from core.store.reader import Reader
from core.store.writer import Writer
from ingest.api.frames import records
from ingest.deliveries import read_delivery
from ingest.providers import Envelope, webhooks


def replay(reader: Reader, writer: Writer, delivery_id: str) -> dict[str, Any]:
    """Process a delivery again and keep its new result. Returns its row. Raises NotFound. Harmless when repeated."""
    rows = records(reader.frame("delivery_payload", delivery_id=delivery_id))
    if not rows:
        raise NotFound(
            "There is no such delivery; they are kept for DELIVERY_RETENTION_DAYS.", details={"id": delivery_id}
        )
    delivery = _again(rows[0])
    writer.replay_delivery(delivery).result()
    return {
        name: getattr(delivery, name)
        for name in ("provider", "delivery_id", "event", "action", "received_at", "result", "reason")
    }


def _again(row: dict[str, Any]) -> Delivery:
    webhook = webhooks()[row["provider"]]
    envelope = Envelope(row["event"], row["delivery_id"])
    received_at = row["received_at"].to_pydatetime()
    return read_delivery(row["provider"], webhook, envelope, row["payload"].encode(), "application/json", received_at)
