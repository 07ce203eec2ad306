"""What the store keeps beside runs: memory of polling, settings, silences, logs; retention. The time is passed in."""

import gzip
from dataclasses import replace
from datetime import timedelta
from typing import Any

import duckdb
import pytest

from core.errors import NotFound
from core.key_hash import is_key
from core.logs.keep import KeptLog
from core.model import Changes, Delivery, Job, Step
from core.silences import Silence
from core.store import duplicates, job_logs, polling, providers, silences, stored_settings
from core.store.polling import PollState, RateLimitSample
from core.store.reader import OwnerReader
from core.store.retention import apply_retention
from core.store.writer import Writer
from ingest.providers.github.parse import parse
from tests.builders import NOON, run_payload

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
Database = duckdb.DuckDBPyConnection


def rows(database: Database, sql: str) -> list[Any]:
    return database.execute(sql).fetchall()


def test_what_polling_knows_of_a_repository_comes_back_whole(database: Database) -> None:
    cursor = database.cursor()
    assert polling.load_state(cursor, "github", "acme/web") == PollState("github", "acme/web")
    moments = {name: NOON + number * DAY for number, name in enumerate(polling.COLUMNS) if name.endswith("_at")}
    state = PollState(
        "github", "acme/web", "10", "c", **moments, last_error="e", background_error="b", rows_added=1, gaps_closed=2,
        requests=3, points=4, backfill_since=NOON - DAY, backfill_reached=NOON,
    )  # fmt: skip
    polling.save_state(cursor, state)
    polling.save_state(cursor, PollState("github", "acme/api"))
    assert polling.load_state(cursor, "github", "acme/web") == state
    later = replace(state, repository_id="11", cursor=None, rows_added=9)
    polling.save_state(cursor, later)
    assert polling.load_state(cursor, "github", "acme/web") == later
    assert polling.load_state(cursor, "gitlab", "acme/web") == PollState("gitlab", "acme/web")


@pytest.mark.parametrize(
    ("since", "reached", "done"),
    [
        (None, None, True),
        (NOON, None, False),
        (NOON, NOON, True),
        (NOON, NOON + SECOND, False),
        (NOON, NOON - DAY, True),
    ],
)
def test_a_history_is_read_once_it_reaches_as_far_back_as_is_wanted(since: Any, reached: Any, done: bool) -> None:
    assert PollState("github", "a/b", backfill_since=since, backfill_reached=reached).backfill_done is done


def test_only_the_named_repositories_of_a_system_are_polled(database: Database) -> None:
    cursor = database.cursor()
    for provider, name in (("github", "a"), ("github", "b"), ("gitlab", "a")):
        polling.save_state(cursor, PollState(provider, name))
    polling.mark_polled(cursor, "gitlab", ["a"])
    polling.mark_polled(cursor, "github", ["b", "c"])
    found = "SELECT provider, repository FROM poll_state WHERE is_polled ORDER BY ALL"
    assert rows(database, found) == [("github", "b"), ("gitlab", "a")]
    polling.mark_polled(cursor, "github", [])
    assert rows(database, found) == [("gitlab", "a")]


def test_the_newest_etag_counts_and_the_first_word_about_an_attempt(database: Database) -> None:
    cursor = database.cursor()
    polling.save_etags(cursor, "github", "a/b", {"/x": "1", "/y": "1"}, NOON)
    polling.save_etags(cursor, "github", "a/b", {"/x": "2"}, NOON + DAY)
    assert rows(database, "SELECT * FROM poll_etags ORDER BY url") == [
        ("github", "a/b", "/x", "2", NOON + DAY), ("github", "a/b", "/y", "1", NOON)
    ]  # fmt: skip
    polling.mark_attempts(cursor, ["a1", "a2"], "read", NOON)
    polling.mark_attempts(cursor, ["a1"], "gone", NOON + DAY)
    assert rows(database, "SELECT * FROM poll_attempts ORDER BY ALL") == [("a1", "read", NOON), ("a2", "read", NOON)]


def test_an_attempt_that_was_deleted_while_it_ran_is_skipped_and_one_that_ended_stays(
    writer: Writer, database: Database
) -> None:
    running = parse("workflow_run", run_payload(run_id=1, status="in_progress", conclusion=None))
    ended = parse("workflow_run", run_payload(run_id=2))
    assert running
    assert ended
    writer.submit_changes(Changes.together([running, ended])).result()
    ids = [run.id for run in (*running.runs, *ended.runs)]
    for name in ids:
        polling.end_deleted(database.cursor(), name, NOON + DAY)
    found = rows(
        database, "SELECT status, conclusion, finished_at = updated_at, version[1] FROM workflow_runs ORDER BY run_id"
    )
    assert found == [("skipped", "deleted", True, "2"), ("success", "success", True, "2")]
    assert rows(database, "SELECT * FROM poll_attempts ORDER BY ALL") == [(name, "gone", NOON + DAY) for name in ids]


def test_what_polling_needs_no_more_is_forgotten_at_its_time(database: Database) -> None:
    cursor = database.cursor()
    for number, days in enumerate((7.99, 8, 8.01, 29.99, 30, 30.01, 99.99, 100, 100.01)):
        at = NOON - days * DAY
        polling.save_sample(cursor, RateLimitSample(at, "github", 1, 2, 3, None))
        polling.save_etags(cursor, "github", "a/b", {f"/{number}": "e"}, at)
        log = job_logs.JobLog(f"j{number}", "a", at, "kept", 0, False, b"", None, None)
        job_logs.keep(cursor, [log])
    polling.forget_old(cursor, NOON, log_days=30)
    assert rows(database, "SELECT remaining, allowed, used, reset_at FROM rate_limit_samples") == [(1, 2, 3, None)] * 2
    assert rows(database, "SELECT count(*) FROM job_logs") == [(5,)]
    assert rows(database, "SELECT count(*) FROM poll_etags") == [(8,)]


def test_the_log_of_a_job_is_kept_with_its_reason_only_where_the_job_failed(database: Database) -> None:
    kept = KeptLog(1_000)
    kept.feed(b"one\nsrc/a.c:1:1: error: broken\n##[error]Process completed with exit code 1.\n")
    words: dict[str, Any] = {"attempt_id": "a1", "status": "kept", "at": NOON}
    failed = job_logs.packed(kept, job_id="j1", has_failed=True, **words)
    passed = job_logs.packed(kept, job_id="j2", has_failed=False, **words)
    job_logs.keep(database.cursor(), [failed, passed])
    assert failed.excerpt
    assert failed.excerpt.startswith("src/a.c:1:1: error: broken")
    found = rows(database, "SELECT * FROM job_logs ORDER BY job_id")
    assert [(row[0], row[1], row[2], row[3], row[4], row[5], row[7], row[8]) for row in found] == [
        ("j1", "a1", NOON, "kept", kept.size, False, failed.excerpt, 2),
        ("j2", "a1", NOON, "kept", kept.size, False, None, 2),
    ]
    assert gzip.decompress(found[0][6]).startswith(b"one\n")
    quiet = KeptLog(1_000)
    empty = job_logs.packed(quiet, job_id="j1", has_failed=True, **(words | {"status": "expired", "at": NOON + DAY}))
    job_logs.keep(database.cursor(), [empty])
    [again] = rows(
        database, "SELECT fetched_at, status, size_bytes, excerpt, first_error_line FROM job_logs WHERE job_id = 'j1'"
    )
    assert again == (NOON + DAY, "expired", 0, None, None)


def delivery(name: str, received: Any = NOON) -> Delivery:
    return Delivery("github-actions", name, "push", None, received, "ignored", None, "{}")


def test_retention_removes_what_is_older_and_says_how_much(writer: Writer, database: Database) -> None:
    for name, days in (("old", 7.01), ("just", 7), ("new", 1)):
        writer.submit_delivery(delivery(name, NOON - days * DAY)).result()
    counted = duplicates.Duplicates()
    for days in (8, 7):
        counted.found(["github-actions"])
        counted.store(database.cursor(), (NOON - days * DAY).date())
        counted.committed()
    for number, days in enumerate((30.01, 30, 1), 1):
        second = -days * 86_400
        changes = parse("workflow_run", run_payload(run_id=number, begun=second - 60, updated=second))
        assert changes
        writer.submit_changes(changes).result()
    cursor = database.cursor()
    kept = apply_retention(cursor, NOON, delivery_days=7, run_days=0)
    assert kept == {"deliveries": 1, "duplicates": 1, "quiet_alerts": 0}
    assert rows(database, "SELECT count(*) FROM workflow_runs") == [(3,)]
    removed = apply_retention(cursor, NOON, delivery_days=7, run_days=30)
    assert removed == {"deliveries": 0, "duplicates": 0, "quiet_alerts": 0, "steps": 0, "jobs": 0, "runs": 1}
    assert rows(database, "SELECT delivery_id FROM deliveries ORDER BY ALL") == [("just",), ("new",)]


def test_all_that_an_old_run_holds_goes_with_it(writer: Writer, database: Database) -> None:
    for number, days in enumerate((31, 1), 1):
        second = -days * 86_400
        changes = parse("workflow_run", run_payload(run_id=number, begun=second - 60, updated=second))
        assert changes
        attempt, name = changes.runs[0].id, f"j{number}"
        job = Job(name, attempt, "github", name, "build", "success", None, None, None, None, None, None, None, "1")
        step = Step(name, 1, "make", "success", None, None, None, "1")
        writer.submit_changes(replace(changes, jobs=(job,), steps=(step,))).result()
        at = NOON - days * DAY
        database.execute("INSERT INTO failure_lines VALUES (?, 'm', 'm', 'm', 1, ?)", [name, at])
        database.execute(
            "INSERT INTO duration_changes "
            "VALUES (?, '', 'a', NULL, ?, 'b', NULL, 1, 2, 2, 2, 2, 0, 9, 9, TRUE, TRUE, ?)",
            [name, at, at],
        )
    removed = apply_retention(database.cursor(), NOON, delivery_days=7, run_days=30)
    assert (removed["steps"], removed["jobs"], removed["runs"]) == (1, 1, 1)
    for table, column in (
        ("jobs", "id"),
        ("steps", "job_id"),
        ("failure_lines", "job_id"),
        ("duration_changes", "pipeline_id"),
    ):
        assert rows(database, f"SELECT {column} FROM {table}") == [("j2",)], table


def _alert(database: Database, name: str, kind: str, severity: str, seen: Any, pipeline: str = "p1") -> None:
    database.execute(
        """INSERT INTO alerts (id, type, severity, status, pipeline_id, message, dedup_key, occurrences, created_at,
        last_seen_at) VALUES (?, ?, ?, 'active', ?, 'm', ?, 1, ?, ?)""",
        [name, kind, severity, pipeline, name, seen, seen],
    )


def test_alerts_that_nobody_touches_for_a_week_end(writer: Writer, database: Database) -> None:
    changes = parse("workflow_run", run_payload(begun=-60, updated=0))
    assert changes
    writer.submit_changes(changes).result()
    alive = changes.pipelines[0].id
    week = NOON - 7 * DAY
    _alert(database, "branch", "pipeline_failure", "info", week - SECOND)
    _alert(database, "branch of late", "pipeline_failure", "info", week)
    _alert(database, "default branch", "pipeline_failure", "critical", week - SECOND)
    _alert(database, "quiet pipeline", "slow_build", "warning", week - SECOND)
    _alert(database, "pipeline of late", "slow_build", "warning", week)
    _alert(database, "busy pipeline", "slow_build", "warning", week - SECOND, alive)
    assert apply_retention(database.cursor(), NOON, delivery_days=7, run_days=0)["quiet_alerts"] == 2
    assert rows(database, "SELECT id, resolved_at, resolved_by FROM alerts WHERE status = 'resolved' ORDER BY id") == [
        ("branch", NOON, "system"), ("quiet pipeline", NOON, "system")
    ]  # fmt: skip
    events = rows(database, "SELECT alert_id, occurred_at, kind, actor, note FROM alert_events ORDER BY ALL")
    assert events == [
        (name, NOON, "resolved", "system", "Nothing ran for a week.") for name in ("branch", "quiet pipeline")
    ]


def test_settings_are_set_changed_and_removed_and_say_by_whom(database: Database) -> None:
    cursor = database.cursor()
    stored_settings.put(cursor, {"a": "1", "b": '{"x": 2}', "c": None}, "ana", NOON)
    stored_settings.put(cursor, {"a": "3"}, "bo", NOON + DAY)
    assert rows(database, "SELECT * FROM settings ORDER BY key") == [
        ("a", "3", NOON + DAY, "bo"), ("b", '{"x": 2}', NOON, "ana")
    ]  # fmt: skip
    read = OwnerReader(database).frame
    assert stored_settings.stored_json(read, "b") == {"x": 2}
    assert stored_settings.stored_json(read, "nobody") == {}
    stored_settings.put(cursor, {"a": None}, "bo", NOON)
    assert rows(database, "SELECT key FROM settings") == [("b",)]


def _kept(database: Database) -> dict[str, str]:
    return dict(rows(database, "SELECT key, value FROM settings"))


def test_the_key_of_the_environment_is_taken_once_and_a_changed_key_stays(database: Database) -> None:
    cursor = database.cursor()
    assert not stored_settings.seed_write_key(cursor, None, NOON)
    assert stored_settings.seed_write_key(cursor, "first", NOON)
    assert not stored_settings.seed_write_key(cursor, "first", NOON)
    kept = _kept(database)
    assert set(kept) == {stored_settings.WRITE_KEY, stored_settings.SEEDED_FROM}
    assert is_key("first", kept[stored_settings.WRITE_KEY])
    assert rows(database, "SELECT DISTINCT updated_by, updated_at FROM settings") == [("API_WRITE_KEY", NOON)]
    stored_settings.change_write_key(cursor, "second", NOON + DAY, "ana", NOON)
    kept = _kept(database)
    assert is_key("second", kept[stored_settings.WRITE_KEY])
    assert is_key("first", kept[stored_settings.PREVIOUS_KEY])
    assert kept[stored_settings.PREVIOUS_UNTIL] == (NOON + DAY).isoformat()
    assert not stored_settings.seed_write_key(cursor, "first", NOON)
    stored_settings.change_write_key(cursor, "third", None, "ana", NOON)
    assert set(_kept(database)) == {stored_settings.WRITE_KEY, stored_settings.SEEDED_FROM}
    stored_settings.change_write_key(cursor, "fourth", NOON, "ana", NOON)
    assert stored_settings.seed_write_key(cursor, "from the environment", NOON)
    assert set(_kept(database)) == {stored_settings.WRITE_KEY, stored_settings.SEEDED_FROM}
    assert is_key("from the environment", _kept(database)[stored_settings.WRITE_KEY])


def test_a_first_key_that_is_changed_has_none_before_it(database: Database) -> None:
    stored_settings.change_write_key(database.cursor(), "first", NOON, "ana", NOON)
    assert set(_kept(database)) == {stored_settings.WRITE_KEY}
    assert rows(database, "SELECT updated_by FROM settings") == [("ana",)]


def test_a_silence_is_kept_whole_and_ended_once(database: Database) -> None:
    cursor = database.cursor()
    made = Silence("s1", NOON, NOON + DAY, "p", "r", "b", "t", "weekly", "Europe/Madrid")
    silences.add(cursor, made, "holidays", "ana", NOON - SECOND)
    assert rows(database, "SELECT * FROM silences") == [
        ("s1", NOON, NOON + DAY, "p", "r", "b", "t", "holidays", "ana", NOON - SECOND, "weekly", "Europe/Madrid")
    ]
    silences.end(cursor, "s1")
    with pytest.raises(NotFound) as caught:
        silences.end(cursor, "s1")
    assert (str(caught.value), caught.value.details) == ("There is no such silence.", {"id": "s1"})


def test_descriptions_of_systems_are_written_anew_and_one_without_a_folder_stays(database: Database) -> None:
    row = providers.ProviderRow("b", "B", "i", 1, "s", "t", None, None, True, False)
    providers.put(database.cursor(), [replace(row, provider="gone"), row])
    providers.put(database.cursor(), [replace(row, provider="a"), replace(row, name="New", is_polled=True)])
    found = rows(database, "SELECT provider, name, icon, place, is_secured, is_polled FROM providers ORDER BY ALL")
    assert found == [
        ("a", "B", "i", 1, True, False),
        ("b", "New", "i", 1, True, True),
        ("gone", "B", "i", 1, True, False),
    ]


def test_duplicates_are_counted_by_system_and_day_and_once_though_a_batch_is_tried_twice(database: Database) -> None:
    counted, cursor, day = duplicates.Duplicates(), database.cursor(), NOON.date()
    counted.store(cursor, day)
    counted.found(["a", "a", "b"])
    counted.found(["a", "a", "b"])
    counted.committed()
    counted.found(["a"])
    counted.store(cursor, day)
    counted.committed()
    counted.found([])
    counted.store(cursor, day)
    assert rows(database, "SELECT * FROM delivery_duplicates ORDER BY ALL") == [("a", day, 3), ("b", day, 1)]
    counted.found(["a"])
    counted.store(cursor, day)
    assert rows(database, "SELECT number FROM delivery_duplicates WHERE provider = 'a'") == [(4,)]
