"""Hooks and polls of the same runs, in any order and repeated, give the same rows: whichever tells more wins."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.model import Changes
from core.store.duckdb_file import open_owned
from core.store.writer import Writer
from ingest.providers.gitlab.parse import parse as parse_gitlab
from ingest.providers.gitlab.rest import Whole, changes_of
from ingest.providers.jenkins.parse import parse as parse_jenkins
from ingest.providers.jenkins.rest import Branch, changes_of_build
from tests.github_server import now_to_the_second
from tests.gitlab_truth import Project
from tests.ingest.providers.test_any_order import LEFT_OUT, TABLES
from tests.jenkins_truth import Item, milliseconds

NOW = now_to_the_second()


def gitlab_words() -> list[Changes]:
    """A pipeline from its creation through a manual stop and a retry to its end, as both ways tell of it."""
    project, words = Project("acme/web", 1), []
    pipeline = project.add(7, NOW, status="pending", jobs=("unit", "lint"))
    for number, status in enumerate(("pending", "running", "manual", "failed", "success")):
        pipeline.status, pipeline.updated = status, NOW + timedelta(minutes=number)
        for job in pipeline.jobs:
            job.status = status
        if status == "success":
            project.retry(7, "unit", pipeline.updated)
        jobs = [project.job(pipeline, job) for job in pipeline.jobs]
        words += [
            parse_gitlab("", project.hook(pipeline)),
            changes_of(project.body(), Whole(project.detail(pipeline), jobs)),
        ]
    return [word for word in words if word]


def jenkins_words() -> list[Changes]:
    """A build from its start to its end, as the plugin and as polling tell of it."""
    job, words = Item("shop", "workflow", path="job/shop/"), []
    branch = Branch(None, 1, is_primary=False, is_workflow=True)
    for phase, result in (("STARTED", None), ("COMPLETED", "UNSTABLE"), ("FINALIZED", "UNSTABLE")):
        build = job.build(1, NOW, result)
        told = {"full_url": job.build_body(build)["url"], "number": 1, "phase": phase, "status": result}
        told |= {"timestamp": milliseconds(NOW) + (60_900 if result else 0), "duration": 60_900 if result else 0}
        words += [
            parse_jenkins("build", {"name": "shop", "build": told}),
            changes_of_build(job.build_body(build), branch, job.stages(build)),
        ]
    return [word for word in words if word]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_owned(tmp_path_factory.mktemp("ways") / "health.duckdb", memory_limit="1GB", threads=2) as connection:
        yield connection


@pytest.mark.parametrize("words", [gitlab_words(), jenkins_words()], ids=["gitlab", "jenkins"])
def test_hooks_and_polls_in_any_order_give_the_same_rows(
    database: duckdb.DuckDBPyConnection, words: list[Changes]
) -> None:
    def rows_after(told: list[Changes]) -> list[object]:
        database.execute("".join(f"DELETE FROM {table};" for table in TABLES))
        with closing(Writer(database)) as writer:  # one of its own: it remembers what it stored
            for changes in told:
                writer.submit_changes(changes).result()
        return [
            database.execute(f"SELECT * {LEFT_OUT.get(table, '')} FROM {table} ORDER BY ALL").fetchall()
            for table in TABLES
        ]

    in_order = rows_after(words)
    assert database.execute("SELECT count(*) FROM workflow_runs").fetchone() == (1,)

    @settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(data=st.data())
    def check(data: st.DataObject) -> None:
        numbers = data.draw(st.permutations(range(len(words))))
        again = data.draw(st.lists(st.sampled_from(range(len(words))), max_size=3))
        assert rows_after([words[number] for number in [*numbers, *again]]) == in_order

    check()
