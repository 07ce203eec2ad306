"""The runs table as CSV (UTF-8 without a byte order mark), safe to open in a spreadsheet."""

import csv
import io

import pandas as pd
import streamlit as st

from core.csv_cells import RUN_COLUMNS, cell
from dashboard import data
from dashboard.data import RunQuery

MOST_ROWS = 100_000


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
    writer.writerow(RUN_COLUMNS.values())
    columns = [runs[column].tolist() for column in RUN_COLUMNS]
    writer.writerows([cell(value) for value in row] for row in zip(*columns, strict=True))
    return target.getvalue().encode()
