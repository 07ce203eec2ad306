import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from core.insights import failures
from core.store.duckdb_file import open_owned
from core.store.failure_lines import pick_lines
from core.store.reader import OwnerReader
from core.store.session import FileSession
from core.store.writer import Writer
from tests.core.insights.conftest import Frame

ALWAYS = datetime(2000, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Timed out after 30 s at 10.0.0.1:443", "Timed out after 7 s at 10.1.2.3:80"),
        ("src/a/b.ts:10:3 - error TS2339: no", "src/c.ts:7:44 - error TS2339: no"),
        ("12:00:01 open /tmp/build-7/x failed", "23:59:59 open /tmp/build-8/y/z failed"),
        ("GET https://x.example/a?b=1 gave 503", "GET https://y.example/c gave 503"),
        ("object 0xdeadbeef in a1b2c3d4e5f6", "object 0x00c0ffee in 0a1b2c3d4e5f60718293"),
        (
            "2026-03-02T10:00:00Z lost 8c0b7e2e-0f5c-4d43-9a53-1f0f5b1f8a11",
            "2025-01-01T00:00:00Z lost 00000000-0f5c-4d43-9a53-1f0f5b1f8a11",
        ),
    ],
)
def test_what_differs_from_run_to_run_is_masked(one: str, other: str) -> None:
    assert failures.masked(one) == failures.masked(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("error TS2339", "error TS2551"), ("no rule @a/unused", "no rule @a/shadow"), ("E0382 moved", "E0499 moved")],
)
def test_what_names_the_cause_is_kept(one: str, other: str) -> None:
    assert failures.masked(one) != failures.masked(other)


@pytest.mark.parametrize("line", ["", " ", "\x00\ud800", "<*>", "9" * 5000, "/" * 5000, "a/" * 2000, "é☃ 𝔘"])
def test_any_line_can_be_masked(line: str) -> None:
    mask = failures.masked(failures.telling_line(line))
    assert mask
    assert failures.mask_id(mask)


def test_the_line_that_tells_most_stands_for_an_excerpt() -> None:
    excerpt = "make: entering\nsrc/x.c:3:1: error: 'a' undeclared\n##[error]Process completed with exit code 2."
    assert failures.telling_line(excerpt) == "src/x.c:3:1: error: 'a' undeclared"
    assert (
        failures.telling_line("what it said last\n##[error]Process completed with exit code 2.") == "what it said last"
    )


def _history(lines: list[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    masks = [failures.masked(line) for line in lines]
    at = [datetime(2026, 3, 2, tzinfo=UTC) + timedelta(hours=place) for place in range(len(lines))]
    occurrences = pd.DataFrame(
        {
            "mask_id": [failures.mask_id(mask) for mask in masks],
            "job_id": [f"j{place}" for place in range(len(lines))],
            "run_key": [f"r{place // 2}" for place in range(len(lines))],
            "pipeline_id": [f"p{place % 3}" for place in range(len(lines))],
            "failed_at": pd.to_datetime(at),
        }
    )
    rows = pd.DataFrame({"mask_id": occurrences["mask_id"], "masked": masks, "line": lines})
    return occurrences, rows.groupby("mask_id").agg(masked=("masked", "min"), line=("line", "min")).reset_index()


LINES = [
    *(f'error: deployment "{name}" exceeded its progress deadline' for name in ("web", "api", "docs", "web")),
    *(f"connection to 10.0.0.{number} refused" for number in range(5)),
    "No space left on device",
]


def test_clusters_are_the_same_whatever_the_order() -> None:
    occurrences, masks = _history(LINES)
    first = failures.clusters(occurrences, masks, ALWAYS)
    assert [(cluster.runs, cluster.jobs, cluster.template) for cluster in first] == [
        (3, 5, "connection to <ip> refused"),
        (2, 4, "error: deployment <*> exceeded its progress deadline"),
        (1, 1, "No space left on device"),
    ]
    for seed in range(20):
        mixed = random.Random(seed)
        order, other = list(range(len(occurrences))), list(range(len(masks)))
        mixed.shuffle(order)
        mixed.shuffle(other)
        assert failures.clusters(occurrences.iloc[order], masks.iloc[other], ALWAYS) == first


def test_a_cluster_knows_its_first_failure_of_all_and_counts_those_of_the_window() -> None:
    occurrences, masks = _history(LINES)
    since = occurrences["failed_at"].iloc[2].to_pydatetime()
    [cluster] = [found for found in failures.clusters(occurrences, masks, since) if "deployment" in found.template]
    assert (cluster.jobs, cluster.runs, cluster.pipelines, cluster.new) == (2, 1, 2, False)
    assert (cluster.first_job, cluster.last_job) == ("j0", "j3")


def test_counts_equal_an_independent_count_over_the_logs(connection: duckdb.DuckDBPyConnection, ask: Frame) -> None:
    logs = connection.execute(
        """SELECT l.job_id, l.excerpt, r.run_key, r.pipeline_id, j.finished_at
        FROM job_logs AS l JOIN jobs AS j ON j.id = l.job_id JOIN workflow_runs AS r ON r.id = j.attempt_id
        WHERE l.excerpt IS NOT NULL AND j.status = 'failed'"""
    ).df()
    masks = ask("failure_masks")
    template = failures.templates(masks)
    runs, pipelines, first = defaultdict(set), defaultdict(set), {}
    for row in logs.sort_values("finished_at").itertuples():
        name = template[failures.mask_id(failures.masked(failures.telling_line(str(row.excerpt))))]
        runs[name].add(row.run_key)
        pipelines[name].add(row.pipeline_id)
        first.setdefault(name, row.finished_at)
    ours = failures.clusters(ask("failure_occurrences"), masks, ALWAYS)
    assert {c.template: (c.runs, c.pipelines, c.first_at) for c in ours} == {
        name: (len(runs[name]), len(pipelines[name]), first[name]) for name in runs
    }


def test_lines_are_picked_once_and_again_when_the_excerpt_changes(tmp_path: Path) -> None:
    connection = open_owned(tmp_path / "x.duckdb", memory_limit="1GB", threads=1)
    writer, reader = Writer(FileSession(connection)), OwnerReader(connection)
    connection.execute(
        "INSERT INTO job_logs VALUES ('j', 'a', now() - INTERVAL 1 HOUR, 'kept', 1, FALSE, NULL, 'E assert 1 == 2', 1)"
    )
    assert (pick_lines(reader, writer), pick_lines(reader, writer)) == (1, 0)
    connection.execute("UPDATE job_logs SET excerpt = 'fatal: no space', fetched_at = now() + INTERVAL 1 HOUR")
    pick_lines(reader, writer, most=1)
    assert connection.execute("SELECT line FROM failure_lines").fetchall() == [("fatal: no space",)]
    writer.close()
    connection.close()


def test_a_line_is_told_without_the_marks_and_frames_around_it() -> None:
    assert failures.telling_line("│ ##[error] Error: it broke ╵") == "Error: it broke"
    assert failures.telling_line("\t MAX \n") == "MAX"
    assert failures.telling_line("") == failures.telling_line(" \n") == ""
    assert failures.telling_line("x" * 400) == "x" * 300


def test_the_name_of_a_masked_line_never_changes() -> None:
    """It is kept in the database and stands in addresses that people keep."""
    assert failures.mask_id("it broke") == "f63b8e084c74e584"
    assert failures.mask_id("caf\udce9") != failures.mask_id("caf")


def test_a_cluster_says_all_of_its_failures() -> None:
    since = pd.Timestamp("2026-03-02T12:00Z")
    lines = {"m1": "cannot open file a now", "m2": "cannot open file b now", "m3": "wholly other words"}
    masks = pd.DataFrame({"mask_id": list(lines), "masked": list(lines.values()), "line": list(lines.values())})
    rows = [
        ("j1", "m3", "r1", "p1", -60), ("j2", "m1", "r2", "p1", -1), ("j3", "m2", "r3", "p1", 0),
        ("j4", "m1", "r3", "p2", 5), ("j5", "m1", "r4", "p2", 5), ("j6", "lost", "r9", "p9", 6),
        ("j7", "m1", "r4", None, 4),
    ]  # fmt: skip
    occurrences = pd.DataFrame(rows, columns=["job_id", "mask_id", "run_key", "pipeline_id", "minutes"])
    occurrences["failed_at"] = since + pd.to_timedelta(occurrences["minutes"], unit="min")
    [found] = failures.clusters(occurrences, masks, since.to_pydatetime())
    template = "cannot open file <*> now"
    assert found == failures.Cluster(
        id=failures.mask_id(template), template=template, line="cannot open file a now", masks=("m1", "m2"),
        jobs=4, runs=2, pipelines=2, first_at=(since - pd.Timedelta("1min")).to_pydatetime(), first_job="j2",
        last_at=(since + pd.Timedelta("5min")).to_pydatetime(), last_job="j5", new=False,
    )  # fmt: skip
    fresh = failures.clusters(occurrences[occurrences["minutes"] >= 0], masks, since.to_pydatetime())
    assert [one.new for one in fresh] == [True]


def test_clusters_of_as_many_runs_stand_by_pipelines_then_by_words() -> None:
    since = pd.Timestamp("2026-03-02T12:00Z")
    masks = pd.DataFrame({"mask_id": ["b", "a", "c"], "masked": ["bb bb", "aa aa", "cc cc"], "line": ["b", "a", "c"]})
    rows = [("j1", "b", "r1", "p1"), ("j2", "a", "r1", "p1"), ("j3", "c", "r1", "p1"), ("j4", "c", "r1", "p2")]
    occurrences = pd.DataFrame(rows, columns=["job_id", "mask_id", "run_key", "pipeline_id"]).assign(failed_at=since)
    found = failures.clusters(occurrences, masks, since.to_pydatetime())
    assert [one.template for one in found] == ["cc cc", "aa aa", "bb bb"]


def test_lines_that_share_half_of_their_words_are_two_templates() -> None:
    lines = ["cannot open a b", "cannot open c d", "cannot read this file now", "cannot read that file now"]
    found = failures.templates(pd.DataFrame({"mask_id": list("abcd"), "masked": lines}))
    assert dict(found) == {
        "a": lines[0], "b": lines[1], "c": "cannot read <*> file now", "d": "cannot read <*> file now"
    }  # fmt: skip
