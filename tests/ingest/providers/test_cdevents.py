"""CDEvents: these events give these rows, put together by the store."""

from datetime import UTC, datetime

import duckdb
import pytest

from core.errors import BadPayload
from core.model import Delivery
from core.store.writer import Writer
from ingest.providers.cdevents.parse import parse
from tests.ingest.providers.fixtures import payload

RUN = ("pipelinerun.finished_failure", "pipelinerun.queued", "pipelinerun.started")
TASK = ("structured.taskrun_finished", "taskrun.started")


@pytest.mark.parametrize("together", [True, False])
def test_events_of_one_moment_each_make_one_run_and_job(
    together: bool, writer: Writer, database: duckdb.DuckDBPyConnection
) -> None:
    futures = []
    for number, name in enumerate((*RUN, *TASK)):
        changes = parse("", payload("cdevents", name))
        assert changes
        delivery = Delivery("cdevents", str(number), "", None, datetime.now(UTC), "processed", None, "{}", changes)
        futures.append(writer.submit_delivery(delivery))
        if not together:
            futures[-1].result()
    for future in futures:
        future.result()
    row = database.execute(
        "SELECT repository, pipeline, status, conclusion, title, on_default_branch, duration_seconds,"
        " date_diff('second', created_at, started_at) FROM runs"
    ).fetchall()
    assert row == [("/tekton/acme", "shop-release", "failed", "failure", "Tests failed", True, 180, 9)]
    assert database.execute("SELECT name, status, duration_seconds FROM job_runs").fetchall() == [
        ("test", "failed", 170)
    ]


def test_events_about_other_things_are_not_used() -> None:
    assert parse("", payload("cdevents", "artifact.published")) is None


def test_what_is_missing_is_named() -> None:
    with pytest.raises(BadPayload, match=r"context: Field required; subject: Field required"):
        parse("", {})
    unnamed = payload("cdevents", "pipelinerun.started")
    unnamed["subject"]["content"] = {}
    with pytest.raises(BadPayload, match=r"pipelineName"):
        parse("", unnamed)


def test_a_task_that_belongs_to_no_pipeline_run_is_not_used() -> None:
    alone = payload("cdevents", "taskrun.started")
    assert parse("", alone)
    del alone["subject"]["content"]["pipelineRun"]
    assert parse("", alone) is None
