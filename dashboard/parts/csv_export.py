"""Runs as CSV: all that the filters choose, and safe to open in a spreadsheet."""

import pandas as pd

COLUMNS = [
    "id", "provider", "repository", "pipeline", "run_number", "run_attempt", "status", "conclusion", "event", "branch",
    "head_sha", "commit_message", "commit_author", "actor", "created_at", "started_at", "finished_at", "duration_seconds", "url",
]  # fmt: skip

# A cell that begins so is a formula to a spreadsheet: https://owasp.org/www-community/attacks/CSV_Injection
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def to_csv(frame: pd.DataFrame) -> bytes:
    """UTF-8 CSV; times in ISO 8601 UTC, durations in seconds, formulas made harmless by a leading apostrophe."""
    table = frame[COLUMNS].copy()
    for column in table.columns:
        if pd.api.types.is_datetime64_any_dtype(table[column]):
            table[column] = table[column].dt.strftime("%Y-%m-%dT%H:%M:%SZ")
        elif not pd.api.types.is_numeric_dtype(table[column]):
            table[column] = table[column].map(harmless, na_action="ignore")
    return table.to_csv(index=False).encode()


def harmless(text: object) -> object:
    """`text` with an apostrophe before it where a spreadsheet would run it; blanks before the sign don't hide it."""
    if (
        isinstance(text, str)
        and text.startswith(FORMULA_STARTS + (" ",))
        and text.lstrip(" ").startswith(FORMULA_STARTS)
    ):
        return "'" + text
    return text
