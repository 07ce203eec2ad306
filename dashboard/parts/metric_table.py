"""A table of numbers, each with its definition on hover and its rows behind a click: a small browser component.

Texts from outside reach the page as `textContent` only (`metric_table.js`), so nothing in them can become markup.
"""

from dataclasses import asdict, dataclass
from typing import Any, Literal
from urllib.parse import urlencode

from dashboard.parts.component import component, nothing

Cell = dict[str, Any]
Row = dict[str, Cell]


@dataclass(frozen=True, slots=True)
class Column:
    """A column: `help` is the definition shown on hover, `kind` how it is laid out."""

    id: str
    label: str
    help: str = ""
    kind: Literal["", "number", "wide"] = ""
    sortable: bool = False
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Sort:
    """By which column the rows are sorted."""

    column: str
    descending: bool

    @classmethod
    def of(cls, text: str, columns: tuple[Column, ...]) -> "Sort | None":
        """The sort that `success_rate:asc` names; None for anything else."""
        column, _, direction = text.partition(":")
        known = {each.id for each in columns if each.sortable}
        return cls(column, direction != "asc") if column in known and direction in ("asc", "desc") else None


def address(page: str, **parameters: object) -> str:
    """The address of a page of ours, relative to any other: `runs?pipeline=…`. Parameters that are None stay out."""
    given = {name: str(value) for name, value in parameters.items() if value is not None}
    return f"{page}?{urlencode(given)}" if given else page


def draw(columns: tuple[Column, ...], rows: list[Row], *, key: str, sort: Sort | None = None) -> str | None:
    """The table. A click on a link opens its page; returns the sort that a click on a heading asks for."""
    shown = {"columns": [asdict(column) for column in columns], "rows": rows, "sort": asdict(sort) if sort else None}
    result = component("metric_table")(data=shown, key=key, on_sorted_change=nothing)
    sorted_by = result.get("sorted")
    return str(sorted_by) if sorted_by else None
