"""The runs table as CSV (UTF-8 without a byte order mark), safe to open in a spreadsheet."""

import csv
import io

import pandas as pd
import streamlit as st

from dashboard import data
from dashboard.data import RunQuery
from dashboard.parts.formats import missing

MOST_ROWS = 100_000

# A cell that begins so is a formula to a spreadsheet: https://owasp.org/www-community/attacks/CSV_Injection
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")

# What the file shows, in order: a heading for each column of run_page.
COLUMNS = {
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


def button(query: RunQuery) -> None:
    """The download of every run of `query`. Made on the click: drawing the page costs nothing."""
    st.download_button(
        "CSV",
        lambda: runs_csv(data.runs(query, limit=MOST_ROWS)),
        "workflow-runs.csv",
        "text/csv",
        icon=":material/download:",
        on_click="ignore",
        key="csv",
        help=f"Every run under these filters, not only this page; {MOST_ROWS:,} at most.",
    )


def runs_csv(runs: pd.DataFrame) -> bytes:
    """The rows of `run_page` as CSV: times in UTC (ISO 8601), durations in seconds, NULL as an empty cell."""
    target = io.StringIO(newline="")
    writer = csv.writer(target)
    writer.writerow(COLUMNS.values())
    columns = [runs[column].tolist() for column in COLUMNS]
    writer.writerows([cell(value) for value in row] for row in zip(*columns, strict=True))
    return target.getvalue().encode()


def cell(value: object) -> object:
    """One value as written. A text that a spreadsheet would run as a formula gets a leading single quote."""
    if missing(value):
        return ""
    if isinstance(value, pd.Timestamp):
        return value.tz_convert("UTC").strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, float) and value.is_integer():
        return int(value)  # a whole number that shares its column with NULL
    if isinstance(value, str):
        value = value.replace("\0", "")  # ends the file for some readers
        return f"'{value}" if value.lstrip(" ").startswith(FORMULA_STARTS) else value
    return value
