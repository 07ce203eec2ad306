"""Any frame as CSV that is safe to open in a spreadsheet."""

import csv
import io

import pandas as pd

from core.csv_cells import cell


def csv_of(frame: pd.DataFrame) -> bytes:
    """UTF-8: times in UTC (ISO 8601), durations in seconds, rates as fractions, NULL as an empty cell."""
    target = io.StringIO(newline="")
    writer = csv.writer(target)
    writer.writerow([cell(name) for name in frame.columns])
    columns = [frame.iloc[:, place].tolist() for place in range(frame.shape[1])]
    writer.writerows([cell(value) for value in row] for row in zip(*columns, strict=True))
    return target.getvalue().encode("utf-8", "replace")
