"""The table of pipelines as shown: its columns with their definitions, and each pipeline's cells with their links."""

import math
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from dashboard.parts.formats import NOTHING, STATUS_ICONS, duration, exact, missing, percentage, relative, text
from dashboard.parts.metric_table import Cell, Column, Row, Sort, address
from dashboard.parts.providers import name_of
from dashboard.parts.run_filters import SORTS, STATUS_NAMES, pipeline_label

COLUMNS = (
    Column("pipeline", "Pipeline", "The workflow, and the repository it belongs to.", sortable=True, strong=True),
    Column(
        "status", "Status", sortable=True,
        help="Its newest finished run on the default branch: failing when that failed. Forks never count.",
    ),
    Column(
        "last", "Last 30 runs", kind="wide",
        help="The newest runs, newest on the right; height: duration, colour: outcome. Click one to open it.",
    ),
    Column("runs", "Runs", "Runs that began in the window.", "number", sortable=True),
    Column("failed", "Failures", "Runs that finished in the window as failed.", "number", sortable=True),
    Column(
        "success_rate", "Success", kind="number", sortable=True,
        help="Successful ÷ (successful + failed) runs that finished in the window. Cancelled, skipped don't count.",
    ),
    Column(
        "p50_seconds", "Median", kind="number", sortable=True,
        help="Median duration of successful and failed runs that finished in the window.",
    ),
    Column(
        "p95_seconds", "p95", kind="number", sortable=True,
        help="95th percentile of the duration: one run in twenty takes longer.",
    ),
    Column(
        "queue_seconds", "Queue", kind="number", sortable=True,
        help="Median time that a job waited from its creation to its start. Needs the CI system's job events.",
    ),
    Column(
        "flakiness", "Flaky", kind="number", sortable=True,
        help="Commits on which some job both failed and succeeded ÷ commits on which jobs finished.",
    ),
    Column(
        "recovery_seconds", "Recovery", kind="number", sortable=True,
        help="Median time from the first failed run on the default branch to the next success, of recoveries that "
        "ended in the window.",
    ),
)  # fmt: skip
DEFAULT_SORT = Sort("status", descending=True)
STATES = {"failed": "Failing", "success": "Passing", "none": "No result yet"}


def ordered(table: pd.DataFrame, sort: Sort) -> pd.DataFrame:
    """The rows of `reads.pipelines.table` by one column, what is unknown last; failing ones lead by default."""
    if sort.column == "pipeline":
        return table.sort_values(["pipeline", "repository"], ascending=not sort.descending, kind="stable")
    if sort.column == "status":
        keys = table.assign(worst=table["status"].map({"failed": 2, "success": 1}).fillna(0))
        return keys.sort_values(
            ["worst", "broken_since", "runs"], ascending=[not sort.descending, True, False], kind="stable"
        ).drop(columns="worst")
    return table.sort_values(sort.column, ascending=not sort.descending, na_position="last", kind="stable")


def rows(
    table: pd.DataFrame, last: pd.DataFrame, *, window: str, branch: str | None, now: datetime, zone: ZoneInfo
) -> list[Row]:
    """The cells of each pipeline; `last` are the rows of `reads.pipelines.last_runs`."""
    newest = dict(iter(last[last["kind"] == "run"].groupby("pipeline_id", sort=False)))
    return [
        _row(pipeline, newest.get(pipeline["pipeline_id"]), window, branch, now, zone)
        for pipeline in table.to_dict("records")
    ]


def _row(
    p: dict[Any, Any], newest: pd.DataFrame | None, window: str, branch: str | None, now: datetime, zone: ZoneInfo
) -> Row:
    own = {"pipeline": pipeline_label(p), "window": window, "branch": branch}
    page = address("pipeline", id=p["pipeline_id"], window=window, branch=branch)
    decided_runs = {**own, "status": STATUS_NAMES["decided"]}
    decided = f"{int(p['success']):,} of {int(p['success'] + p['failed']):,} succeeded"
    return {
        "pipeline": {
            "text": text(p["pipeline"])[:200], "href": page, "title": text(p["path"]) or text(p["pipeline"]),
            "sub": text(p["repository"])[:200],
            "sub_title": f"{text(p['repository'])} · {name_of(text(p['provider']))}",
        },
        "status": _status(p, now, zone),
        "last": {"bars": bars(newest, zone)} if newest is not None else {"text": NOTHING},
        "runs": {"text": f"{int(p['runs']):,}", "href": address("runs", **own), **_count_change(p, "runs")},
        "failed": {
            "text": f"{int(p['failed']):,}", "href": address("runs", **own, status=STATUS_NAMES["failed"]),
            **_count_change(p, "failed", bad_when_more=True),
        },
        "success_rate": {
            "text": percentage(p["success_rate"]), "href": address("runs", **decided_runs), "title": decided,
            **points_change(p["success_rate"], p["previous_success_rate"]),
        },
        "p50_seconds": _time(p, "p50_seconds", address("runs", **decided_runs, sort=SORTS["longest"])),
        "p95_seconds": _time(p, "p95_seconds", address("runs", **decided_runs, sort=SORTS["longest"])),
        "queue_seconds": _time(p, "queue_seconds", page),
        "flakiness": {
            "text": percentage(p["flakiness"]), "href": page,
            "title": _commits(p),
            **points_change(p["flakiness"], p["previous_flakiness"], good_when_more=False),
        },
        "recovery_seconds": _time(p, "recovery_seconds", page),
    }  # fmt: skip


def _status(p: dict[Any, Any], now: datetime, zone: ZoneInfo) -> Cell:
    status = text(p["status"])
    broken = not missing(p["broken_since"])
    since = p["broken_since"] if broken else p["status_since"]
    words = STATES.get(status, STATES["none"])
    return {
        "text": words, "icon": STATUS_ICONS.get(status, "–"), "status": status or "none",
        "title": f"{'Broken since' if broken else 'Last result'} {exact(since, zone)}",
        "sub": ("running · " if p["running"] else "")
        + (f"for {duration((now - since).total_seconds())}" if broken else relative(since, now)),
        "tone": "bad" if broken else "",
    }  # fmt: skip


def bars(newest: pd.DataFrame, zone: ZoneInfo) -> list[dict[str, Any]]:
    """A bar for each of the newest runs, oldest first: as high as it was long, against the longest of them."""
    found = newest.iloc[::-1].to_dict("records")
    known = [run["duration_seconds"] for run in found if not missing(run["duration_seconds"])]
    longest = max(known, default=0) or 1
    return [
        {
            "status": text(run["status"]),
            "height": 45 if missing(run["duration_seconds"]) else round(20 + 80 * run["duration_seconds"] / longest),
            "href": address("run", id=run["id"]),
            "title": " · ".join(
                part
                for part in (
                    "" if missing(run["run_number"]) else f"#{int(run['run_number'])}",
                    text(run["status"]), text(run["branch"])[:80],
                    duration(None if missing(run["duration_seconds"]) else float(run["duration_seconds"])),
                    exact(run["begun_at"], zone),
                )
                if part
            ),
        }
        for run in found
    ]  # fmt: skip


def _commits(p: dict[Any, Any]) -> str:
    return "" if missing(p["flakiness"]) else f"{int(p['flaky_commits'])} of {int(p['tested_commits'])} commits"


def _count_change(p: dict[Any, Any], name: str, *, bad_when_more: bool = False) -> Cell:
    more = int(p[name]) - int(p[f"previous_{name}"])
    return _change(f"{more:+,}" if more else "", (-1 if bad_when_more else 0) * more)


def points_change(now: float | None, before: float | None, *, good_when_more: bool = True) -> Cell:
    """The change of a fraction in percentage points."""
    if missing(now) or missing(before):
        return {}
    points = round((float(now or 0) - float(before or 0)) * 100, 1)
    return _change(f"{points:+.1f} pp" if points else "", points if good_when_more else -points)


def _time(p: dict[Any, Any], name: str, href: str) -> Cell:
    now, before = p[name], p[f"previous_{name}"]
    return {"text": duration(None if missing(now) else float(now)), "href": href, **time_change(now, before)}


def time_change(now: float | None, before: float | None) -> Cell:
    """The change of a duration; one of less than a tenth or of a few seconds is shown without judging it."""
    if missing(now) or missing(before):
        return {}
    seconds = math.floor(float(now or 0) - float(before or 0) + 0.5)
    judged = 0.0 if abs(seconds) < max(0.1 * float(before or 0), 5) else -float(seconds)
    return _change(f"{'+' if seconds > 0 else ''}{duration(seconds)}" if seconds else "", judged)


def _change(words: str, goodness: float) -> Cell:
    tone = "good" if goodness > 0 else "bad" if goodness < 0 else ""
    return {"sub": words, "tone": tone, "sub_title": f"{words} against the window before"} if words else {}
