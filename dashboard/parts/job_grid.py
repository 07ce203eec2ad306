"""The grid of jobs by runs, as test grids show it: newest run left, one cell for each job and attempt.

Texts from outside reach the page as `textContent` only (`job_grid.js`), so nothing in them can become markup.
"""

from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from dashboard.parts import metric_table
from dashboard.parts.component import component
from dashboard.parts.formats import STATUS_ICONS, count, duration, exact, missing, text

MOST_JOBS = 60
SHOWN_ICONS = {"failed": "✕", "running": "▶", "cancelled": "⊘"}  # an outcome is told by more than its colour


def cells(grid: pd.DataFrame, zone: ZoneInfo) -> dict[str, Any]:
    """The rows of pipeline_grid as columns (attempts) and rows (jobs; those that failed most, first)."""
    attempts = grid.drop_duplicates("attempt_id")
    known = grid.dropna(subset="job")
    failures = known[known["job_status"] == "failed"].groupby("job").size()
    jobs = sorted(
        known["job"].unique(), key=lambda name: (-int(failures.get(name, 0)), known["job"].tolist().index(name))
    )[:MOST_JOBS]
    # Of jobs that share a name, in one attempt, the worst is shown.
    order = {"failed": 0, "running": 1, "queued": 2, "blocked": 3, "cancelled": 4, "success": 5}
    worst = known.assign(rank=known["job_status"].map(order).fillna(6)).sort_values("rank", kind="stable")
    by_place = {
        (row["job"], row["attempt_id"]): row for row in worst.drop_duplicates(["job", "attempt_id"]).to_dict("records")
    }
    ran = known[known["job_status"].isin(["success", "failed"])].groupby("job").size()
    return {
        "runs": [_attempt(row, zone) for row in attempts.to_dict("records")],
        "jobs": [
            {
                "name": text(job)[:120],
                "note": f"{int(failures.get(job, 0))} of {count(int(ran.get(job, 0)), 'try', 'tries')} failed",
                "cells": [_cell(by_place.get((job, attempt)), job) for attempt in attempts["attempt_id"]],
            }
            for job in jobs
        ],
    }


def _attempt(row: dict[Any, Any], zone: ZoneInfo) -> dict[str, str]:
    number = "–" if missing(row["run_number"]) else f"#{int(row['run_number'])}"
    again = f" · {int(row['run_attempt'])}" if int(row["run_attempt"]) > 1 else ""
    where = f"{text(row['status'])} on {text(row['branch'])[:80]}, {exact(row['begun_at'], zone)}"
    return {
        "label": number + again,
        "href": metric_table.address("run", id=row["id"], attempt=int(row["run_attempt"])),
        "title": f"{number}, attempt {int(row['run_attempt'])}: {where}",
    }


def _cell(row: dict[Any, Any] | None, job: str) -> dict[str, str] | None:
    if row is None:
        return None
    status = text(row["job_status"])
    took = None if missing(row["job_seconds"]) else float(row["job_seconds"])
    number = "" if missing(row["run_number"]) else f"#{int(row['run_number'])} "
    return {
        "status": status, "icon": SHOWN_ICONS.get(status, ""),
        "title": f"{number}{text(job)[:80]}: {STATUS_ICONS.get(status, '')} {status} · {duration(took)}",
    }  # fmt: skip


def draw(grid: pd.DataFrame, zone: ZoneInfo) -> None:
    """The grid; a click on a cell opens its attempt."""
    component("job_grid")(data=cells(grid, zone), key="job_grid")
