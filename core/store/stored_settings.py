"""Settings that change while the service runs, kept in the settings table: the write key, and who has which role."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import orjson
import pandas as pd

from core.key_hash import hashed, is_key
from core.store.cursor import Cursor

WRITE_KEY = "api_write_key_hash"
PREVIOUS_KEY = "api_write_key_previous_hash"
PREVIOUS_UNTIL = "api_write_key_previous_until"
SEEDED_FROM = "api_write_key_seed_hash"

SEED = "API_WRITE_KEY"


def stored_json(read: Callable[..., pd.DataFrame], key: str) -> dict[str, Any]:
    """The JSON object under a key, by a reader's `frame`; empty where nobody set it."""
    rows = read("stored_settings")
    found = rows.loc[rows["key"] == key, "value"]
    return dict(orjson.loads(found.iloc[0])) if len(found) else {}


def put(cursor: Cursor, values: Mapping[str, str | None], by: str, now: datetime) -> None:
    """Set each key; None removes it."""
    for key, value in values.items():
        if value is None:
            cursor.execute("DELETE FROM settings WHERE key = ?", [key])
            continue
        cursor.execute(
            """INSERT INTO settings VALUES (?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET
                value = excluded.value, updated_at = excluded.updated_at, updated_by = excluded.updated_by""",
            [key, value, now, by],
        )


def seed_write_key(cursor: Cursor, configured: str | None, now: datetime) -> bool:
    """Take the write key from the environment when it is new there; True if it was.

    A key that was changed through the API stays, until the environment names a key that was not seen before.
    """
    if not configured:
        return False
    row = cursor.execute("SELECT value FROM settings WHERE key = ?", [SEEDED_FROM]).fetchone()
    if row and is_key(configured, row[0]):
        return False
    kept = hashed(configured)
    put(cursor, {WRITE_KEY: kept, SEEDED_FROM: kept, PREVIOUS_KEY: None, PREVIOUS_UNTIL: None}, SEED, now)
    return True


def change_write_key(cursor: Cursor, new: str, previous_valid_until: datetime | None, by: str, now: datetime) -> None:
    """Replace the write key; the old one stays valid until then, or ends now."""
    row = cursor.execute("SELECT value FROM settings WHERE key = ?", [WRITE_KEY]).fetchone()
    keep = row[0] if row and previous_valid_until else None
    until = previous_valid_until.isoformat() if keep and previous_valid_until else None
    put(cursor, {WRITE_KEY: hashed(new), PREVIOUS_KEY: keep, PREVIOUS_UNTIL: until}, by, now)
