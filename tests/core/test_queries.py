from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from core.queries import bound

NOW = datetime(2026, 3, 2, tzinfo=UTC)
NOBODY = {"provider": None, "repository": None, "branch": None}
EVERY = NOBODY | {
    "pipeline_id": None, "pipeline_ids": None, "statuses": None,
    "since": None, "until": None, "limit": 5, "offset": 0, "window_start": NOW,
    "window_end": NOW, "previous_start": NOW, "day_ago": NOW, "zone": "Europe/Berlin", "chart_start": NOW, "id": "x",
    "attempt_id": "x", "alert_id": "x", "result": None, "delivery_id": "x", "now": NOW,
    "status": None, "attempt_ids": ("x",),
    "repository_id": "x", "event": None, "actor": None, "author": None, "is_fork": None, "min_seconds": None,
    "max_seconds": None, "words": None, "sort": "newest", "group_by": "day",
    "slower": None, "week_ago": NOW,
    "job": "x", "rules": 1, "job_ids": ("x",),
    "workflow_pattern": "^(.*deploy.*)$", "job_pattern": None, "events": (), "history": NOW,
    "severity": None, "type": None, "channel": None, "text": "x",
}  # fmt: skip
NAMES = sorted(path.stem for path in (Path(__file__).parents[2] / "core" / "sql" / "read").glob("*.sql"))


@pytest.mark.parametrize("name", NAMES)
def test_every_query_runs_on_an_empty_database(name: str, database: duckdb.DuckDBPyConnection) -> None:
    database.execute(bound(name, EVERY)).fetchall()


@pytest.mark.parametrize(
    "text", ["it's", "'; DROP TABLE jobs; --", "back\\slash", "$repository", "__repository__", "{x}", "é\n☃"]
)
def test_a_text_value_arrives_unchanged_whatever_it_holds(text: str, database: duckdb.DuckDBPyConnection) -> None:
    database.execute(
        "INSERT INTO pipelines VALUES ('p', 'github-actions', '1', ?, NULL, '1', 'CI', NULL, 'main', 'v', 'v')", [text]
    )
    database.execute(
        """INSERT INTO alerts
            (id, type, severity, status, pipeline_id, message, dedup_key, occurrences, created_at, last_seen_at)
        VALUES ('a', 't', 'info', 'active', 'p', 'm', 'k', 1, now(), now())"""
    )
    row = database.execute(bound("alert_counts", NOBODY | {"repository": text})).fetchone()
    assert row == (0, 0, 1)
    assert database.execute(bound("alert_counts", NOBODY | {"repository": text + "!"})).fetchone() == (0, 0, 0)


def test_a_missing_parameter_is_an_error() -> None:
    with pytest.raises(KeyError, match="branch"):
        bound("alert_counts", {"provider": None, "repository": None})


def test_a_moment_and_a_list_arrive_as_literals_of_their_type() -> None:
    sql = bound("branch_states", {"pipeline_ids": ("a", "b's"), "since": NOW})
    assert "CAST('2026-03-02T00:00:00+00:00' AS TIMESTAMPTZ)" in sql
    assert "['a', 'b''s']" in sql
    assert "NULL" in bound("branch_states", {"pipeline_ids": None, "since": NOW})
