"""Groups of runs as a table: each group's numbers, and a link to its runs."""

from datetime import datetime
from typing import Any

import pandas as pd

from dashboard.parts.formats import NOTHING, duration, exact, missing, percentage, relative, text
from dashboard.parts.metric_table import Cell, Column, Row, Sort, address
from dashboard.parts.run_filters import GROUPS, STATUS_NAMES, Chosen

COLUMNS = (
    Column("name", "Group", "Click it for its runs.", sortable=True, strong=True),
    Column("runs", "Runs", "Runs under the filters.", "number", sortable=True),
    Column("success", "Success", "Of them successful.", "number", sortable=True),
    Column("failed", "Failed", "Of them failed.", "number", sortable=True),
    Column("cancelled", "Cancelled", "Of them cancelled or skipped.", "number", sortable=True),
    Column("success_rate", "Success rate", "Successful ÷ (successful + failed).", "number", sortable=True),
    Column("p50_seconds", "Median", "Median duration of successful and failed runs.", "number", sortable=True),
    Column("p95_seconds", "p95", "95th percentile of their duration.", "number", sortable=True),
    Column("total_seconds", "Total time", "All durations together.", "number", sortable=True),
    Column("last_at", "Last", "When the newest of them ended, or began.", "number", sortable=True),
)


def ordered(groups: pd.DataFrame, sort: Sort | None) -> pd.DataFrame:
    if sort is None:
        return groups
    return groups.sort_values(sort.column, ascending=not sort.descending, na_position="last", kind="stable")


def rows(groups: pd.DataFrame, chosen: Chosen, url: dict[str, str], now: datetime) -> list[Row]:
    """The cells of each group; `url`: the parameters of this page, which a group's link keeps but for the grouping."""
    kept = {name: value for name, value in url.items() if name not in ("by", "order", "page")}
    most = max([int(number) for number in groups["runs"]], default=1)
    return [_row(group, chosen, kept, now, most) for group in groups.to_dict("records")]


def _row(group: dict[Any, Any], chosen: Chosen, kept: dict[str, str], now: datetime, most: int) -> Row:
    by = chosen.by or "pipeline"
    value = group["pipeline_id"] if by == "pipeline" else group["name"]
    if missing(value):
        name: Cell = {"text": f"no {GROUPS[by].lower()}"}
    else:
        shown = STATUS_NAMES.get(f"{value}", value) if by == "status" else group["name"]
        name = {"text": text(group["name"])[:200], "href": address("runs", **{**kept, by: text(shown)})}
    return {
        "name": name,
        "runs": {"text": f"{int(group['runs']):,}", "share": int(group["runs"]) / most},
        "success": {"text": f"{int(group['success']):,}"},
        "failed": {"text": f"{int(group['failed']):,}"},
        "cancelled": {"text": f"{int(group['cancelled']):,}"},
        "success_rate": {"text": percentage(group["success_rate"])},
        **{column: {"text": _time(group[column])} for column in ("p50_seconds", "p95_seconds", "total_seconds")},
        "last_at": {"text": relative(group["last_at"], now), "title": exact(group["last_at"], chosen.zone)},
    }


def _time(seconds: Any) -> str:
    return NOTHING if missing(seconds) else duration(float(seconds))
