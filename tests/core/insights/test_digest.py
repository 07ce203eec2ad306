import math
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import pytest
from scipy import stats

from core.insights import digest
from core.queries import bound
from core.store.digest import is_due, queue_digest, read_digest

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)  # a Wednesday


@pytest.mark.parametrize(
    ("now", "schedule", "zone", "due"),
    [
        ("2026-03-04T12:00", "mon 08:00", "UTC", "2026-03-02T08:00"),
        ("2026-03-02T08:00", "mon 08:00", "UTC", "2026-03-02T08:00"),
        ("2026-03-02T12:00", "fri 08:00", "UTC", "2026-02-27T08:00"),
        ("2026-03-07T12:00", "wed 08:00", "UTC", "2026-03-04T08:00"),
        ("2026-03-02T07:59", "mon 08:00", "UTC", "2026-02-23T08:00"),
        ("2026-03-01T23:30", "mon 00:15", "Europe/Berlin", "2026-03-01T23:15"),
        ("2026-03-30T05:59", "mon 08:00", "Europe/Berlin", "2026-03-23T07:00"),  # the clocks changed in between
        ("2026-03-30T06:00", "mon 08:00", "Europe/Berlin", "2026-03-30T06:00"),
    ],
)
def test_a_digest_is_due_by_the_wall_clock_of_its_zone(now: str, schedule: str, zone: str, due: str) -> None:
    at = datetime.fromisoformat(now).replace(tzinfo=UTC)
    assert digest.due_at(at, schedule, ZoneInfo(zone)) == datetime.fromisoformat(due).replace(tzinfo=UTC)
    assert digest.due_at(at, "off", ZoneInfo(zone)) is None


def _empty() -> digest.Digest:
    return digest.Digest(NOW - digest.WEEK, NOW, "UTC", (digest.Line("All well."),), (), (), ())


def test_it_is_queued_once_for_each_channel_and_week_whoever_restarts(database: duckdb.DuckDBPyConnection) -> None:
    due = datetime(2026, 3, 2, 8, tzinfo=UTC)
    cursor = database.cursor()
    # A new database starts with the next one.
    assert not queue_digest(cursor, _empty(), ["slack", "email"], due, NOW)
    following = due + digest.WEEK
    assert is_due(cursor, following, NOW)
    assert queue_digest(cursor, _empty(), ["slack", "email"], following, NOW)
    for _ in range(3):
        assert not queue_digest(database.cursor(), _empty(), ["slack", "email"], following, NOW)
    assert not queue_digest(cursor, _empty(), ["slack", "email"], due, NOW)
    rows = database.execute("SELECT channel, kind, status FROM notifications ORDER BY channel").fetchall()
    assert rows == [("email", "digest", "pending"), ("slack", "digest", "pending")]


def test_the_change_of_a_rate_is_tested_as_two_proportions() -> None:
    table = [[12, 8], [30, 2]]
    z = digest.z_of(12, 20, 30, 32)
    chi = stats.chi2_contingency(table, correction=False)
    assert z**2 == pytest.approx(chi.statistic)
    assert 2 * stats.norm.sf(abs(z)) == pytest.approx(chi.pvalue)
    assert digest.z_of(5, 5, 7, 7) == 0


def test_the_numbers_of_the_week_equal_an_independent_count(connection: duckdb.DuckDBPyConnection) -> None:
    row = connection.execute("SELECT max(finished_at) FROM runs").fetchone()
    assert row
    until = row[0].astimezone(UTC) + timedelta(seconds=1)
    made = read_digest(lambda query, **parameters: connection.execute(bound(query, parameters)).df(), until, "UTC")
    runs = connection.execute("SELECT * FROM runs").df()
    decided = runs[runs["status"].isin(["success", "failed"]) & (runs["finished_at"] < until)]
    week = decided[decided["finished_at"] >= until - digest.WEEK]
    before = decided[
        (decided["finished_at"] >= until - 2 * digest.WEEK) & (decided["finished_at"] < until - digest.WEEK)
    ]
    rate = (week["status"] == "success").mean()
    assert f"{rate * 100:.1f} % of {len(week):,} runs" in made.health[0].text
    changed = []
    for (repository, pipeline), rows in week.groupby(["repository", "pipeline"]):
        earlier = before[(before["repository"] == repository) & (before["pipeline"] == pipeline)]
        if min(len(rows), len(earlier)) < digest.LEAST_RUNS:
            continue
        good, good_before = (rows["status"] == "success").sum(), (earlier["status"] == "success").sum()
        table = np.array([[good, len(rows) - good], [good_before, len(earlier) - good_before]])
        if (table.sum(axis=0) > 0).all() and stats.chi2_contingency(
            table, correction=False
        ).statistic >= digest.LEAST_Z**2:
            changed.append(f"{repository} {pipeline}")
    told = [line.text for line in (*made.worse, *made.better) if "the week before" in line.text]
    assert {text.split(":")[0] for text in told} == set(changed)
    assert len(made.fixes) <= digest.MOST_FIXES
    assert all(line.text for _, lines in made.sections() for line in lines)


def test_a_week_without_runs_says_so(database: duckdb.DuckDBPyConnection) -> None:
    made = read_digest(lambda query, **parameters: database.execute(bound(query, parameters)).df(), NOW, "Asia/Tokyo")
    assert [(name, [line.text for line in lines]) for name, lines in made.sections()] == [
        ("Health", ["No run finished this week."])
    ]
    assert made.facts()["title"] == "CI/CD week: Wed 25 Feb to Wed 4 Mar 2026"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, "–"), (math.nan, "–"), (45, "45 s"), (200, "3 min"), (3900, "1 h 05 min"), (3599, "1 h 00 min")],
)
def test_a_duration_in_a_sentence(seconds: float | None, words: str) -> None:
    assert digest.told(seconds) == words


@pytest.mark.usefixtures("in_tokyo")
def test_the_moment_is_in_utc_on_a_machine_in_any_zone() -> None:
    due = digest.due_at(NOW, "mon 08:00", ZoneInfo("Europe/Berlin"))
    assert due
    assert due.tzinfo is UTC
