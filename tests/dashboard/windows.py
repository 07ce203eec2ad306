"""The parameters of an insight query over the last days, as the pages ask it."""

from datetime import UTC, datetime, timedelta
from typing import Any


def last_days(days: int) -> dict[str, Any]:
    until = datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(minutes=1)
    return {"provider": None, "repository": None, "branch": None, "since": until - timedelta(days=days), "until": until}
