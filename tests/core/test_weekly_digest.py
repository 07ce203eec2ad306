"""The weekly digest: of what it is read, and how it is queued."""

from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import orjson
import pandas as pd
import pytest

from core.insights import digest, failures
from core.insights.regressions import HISTORY
from core.store.digest import MOST_ROWS, due_moment, is_due, last_sent, queue_digest, read_digest

UNTIL = datetime(2026, 3, 2, 8, tzinfo=UTC)
NOW = datetime(2026, 3, 2, 8, 0, 30, tzinfo=UTC)
EVERYTHING = {"provider": None, "repository": None, "branch": None}


def test_it_is_made_of_the_week_and_the_one_before(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, dict[str, Any]] = {}

    def ask(query: str, **parameters: Any) -> pd.DataFrame:
        asked[query] = parameters
        return pd.DataFrame({"query": [query, "second row"]})

    built: dict[str, Any] = {}
    monkeypatch.setattr(failures, "clusters", lambda *given: given)
    monkeypatch.setattr(digest, "build", lambda until, zone, **parts: built.update(parts, until=until, zone=zone))
    read_digest(ask, UNTIL, "Asia/Tokyo")
    since = UNTIL - timedelta(days=7)
    week = {"window_start": since, "window_end": UNTIL, "previous_start": UNTIL - timedelta(days=14)}
    assert asked == {
        "failure_occurrences": EVERYTHING | {"until": UNTIL, "limit": failures.MOST_OCCURRENCES},
        "failure_masks": {"limit": failures.MOST_MASKS},
        "duration_changes": {
            "provider": None, "repository": None, "slower": None, "since": UNTIL - HISTORY, "week_ago": since,
            "limit": MOST_ROWS,
        },
        "summary": EVERYTHING | week | {"day_ago": UNTIL - timedelta(days=1)},
        "digest_pipelines": week,
        "flaky_jobs": EVERYTHING | {"since": since, "until": UNTIL, "limit": MOST_ROWS},
    }  # fmt: skip
    assert (built["until"], built["zone"], built["summary"]["query"]) == (UNTIL, "Asia/Tokyo", "summary")
    read = {part: built[part]["query"].iloc[0] for part in ("pipelines", "flaky", "changes")}
    assert read == {"pipelines": "digest_pipelines", "flaky": "flaky_jobs", "changes": "duration_changes"}
    occurrences, masks, begin = built["clusters"]
    assert (occurrences["query"][0], masks["query"][0], begin) == ("failure_occurrences", "failure_masks", since)


def test_the_first_is_the_next_one_and_each_is_queued_once_for_every_channel(
    database: duckdb.DuckDBPyConnection,
) -> None:
    made = digest.Digest(UNTIL - digest.WEEK, UNTIL, "UTC", (digest.Line("All wéll."),), (), (), ())
    assert last_sent(database) is None
    assert not queue_digest(database, made, ["slack"], UNTIL, NOW)
    assert last_sent(database) == UNTIL
    assert database.execute("SELECT * FROM settings").fetchall() == [
        ("digest_sent_for", "2026-03-02T08:00:00+00:00", NOW, "system")
    ]
    assert not is_due(database, UNTIL, NOW)
    database.execute("DELETE FROM settings")
    assert not is_due(database, UNTIL, NOW)
    assert last_sent(database) == UNTIL
    assert database.execute("SELECT count(*) FROM notifications").fetchone() == (0,)
    later, then = UNTIL + digest.WEEK, NOW + digest.WEEK
    assert is_due(database, later, then)
    assert queue_digest(database, made, ["slack", "email"], later, then)
    assert last_sent(database) == later
    assert database.execute("SELECT updated_at, updated_by FROM settings").fetchall() == [(then, "system")]
    rows = database.execute(
        """SELECT channel, alert_id, kind, repository, status, attempts, created_at, next_attempt_at
        FROM notifications ORDER BY channel"""
    ).fetchall()
    assert rows == [(channel, None, "digest", "", "pending", 0, then, then) for channel in ("email", "slack")]
    for identifier, payload in database.execute("SELECT id, payload FROM notifications").fetchall():
        assert len(identifier) == 32
        assert orjson.loads(payload) == made.facts()
    assert not queue_digest(database, made, ["slack"], later, then)


def test_when_it_is_due_is_said_in_utc() -> None:
    assert due_moment(NOW, "mon 08:00", "Europe/Berlin") == datetime(2026, 3, 2, 7, tzinfo=UTC)
    assert due_moment(NOW, "mon 08:00", "UTC") == UNTIL
    assert due_moment(NOW, "off", "UTC") is None
