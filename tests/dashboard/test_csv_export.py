"""The CSV: exactly the rows, and nothing in it that a spreadsheet runs."""

import csv
import io
from datetime import UTC, datetime

import pandas as pd
import pytest

from core.csv_cells import RUN_COLUMNS, cell
from dashboard.parts.csv_export import runs_csv


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "  ="])
def test_a_text_that_begins_like_a_formula_gets_a_quote_before_it(start: str) -> None:
    assert cell(f"{start}1+1") == f"'{start}1+1"


@pytest.mark.parametrize("value", ["plain", "a=b", "it's", "é–✓"])
def test_other_texts_stay_as_they_are(value: str) -> None:
    assert cell(value) == value


def test_null_is_empty_and_a_whole_number_beside_null_stays_whole() -> None:
    assert [cell(value) for value in (None, float("nan"), pd.NaT, pd.NA, 12.0, -3)] == ["", "", "", "", 12, -3]


def test_times_are_written_in_utc() -> None:
    assert cell(pd.Timestamp("2026-03-02 13:00:00", tz="Europe/Madrid")) == "2026-03-02T12:00:00Z"


def test_a_file_reads_back_as_its_rows_and_has_no_byte_order_mark() -> None:
    row: dict[str, object] = dict.fromkeys(RUN_COLUMNS, "x") | {
        "commit_message": 'two\nlines, "quoted"',
        "run_number": 7,
    }
    written = runs_csv(pd.DataFrame([row, row]))
    assert not written.startswith(b"\xef\xbb\xbf")
    read = list(csv.DictReader(io.StringIO(written.decode(), newline="")))
    assert [line["message"] for line in read] == ['two\nlines, "quoted"'] * 2
    assert read[0]["run_number"] == "7"
    assert list(read[0]) == list(RUN_COLUMNS.values())


@pytest.mark.usefixtures("in_tokyo")
def test_times_are_in_utc_on_a_machine_in_any_zone_and_nul_is_left_out() -> None:
    assert cell(pd.Timestamp("2026-03-02 13:00:00", tz="Europe/Madrid")) == "2026-03-02T12:00:00Z"
    assert cell(datetime(2026, 3, 2, 12, tzinfo=UTC)) == "2026-03-02T12:00:00Z"
    assert cell("a\0b") == "ab"
    assert cell("X=1") == "X=1"
