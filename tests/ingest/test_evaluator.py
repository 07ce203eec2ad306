"""When rules are evaluated: one evaluation at a time, whatever the load, and none is lost."""

import threading
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import duckdb
import pytest

from core.settings import load_settings
from core.store import alerts
from core.store.stored_settings import put
from core.store.writer import Writer
from ingest.alerting.evaluator import Evaluator
from ingest.providers.github.parse import parse
from ingest.scheduler import Timer
from tests.builders import NOON, run_payload
from tests.conftest import wait_for


def store_failure(writer: Writer, number: int) -> None:
    second = (datetime.now(UTC) - NOON).total_seconds() - 60
    words: dict[str, Any] = {"workflow_id": 600 + number, "workflow": f"W{number}", "created_at": None}
    changes = parse(
        "workflow_run", run_payload(run_id=number, conclusion="failure", begun=second, updated=second + 5, **words)
    )
    assert changes
    writer.submit_changes(changes).result()


def test_what_finishes_while_an_evaluation_waits_is_evaluated_together(database: duckdb.DuckDBPyConnection) -> None:
    evaluator = Evaluator()
    writer = Writer(database, on_runs=evaluator.notice)
    evaluator.start(writer)
    wait_for(lambda: evaluator.evaluations == 1, "the evaluation at the start")
    gate = threading.Event()
    for number in range(50):
        store_failure(writer, number + 1)
    busy = writer.transact(lambda _: gate.wait(20))
    threads = [threading.Thread(target=evaluator.evaluate_all) for _ in range(4)]
    for thread in threads:
        thread.start()
    gate.set()
    busy.result()
    for thread in threads:
        thread.join()
    evaluator.stop()
    writer.close()
    found = database.execute(
        "SELECT count(*), count(DISTINCT dedup_key) FROM alerts WHERE type = 'pipeline_failure'"
    ).fetchone()
    assert found == (50, 50)
    assert evaluator.evaluations < 50


def test_what_could_not_be_evaluated_is_evaluated_later(
    database: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluator = Evaluator()
    evaluate, tried = evaluator._evaluate, []

    def watched(pipeline_ids: Collection[str] | None, since: datetime) -> bool:
        tried.append((pipeline_ids is not None, evaluate(pipeline_ids, since)))
        return tried[-1][1]

    monkeypatch.setattr(evaluator, "_evaluate", watched)
    writer = Writer(database, on_runs=evaluator.notice)
    wrong = {alerts.RULES: '{"default": {"no": 1}}'}
    writer.transact(lambda cursor: put(cursor, wrong, "ana", NOON)).result()
    evaluator.start(writer)
    store_failure(writer, 1)
    wait_for(lambda: (True, False) in tried, "the failed evaluation of the run")
    writer.transact(lambda cursor: put(cursor, {alerts.RULES: None}, "ana", NOON)).result()
    store_failure(writer, 2)  # of another pipeline
    wait_for(
        lambda: (
            database.cursor().execute("SELECT count(*) FROM alerts WHERE type = 'pipeline_failure'").fetchone() == (2,)
        ),
        "both alerts",
    )
    evaluator.stop()
    writer.close()


def test_the_timer_starts_no_evaluation_while_one_goes_on_and_catches_up_once(writer: Writer) -> None:
    class Slow:
        def __init__(self) -> None:
            self.calls, self.gate = 0, threading.Event()

        def evaluate_all(self) -> None:
            self.calls += 1
            self.gate.wait(30)

    class NoPolling:
        is_configured = False

        def nothing(self) -> None:
            """Neither polling nor insights have anything to do here."""

        pick_lines = send_digest = find_changes = nothing

    slow = Slow()
    unused = cast("Any", NoPolling())
    timer = Timer(unused, writer, load_settings(alert_interval_seconds=1), cast("Any", slow), unused, unused)
    timer.start()

    def next_run() -> datetime:
        [job] = [job for job in timer.jobs() if job.id == "alerts"]
        assert job.next_run_at
        return job.next_run_at

    wait_for(lambda: slow.calls == 1, "the first evaluation")
    begun = next_run()
    wait_for(lambda: next_run() >= begun + timedelta(seconds=3), "three more moments of the timer")
    assert slow.calls == 1
    slow.gate.set()
    wait_for(lambda: slow.calls == 2, "the next evaluation")
    timer.stop()
