"""The weekly digest: health, what got better or worse, and what to fix first. Pure: frames in, sentences out."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, time, timedelta
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import pandas as pd

from core.insights.failures import Cluster

WEEK = timedelta(days=7)
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
# A success rate of a pipeline changed if as many runs in each week, and a difference rarer than one in twenty, say so.
LEAST_RUNS = 5
LEAST_Z = 1.96
MOST_CHANGES = 5
MOST_FIXES = 3


@dataclass(frozen=True, slots=True)
class Line:
    """One statement; `path`: the page of the dashboard that shows it, without its address."""

    text: str
    path: str | None = None


@dataclass(frozen=True, slots=True)
class Digest:
    """Of the week between two UTC times; `zone` names the time zone in which it is told."""

    since: datetime
    until: datetime
    zone: str
    health: tuple[Line, ...]
    worse: tuple[Line, ...]
    better: tuple[Line, ...]
    fixes: tuple[Line, ...]

    @property
    def title(self) -> str:
        begin, end = (at.astimezone(ZoneInfo(self.zone)) for at in (self.since, self.until))
        return f"CI/CD week: {begin:%a} {begin.day} {begin:%b} to {end:%a} {end.day} {end:%b %Y}"

    def sections(self) -> list[tuple[str, tuple[Line, ...]]]:
        """Name and lines of each part that has any."""
        parts = [
            ("Health", self.health), ("Fix first", self.fixes), ("Got worse", self.worse), ("Got better", self.better)
        ]  # fmt: skip
        return [(name, lines) for name, lines in parts if lines]

    def facts(self) -> dict[str, Any]:
        """As plain values, for the outbox and the API."""
        sections = [{"name": name, "lines": [asdict(line) for line in lines]} for name, lines in self.sections()]
        return {"title": self.title, "sections": sections}


def due_at(now: datetime, schedule: str, zone: ZoneInfo) -> datetime | None:
    """The newest moment not after `now` at which a digest is due by `mon 08:00` in a zone; None for `off`.

    A wall-clock time that a change of the clocks skips or repeats counts once, as Python's zoneinfo reads it.
    """
    if schedule == "off":
        return None
    day, clock = schedule.split()
    local = now.astimezone(zone)
    date = local.date() - timedelta(days=(local.weekday() - DAYS.index(day)) % 7)
    due = datetime.combine(date, time.fromisoformat(clock), zone)
    if due > local:
        due = datetime.combine(date - WEEK, time.fromisoformat(clock), zone)
    return due.astimezone(now.tzinfo)


def build(
    until: datetime,
    zone: str,
    *,
    summary: "pd.Series[Any]",
    pipelines: pd.DataFrame,
    flaky: pd.DataFrame,
    changes: pd.DataFrame,
    clusters: list[Cluster],
) -> Digest:
    """The digest of the week that ended at `until` (UTC).

    `summary`: the row of summary; `pipelines`, `flaky`: the rows of digest_pipelines and flaky_jobs of that week;
    `changes`: those of duration_changes, also of weeks before; `clusters`: the failures of that week.
    """
    since = until - WEEK
    rates = _rate_changes(pipelines)
    in_force = changes[changes["is_newest"] & (changes["changed_at"] < until)]
    slower = in_force[in_force["ratio"] > 1]
    fresh = in_force[(in_force["changed_at"] >= since) & (in_force["job"] == "")]
    worse = [line for change, line in rates if change < 0] + _tempo(fresh[fresh["ratio"] > 1])
    better = [line for change, line in reversed(rates) if change > 0] + _tempo(fresh[fresh["ratio"] < 1])
    return Digest(
        since,
        until,
        zone,
        health=_health(summary, pipelines),
        worse=tuple(worse[:MOST_CHANGES]),
        better=tuple(better[:MOST_CHANGES]),
        fixes=tuple(_fixes(flaky, slower, clusters)),
    )


def _health(summary: "pd.Series[Any]", pipelines: pd.DataFrame) -> tuple[Line, ...]:
    runs = int(summary["success"] or 0) + int(summary["failed"] or 0)
    if not runs:
        return (Line("No run finished this week."),)
    rate, before = summary["success_rate"], summary["previous_success_rate"]
    change = "" if _none(before) else f" ({(rate - before) * 100:+.1f} points)"
    times = f"{told(summary['avg_build_time'])} on average, {told(summary['p95_build_time'])} at the 95th percentile"
    return (
        Line(f"{rate * 100:.1f} % of {runs:,} runs succeeded{change}.", "?window=7d"),
        Line(_failing(pipelines), "pipelines"),
        Line(f"A build took {times}."),
    )


def _failing(pipelines: pd.DataFrame) -> str:
    broken = pipelines[pipelines["newest_status"] == "failed"]
    if broken.empty:
        return f"None of {len(pipelines)} pipelines is failing on its default branch."
    names = [f"{row.repository} {row.pipeline}" for row in broken.head(MOST_CHANGES).itertuples()]
    others = " and others" if len(broken) > MOST_CHANGES else ""
    return f"{len(broken)} of {len(pipelines)} pipelines fail on their default branch: {', '.join(names)}{others}."


def _rate_changes(pipelines: pd.DataFrame) -> list[tuple[float, Line]]:
    """(change of the success rate, its line), the worst first, of pipelines whose change isn't chance."""
    found = []
    for row in pipelines.to_dict("records"):
        runs, before = row["success"] + row["failed"], row["previous_success"] + row["previous_failed"]
        if min(runs, before) < LEAST_RUNS:
            continue
        rate, earlier = row["success"] / runs, row["previous_success"] / before
        if abs(z_of(row["success"], runs, row["previous_success"], before)) < LEAST_Z:
            continue
        name = f"{row['repository']} {row['pipeline']}"
        text = f"{name}: {rate * 100:.0f} % of runs succeeded, {earlier * 100:.0f} % the week before."
        found.append((rate - earlier, Line(text, f"pipeline?id={quote(str(row['pipeline_id']), safe='')}")))
    return sorted(found, key=lambda pair: (pair[0], pair[1].text))


def z_of(success: int, runs: int, previous_success: int, previous_runs: int) -> float:
    """The statistic of the two-proportion test with a pooled share; 0 where all runs ended alike."""
    pooled = (success + previous_success) / (runs + previous_runs)
    spread = math.sqrt(pooled * (1 - pooled) * (1 / runs + 1 / previous_runs))
    return (success / runs - previous_success / previous_runs) / spread if spread else 0.0


def _tempo(changes: pd.DataFrame) -> list[Line]:
    return [
        Line(
            f"{_changed(row)}: {told(row['before_seconds'])} before, {told(row['after_seconds'])} now.",
            "regressions",
        )
        for row in changes.to_dict("records")
    ]


def _changed(row: Mapping[Any, Any]) -> str:
    """`acme/web CI › build is 25 % slower since commit abc1234`."""
    job = f" › {row['job']}" if row["job"] else ""
    word = "slower" if row["ratio"] > 1 else "faster"
    percent = abs(row["ratio"] - 1) * 100
    since = "" if _none(row["head_sha"]) else f" since commit {row['head_sha'][:7]}"
    return f"{row['repository']} {row['pipeline']}{job} is {percent:.0f} % {word}{since}"


def _fixes(flaky: pd.DataFrame, slower: pd.DataFrame, clusters: list[Cluster]) -> list[Line]:
    """The most frequent error, the job that wastes most, the slow-down that costs most; then the second ones."""
    costly = slower[slower["week_seconds"] > 0].sort_values("week_seconds", ascending=False, kind="stable")
    groups = (
        [Line(_error(one), "failures?window=7d") for one in clusters[:MOST_FIXES]],
        [Line(_flaky(row), "flaky?window=7d") for row in flaky.head(MOST_FIXES).to_dict("records")],
        [
            Line(f"{_changed(row)}, {told(row['week_seconds'])} a week.", "regressions")
            for row in costly.head(MOST_FIXES).to_dict("records")
        ],
    )
    in_turn = [group[place] for place in range(MOST_FIXES) for group in groups if place < len(group)]
    return in_turn[:MOST_FIXES]


def _error(one: Cluster) -> str:
    runs = "1 run" if one.runs == 1 else f"{one.runs:,} runs"
    pipelines = "1 pipeline" if one.pipelines == 1 else f"{one.pipelines:,} pipelines"
    return f"“{one.line[:160]}” broke {runs} of {pipelines}."


def _flaky(row: Mapping[Any, Any]) -> str:
    name = f"{row['job']} of {row['repository']} {row['pipeline']}"
    cost = f"cost {told(row['wasted_seconds'])}, and people waited {told(row['waited_seconds'])}"
    tries = "1 failed try" if row["failures"] == 1 else f"{row['failures']:,} failed tries"
    return f"{name} is flaky: {tries} on good commits {cost}."


def told(seconds: float | None) -> str:
    """Seconds in a sentence: `45 s`, `3 min`, `1 h 05 min`; an en dash for nothing."""
    if _none(seconds) or seconds is None:
        return "–"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def _none(value: object) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))
