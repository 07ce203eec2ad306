"""Frames of named queries as plain records, with None where pandas has its own words for nothing."""

from typing import Any

import pandas as pd


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as dicts; NaN, NaT and NA become None."""
    objects = frame.astype(object)
    rows: list[dict[str, Any]] = objects.where(frame.notna(), None).to_dict("records")  # type: ignore[assignment]
    return rows
