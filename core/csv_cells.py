"""Runs as CSV that is safe to open in a spreadsheet: the one rule of the dashboard's download and the API's export."""

import math
from datetime import UTC, datetime

import pandas as pd

# A cell that begins so is a formula to a spreadsheet: https://owasp.org/www-community/attacks/CSV_Injection
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")

# What the file shows, in order: a heading for each column of run_page and run_export.
RUN_COLUMNS = {
    "pipeline": "pipeline",
    "repository": "repository",
    "provider": "provider",
    "run_number": "run_number",
    "run_attempt": "attempt",
    "status": "status",
    "conclusion": "conclusion",
    "duration_seconds": "duration_seconds",
    "branch": "branch",
    "head_sha": "commit",
    "commit_message": "message",
    "commit_author": "author",
    "created_at": "created_at",
    "started_at": "started_at",
    "finished_at": "finished_at",
    "id": "id",
    "url": "url",
}


def cell(value: object) -> object:
    """One value as written: times in UTC (ISO 8601), NULL empty, a text that is a formula with a quote before it."""
    if pd.isna(value):  # type: ignore[call-overload]  # None, NaN, NaT and NA, of which a DataFrame holds any
        return ""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        return int(value)  # a whole number that shares its column with NULL
    if isinstance(value, str):
        value = value.replace("\0", "")  # ends the file for some readers
        return f"'{value}" if value.lstrip(" ").startswith(FORMULA_STARTS) else value
    return value
