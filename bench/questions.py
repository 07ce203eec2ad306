"""What is asked of every store: our named queries with their parameters, and the same questions of the original schema."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal, TypeAlias

import pandas as pd

from bench.loading import ORIGINAL
from core.queries import Value

Engine: TypeAlias = Literal["sqlite", "postgres"]
Answer: TypeAlias = list[tuple[Any, ...]]

DAY = timedelta(days=1)
PARAMETER = re.compile(r"(?<!:):([a-z_]+)")
SCOPE: dict[str, Value] = {"provider": None, "repository": None, "branch": None}
RUN_FILTER: dict[str, Value] = SCOPE | dict.fromkeys(
    (
        "pipeline_id",
        "statuses",
        "event",
        "actor",
        "author",
        "is_fork",
        "min_seconds",
        "max_seconds",
        "since",
        "until",
        "words",
    )
)


@dataclass(frozen=True, slots=True)
class Question:
    """A named query of ours with its parameters; `of_jobs`: what the original schema, which has no jobs, can't answer."""

    label: str
    query: str
    parameters: dict[str, Value]
    of_jobs: bool = False

    def original(self, engine: Engine) -> str:
        """The same question of the original schema, by hand."""
        own = ORIGINAL / f"{self.query}.{engine}.sql"
        text = (own if own.exists() else ORIGINAL / f"{self.query}.sql").read_text()
        return text if engine == "sqlite" else PARAMETER.sub(r"%(\1)s", text.replace("%", "%%"))

    def original_parameters(self, engine: Engine) -> dict[str, Any]:
        """The parameters as that engine takes times; each time also a day earlier, for what the index on created_at finds."""
        given: dict[str, Any] = dict(self.parameters)
        given |= {f"{name}_less_a_day": value - DAY for name, value in given.items() if isinstance(value, datetime)}
        return {
            name: _time_of(value, engine) if isinstance(value, datetime) else value for name, value in given.items()
        }


def questions(now: datetime) -> list[Question]:
    """The overview's questions, then those of the insights and of the explorers, as of `now` (UTC)."""
    week, month = now - 7 * DAY, now - 30 * DAY
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)

    def window(days: int) -> dict[str, Value]:
        return {
            "window_start": now - timedelta(days=days), "window_end": now, "previous_start": now - timedelta(days=2 * days),
        }  # fmt: skip

    listed = SCOPE | {"pipeline_id": None, "statuses": None, "since": week, "until": None}
    jobs: dict[str, Value] = SCOPE | {"since": month, "until": now, "limit": 200}
    return [
        Question("overview: tiles", "summary", SCOPE | window(7) | {"day_ago": now - DAY}),
        Question("overview: chart of 7 days", "daily_outcomes", SCOPE | {"zone": "UTC", "chart_start": midnight - 6 * DAY}),
        Question("overview: newest runs", "run_page", listed | {"limit": 20, "offset": 0}),
        Question("overview: alerts", "alert_counts", SCOPE),
        Question("runs of 7 days, counted", "run_count", listed),
        Question("runs, a word in all of them", "run_search_count", RUN_FILTER | {"words": "number 99999", "limit": 10_000}),
        Question("runs by author, 30 days", "run_groups", RUN_FILTER | {"since": month, "group_by": "author", "zone": "UTC", "limit": 200}),
        Question("pipelines, 30 days", "pipeline_stats", SCOPE | window(30) | {"id": None}),
        Question("recovery, 30 days", "pipeline_recovery", {"id": None} | window(30)),
        Question("flaky jobs, 30 days", "flaky_jobs", jobs, of_jobs=True),
        Question("cost by job, 30 days", "cost_jobs", jobs, of_jobs=True),
    ]  # fmt: skip


def same(ours: tuple[Sequence[str], Answer], theirs: tuple[Sequence[str], Answer]) -> bool:
    """Whether two answers hold the same rows in the columns that both have, in any order."""
    shared = [name for name in ours[0] if name in theirs[0]]
    return len(shared) == len(theirs[0]) and _plain(ours, shared) == _plain(theirs, shared)


def _plain(answer: tuple[Sequence[str], Answer], names: Sequence[str]) -> list[tuple[str, ...]]:
    places = [list(answer[0]).index(name) for name in names]
    return sorted(tuple(_word(row[place]) for place in places) for row in answer[1])


def _word(value: Any) -> str:
    """A value as text that doesn't depend on the engine: numbers to six digits, times to the second in UTC."""
    if pd.isna(value):
        return "–"
    if isinstance(value, int | float | Decimal):
        return f"{float(value):.6g}"
    if isinstance(value, datetime):
        return f"{(value.astimezone(UTC) if value.tzinfo else value):%Y-%m-%d %H:%M:%S}".removesuffix(" 00:00:00")
    if isinstance(value, date):
        return f"{value:%Y-%m-%d}"
    text = str(value)
    return text[:19] if re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.", text) else text


def _time_of(value: datetime, engine: Engine) -> Any:
    plain = value.astimezone(UTC).replace(tzinfo=None)
    return plain if engine == "postgres" else f"{plain:%Y-%m-%d %H:%M:%S.%f}"
