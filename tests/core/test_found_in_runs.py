"""What the timer finds in stored runs and keeps for the pages: changes of durations, telling lines of failures."""

from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import pandas as pd
import pytest

from core.insights import failures, regressions
from core.insights.regressions import HISTORY, MOST_RUNS, Change, FoundChange
from core.store import duration_changes, failure_lines
from core.store.duration_changes import find_changes
from core.store.failure_lines import pick_lines
from core.store.reader import OwnerReader
from core.store.writer import Writer

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
Asked = list[tuple[str, dict[str, Any]]]


class Pipelines:
    """A reader of pipelines that finished a run: when the newest of each was, and what was asked."""

    def __init__(self, newest: dict[str, datetime]) -> None:
        self.newest = newest
        self.asked: Asked = []

    def frame(self, query: str, **parameters: Any) -> pd.DataFrame:
        self.asked.append((query, parameters))
        if query == "active_pipelines":
            return pd.DataFrame({"pipeline_id": list(self.newest), "newest_at": list(self.newest.values())})
        return pd.DataFrame({"pipeline_id": list(parameters["pipeline_ids"])})


def change_of(pipeline_id: str) -> FoundChange:
    change = Change(20, 60.0, 90.0, 1.5, 1.2, 1.8, 0.001, 20, 30)
    at = pd.Timestamp(NOON)
    return FoundChange(
        pipeline_id=pipeline_id, job="build", attempt_id="attempt", head_sha="sha", changed_at=at,
        before_attempt_id="before", before_sha="old", change=change, is_newest=True, on_default=False,
    )  # fmt: skip


def kept(database: duckdb.DuckDBPyConnection) -> list[Any]:
    return database.execute("SELECT * FROM duration_changes ORDER BY pipeline_id").fetchall()


def test_only_pipelines_with_new_runs_are_looked_at_some_at_a_time(
    writer: Writer, database: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duration_changes, "AT_ONCE", 2)
    monkeypatch.setattr(regressions, "found_in", lambda runs: [change_of(name) for name in runs["pipeline_id"]])
    pipelines = Pipelines({"a": NOON, "b": NOON, "c": NOON})
    seen: dict[str, datetime] = {}
    assert find_changes(pipelines, writer, NOON, seen) == 3
    assert seen == pipelines.newest
    since = NOON - HISTORY
    asked = {"since": since, "limit": MOST_RUNS}
    assert pipelines.asked == [
        ("active_pipelines", {"since": since}),
        ("regression_series", {"pipeline_ids": ("a", "b")} | asked),
        ("regression_series", {"pipeline_ids": ("c",)} | asked),
    ]
    assert [row[0] for row in kept(database)] == ["a", "b", "c"]
    assert list(kept(database)[0]) == [
        "a", "build", "attempt", "sha", NOON, "before", "old", 60.0, 90.0, 1.5, 1.2, 1.8, 0.001, 20, 30, True, False,
        NOON,
    ]  # fmt: skip
    pipelines.asked.clear()
    pipelines.newest["b"] = NOON + timedelta(minutes=1)
    monkeypatch.setattr(regressions, "found_in", lambda _: [])
    assert find_changes(pipelines, writer, NOON, seen) == 1
    assert pipelines.asked[1][1]["pipeline_ids"] == ("b",)
    assert seen["b"] == NOON + timedelta(minutes=1)
    assert [row[0] for row in kept(database)] == ["a", "c"], "what is no change any more goes"
    assert find_changes(pipelines, writer, NOON, seen) == 0


def excerpt(database: duckdb.DuckDBPyConnection, job_id: str, text: str, at: str = "2026-03-02T12:00:00Z") -> None:
    database.execute(
        """INSERT INTO job_logs (job_id, attempt_id, fetched_at, status, size_bytes, is_cut, excerpt)
        VALUES (?, 'an-attempt', ?, 'kept', 1, FALSE, ?)""",
        [job_id, at, text],
    )


@pytest.mark.usefixtures("in_tokyo")
def test_each_excerpt_has_its_telling_line_once_up_to_a_number(
    writer: Writer, database: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        excerpt(database, f"job-{number}", f"Error: it broke {number} times")
    reader = OwnerReader(database)
    monkeypatch.setattr(failure_lines, "AT_ONCE", 2)
    before = datetime.now(UTC)
    assert [pick_lines(reader, writer, most=most) for most in (2, 3, 9, 9)] == [2, 3, 0, 0]
    rows = database.execute("SELECT * FROM failure_lines ORDER BY job_id").fetchall()
    mask = failures.masked("Error: it broke 0 times")
    assert len(rows) == 5
    assert list(rows[0][:5]) == ["job-0", failures.mask_id(mask), mask, "Error: it broke 0 times", failures.RULES]
    assert before <= rows[0][5] <= datetime.now(UTC)


def test_a_line_is_picked_again_by_newer_rules(
    writer: Writer, database: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    excerpt(database, "job", "fatal: no space")
    reader = OwnerReader(database)
    assert pick_lines(reader, writer) == 1
    database.execute("UPDATE failure_lines SET masked = 'x', line = 'x', mask_id = 'x', read_at = '2099-01-01'")
    monkeypatch.setattr(failures, "RULES", failures.RULES + 1)
    assert pick_lines(reader, writer) == 1
    row = database.execute("SELECT mask_id, masked, line, version, year(read_at) < 2099 FROM failure_lines").fetchall()
    mask = failures.masked("fatal: no space")
    assert row == [(failures.mask_id(mask), mask, "fatal: no space", failures.RULES, True)]
