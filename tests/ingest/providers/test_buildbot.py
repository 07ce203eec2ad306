"""Buildbot's builds: this payload gives these rows."""

from typing import Any

import pytest

from ingest.providers.buildbot.parse import outcome_of, parse
from tests.ingest.providers.fixtures import only_run, payload, recorded


def test_a_build_is_a_run_with_one_job_and_its_steps() -> None:
    changes = parse("", payload("buildbot", "build.finished_failure"))
    [pipeline], run, [job] = changes.pipelines, only_run(changes), changes.jobs
    assert (pipeline.repository, pipeline.name) == ("acme/shop", "shop")
    assert pipeline.repository_url == "https://git.example/acme/shop"
    assert (run.status, run.conclusion, run.branch, run.head_sha) == ("failed", "failure", "main", "f" * 40)
    assert (run.run_id, run.run_number, run.actor, run.title) == ("16", 4, "ana", "The commit was pushed")
    assert (job.name, job.runner_name, job.attempt_id) == ("shop", "worker-1", run.id)
    assert [(step.number, step.name, step.conclusion) for step in changes.steps] == [
        (1, "worker_preparation", "success"),
        (2, "test", "failure"),
    ]


def test_a_finish_takes_the_place_of_the_start() -> None:
    started, finished = (parse("", payload("buildbot", f"build.{n}")) for n in ("started", "finished_failure"))
    assert started.runs[0].id == finished.runs[0].id
    assert started.runs[0].status == "running"
    assert started.runs[0].version < finished.runs[0].version
    assert started.steps[0].version < finished.steps[0].version


def test_a_build_without_a_source_never_renames_the_repository() -> None:
    known = parse("", payload("buildbot", "build.started")).pipelines[0]
    unknown = parse("", payload("buildbot", "build.without_a_source")).pipelines[0]
    assert known.id == unknown.id
    assert unknown.version < known.version
    assert only_run(parse("", payload("buildbot", "build.without_a_source"))).branch is None


@pytest.mark.parametrize(
    ("results", "outcome"),
    [
        (0, ("success", "success")), (1, ("success", "warnings")), (2, ("failed", "failure")),
        (3, ("skipped", "skipped")), (4, ("failed", "exception")), (5, ("cancelled", "retry")),
        (6, ("cancelled", "cancelled")), (99, ("skipped", None)), (None, ("skipped", None)),
    ],
)  # fmt: skip
def test_every_result_has_its_status(results: int | None, outcome: tuple[str, str | None]) -> None:
    assert outcome_of(True, results) == outcome


@pytest.mark.parametrize(
    ("name", "sent"), recorded("buildbot/webhooks/*.json"), ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_recorded_build_lands_as_it_was_sent(name: str, sent: dict[str, Any]) -> None:
    changes = parse("", sent)
    run = only_run(changes)
    assert (run.run_id, run.run_number) == (str(sent["buildid"]), sent["number"])
    assert changes.pipelines[0].name == sent["builder"]["name"]
    assert run.started_at
    assert int(run.started_at.timestamp()) == sent["started_at"]
    assert (run.status == "running") is not sent["complete"]
    words = {0: "success", 1: "warnings", 2: "failure", 3: "skipped", 4: "exception", 5: "retry", 6: "cancelled"}
    assert run.conclusion == words.get(sent["results"])
    assert [step.name for step in changes.steps] == [step["name"] for step in sent.get("steps", [])]
