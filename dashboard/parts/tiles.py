"""The four KPI tiles: the number, its change against the window before, and its course by day."""

from dataclasses import dataclass
from typing import Literal

import pandas as pd
import streamlit as st

from dashboard.parts.filters import WINDOW_NAMES
from dashboard.parts.formats import NOTHING, duration, percentage

Numbers = dict[str, float | None]


@dataclass(frozen=True, slots=True)
class Tile:
    """One tile as shown. `delta` is None without a comparison and 0 without a change."""

    label: str
    value: str
    delta: str | int | None
    good_direction: Literal["normal", "inverse", "off"]
    course: list[float]
    help: str


def tiles(numbers: Numbers, daily: pd.DataFrame) -> tuple[Tile, Tile, Tile, Tile]:
    """The tiles for the row of `summary` and the days of `charts.by_day` (one row a day, gaps filled)."""
    finished = daily["success"] + daily["failed"]
    rates = (daily["success"] / finished.where(finished > 0)).dropna()
    return (
        Tile(
            "Total pipelines", _whole(numbers["total_pipelines"]), _count_change(numbers, "total_pipelines"),
            "off", daily["pipelines"].astype(float).tolist(),
            f"{_whole(numbers['active_pipelines'])} of them ran in this window. The line: pipelines that ran each day.",
        ),
        Tile(
            "Success rate", percentage(numbers["success_rate"]), _rate_change(numbers), "normal", rates.tolist(),
            "Successful ÷ (successful + failed) runs finished in the window. Cancelled and skipped ones don't count.",
        ),
        Tile(
            "Failed pipelines", _whole(numbers["failed_pipelines"]), _count_change(numbers, "failed_pipelines"),
            "inverse", daily["failed_pipelines"].astype(float).tolist(),
            "Pipelines whose newest finished run on the default branch failed. "
            "The line: pipelines with a failure there each day.",
        ),
        Tile(
            "Average build time", duration(numbers["avg_build_time"]), _time_change(numbers), "inverse",
            daily["avg_build_time"].dropna().astype(float).tolist(),
            f"Mean duration of successful and failed runs. Median {duration(numbers['p50_build_time'])}, "
            f"95th percentile {duration(numbers['p95_build_time'])}.",
        ),
    )  # fmt: skip


def draw(shown: tuple[Tile, ...], window: str) -> None:
    """The tiles in one row, two or one beside each other where the screen is narrow."""
    with st.grid(4, min_column_width=155, gap="small", key="tiles"):
        for tile in shown:
            st.metric(
                tile.label, tile.value, tile.delta, delta_color=tile.good_direction, help=tile.help, border=True,
                chart_data=tile.course if len(tile.course) > 1 else None, chart_type="area", height="stretch",
                delta_description=f"vs previous {WINDOW_NAMES[window]}" if tile.delta is not None else None,
            )  # fmt: skip


def _whole(number: float | None) -> str:
    return NOTHING if number is None else f"{number:,.0f}"


def _count_change(numbers: Numbers, name: str) -> str | int | None:
    now, before = numbers[name], numbers[f"previous_{name}"]
    if now is None or before is None:
        return None
    return f"{now - before:+,.0f}" if now != before else 0


def _rate_change(numbers: Numbers) -> str | int | None:
    """In percentage points."""
    now, before = numbers["success_rate"], numbers["previous_success_rate"]
    if now is None or before is None:
        return None
    points = round((now - before) * 100, 1)
    return f"{points:+.1f} pp" if points else 0


def _time_change(numbers: Numbers) -> str | int | None:
    now, before = numbers["avg_build_time"], numbers["previous_avg_build_time"]
    if now is None or before is None:
        return None
    seconds = round(now - before)
    return f"{'+' if seconds > 0 else ''}{duration(seconds)}" if seconds else 0
