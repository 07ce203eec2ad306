"""Archived runs on the pages of PostgreSQL: every query that may reach them answers as if nothing had been moved."""

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import pytest

from core.errors import StoreUnavailable
from core.store.archive_files import Archive
from core.store.postgres import archived, archived_answer
from core.store.postgres import reader as store_reader
from core.store.postgres.archived import REACHING
from core.store.postgres.connection import PostgresCursor
from core.store.postgres.reader import PostgresReader
from core.store.writer import Writer
from tests.builders import job_payload, moment, run_payload, step_part
from tests.core.test_queries import EVERY
from tests.postgres.test_archiving import BEFORE, move, tell
from tests.postgres_server import PostgresServer

NOW = datetime.now(UTC)
ALL = EVERY | {"limit": 100_000}
GROUPS = ("pipeline", "repository", "branch", "author", "event", "status", "day")
SORTS = ("newest", "oldest", "longest", "shortest")


@dataclass(frozen=True)
class Moved:
    """Two databases with the same history of 8 days, to be read: of one, the older half is in the archive."""

    whole: str
    halved: str
    archive: Archive


@pytest.fixture(scope="session")
def moved(simulated_file: Path, simulated_url: str, postgres_server: PostgresServer) -> Moved:
    archive, how = Archive(simulated_file.parent / "archive"), f"TEMPLATE {simulated_url.rsplit('/', 1)[1]}"

    def halve(url: str) -> None:
        assert move(url, archive, runs=60) > 200

    return Moved(
        postgres_server.once("whole", lambda _: None, how), postgres_server.once("halved", halve, how), archive
    )


@pytest.fixture
def readers(moved: Moved) -> Iterator[tuple[PostgresReader, PostgresReader]]:
    """One that has all in its tables, and one that has half of it in files."""
    first = PostgresReader(moved.whole, size=2)
    second = PostgresReader(moved.halved, size=2, archive=moved.archive)
    yield first, second
    first.close()
    second.close()


def questions(reader: PostgresReader) -> Iterator[tuple[str, dict[str, Any]]]:
    """Queries and parameters as pages ask them, that reach what is old."""
    runs = reader.frame("run_page", **ALL)
    busiest = runs["pipeline_id"].value_counts().index[0]
    middle = BEFORE.replace(microsecond=0)
    filters: list[dict[str, Any]] = [
        {},
        {"repository": runs["repository"].iloc[0]},
        {"pipeline_id": busiest, "statuses": ("failed",)},
        {"branch": "main", "since": middle - timedelta(days=2)},
        {"since": middle - timedelta(days=3), "until": middle + timedelta(days=1)},
        {"until": middle - timedelta(days=1)},
        {"since": middle + timedelta(days=1)},
        {"branch": "none of this name"},
    ]
    for chosen in filters:
        for limit, offset in ((25, 0), (25, 200), (100_000, 0)):
            yield "run_page", ALL | chosen | {"limit": limit, "offset": offset}
        yield "run_count", ALL | chosen
    for chosen in [
        *filters,
        {"words": "test"},
        {"is_fork": True},
        {"author": runs["commit_author"].iloc[-1]},
        {"min_seconds": 300},
    ]:
        for sort in SORTS:
            yield "run_search", ALL | chosen | {"sort": sort, "limit": 30, "offset": 15}
        for limit in (1, 150, 100_000):
            yield "run_search_count", ALL | chosen | {"limit": limit}
        for group in GROUPS if not chosen else ("day",):
            yield "run_groups", ALL | chosen | {"group_by": group, "zone": "Asia/Tokyo"}
        yield "run_export", ALL | chosen | {"limit": None}
    chosen_runs = pd.concat([runs.iloc[::150], runs[runs["run_attempt"] > 1].iloc[::12], runs.tail(3)])
    for _, run in chosen_runs.iterrows():
        yield "run_attempts", {"id": run["id"]}
        yield "run_attempts", {"id": run["attempt_id"]}
        yield "attempt_jobs", {"attempt_id": run["attempt_id"]}
        yield "attempt_steps", {"attempt_id": run["attempt_id"]}
    yield "run_page", {name: value for name, value in ALL.items() if name != "sort"}
    for limit, offset in ((10, 100_000), (0, 0)):
        yield "run_page", ALL | {"limit": limit, "offset": offset}
    for name in ("run_attempts", "attempt_jobs", "attempt_steps"):
        yield name, {"id": "unknown", "attempt_id": "unknown"}


@pytest.mark.parametrize("query", sorted(REACHING))
def test_every_page_shows_what_it_showed_before(query: str, readers: tuple[PostgresReader, PostgresReader]) -> None:
    whole, halved = readers
    asked = [parameters for name, parameters in questions(whole) if name == query]
    assert asked
    for parameters in asked:
        expected, found = whole.frame(query, **parameters), halved.frame(query, **parameters)
        pd.testing.assert_frame_equal(found, expected, obj=f"{query} {parameters}")


def test_the_archive_holds_some_of_the_runs(readers: tuple[PostgresReader, PostgresReader]) -> None:
    assert len(readers[1].frame("run_page", **ALL)) > count_of(readers[1])


def test_pages_far_back_are_the_same(
    readers: tuple[PostgresReader, PostgresReader], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archived, "DEEP", 30)
    whole, halved = readers
    total = int(whole.frame("run_count", **ALL)["total"].iloc[0])
    for offset in (*range(0, total + 30, 45), 10_000_000_000):
        page = ALL | {"limit": 20, "offset": offset}
        pd.testing.assert_frame_equal(halved.frame("run_page", **page), whole.frame("run_page", **page))


def count_of(reader: PostgresReader) -> int:
    with reader.connection() as connection:
        row = connection.execute("SELECT count(*) FROM workflow_runs WHERE is_latest").fetchone()
    assert row
    return int(row[0])


def test_an_export_streams_the_same_rows(readers: tuple[PostgresReader, PostgresReader]) -> None:
    whole = {name: value for name, value in ALL.items() if name not in ("sort", "offset")}
    for parameters in (whole | {"limit": None}, *(ALL | {"limit": limit} for limit in (None, 20, 300, 100_000))):
        batches = [list(reader.batches("run_export", 50, **parameters)) for reader in readers]
        assert len({str(batch.schema) for part in batches for batch in part}) == 1
        expected, found = (pd.concat([batch.to_pandas() for batch in part], ignore_index=True) for part in batches)
        pd.testing.assert_frame_equal(found, expected)


def test_what_lies_after_the_archive_is_answered_by_postgres_alone(
    readers: tuple[PostgresReader, PostgresReader], monkeypatch: pytest.MonkeyPatch
) -> None:
    def opened(*_: Any) -> None:
        raise AssertionError("the archive was asked")

    monkeypatch.setattr(archived_answer, "_opened", opened)
    whole, halved = readers
    new = whole.frame("run_page", **ALL | {"limit": 1}).iloc[0]
    since = {"since": BEFORE + timedelta(days=1)}
    asked: list[tuple[str, dict[str, Any]]] = [
        ("run_page", ALL | {"limit": 20}),
        ("run_page", {name: value for name, value in ALL.items() if name != "sort"} | {"limit": 20}),
        ("run_page", ALL | since),
        ("run_search", ALL | {"limit": 20}),
        ("run_search", ALL | since | {"sort": "longest"}),
        ("run_search_count", ALL | {"limit": 50}),
        ("run_count", ALL | since),
        ("run_groups", ALL | since),
        ("run_attempts", {"id": new["id"]}),
        ("attempt_jobs", {"attempt_id": new["attempt_id"]}),
        ("attempt_steps", {"attempt_id": new["attempt_id"]}),
    ]
    for query, parameters in asked:
        pd.testing.assert_frame_equal(halved.frame(query, **parameters), whole.frame(query, **parameters))
    assert sum(len(batch) for batch in halved.batches("run_export", 50, **ALL | since)) > 50
    with pytest.raises(AssertionError, match="the archive was asked"):
        halved.frame("run_search", **ALL | {"sort": "longest"})


@pytest.fixture
def one_run(
    target: PostgresCursor, replicas: list[Writer], postgres_url: str, tmp_path: Path
) -> Iterator[PostgresReader]:
    """A run of two jobs that is in the archive alone."""
    for number in (1, 2):
        tell(
            replicas[0],
            "workflow_job",
            job_payload(job_id=number, name=f"job {number}", steps=[step_part(1), step_part(2)]),
        )
    tell(replicas[0], "workflow_run", run_payload())
    archive = Archive(tmp_path / "archive")
    assert move(postgres_url, archive) == 1
    assert target.run("SELECT count(*) FROM jobs").fetchone() == (0,)
    reader = PostgresReader(postgres_url, size=2, archive=archive)
    yield reader
    reader.close()


@pytest.mark.parametrize("created", [0, 3600], ids=["created with its run", "created by itself"])
def test_a_rerun_of_an_archived_run_is_its_latest_attempt(
    created: float, one_run: PostgresReader, replicas: list[Writer]
) -> None:
    first = one_run.frame("run_page", **ALL).iloc[0]
    again = run_payload(attempt=2, begun=3600, updated=3700, conclusion="failure", created_at=moment(created))
    tell(replicas[0], "workflow_run", again)
    page = one_run.frame("run_page", **ALL)
    assert page[["id", "run_attempt", "status"]].to_numpy().tolist() == [[first["id"], 2, "failed"]]
    assert one_run.frame("run_count", **ALL)["total"].iloc[0] == 1
    assert one_run.frame("run_groups", **ALL | {"group_by": "status", "zone": "UTC"})["name"].tolist() == ["failed"]
    for asked in (first["id"], first["attempt_id"], page["attempt_id"].iloc[0]):
        attempts = one_run.frame("run_attempts", id=asked)
        assert attempts[["run_attempt", "is_latest"]].to_numpy().tolist() == [[2, True], [1, False]]
    assert len(one_run.frame("attempt_jobs", attempt_id=first["attempt_id"])) == 2


def test_of_a_page_that_the_tables_could_fill_the_newer_runs_are_in_the_archive(
    one_run: PostgresReader, replicas: list[Writer]
) -> None:
    archived_run = one_run.frame("run_page", **ALL)["id"].iloc[0]
    tell(
        replicas[0],
        "workflow_run",
        run_payload(run_id=2, begun=-3600, updated=-3000, created_at=moment(-3600), branch="older"),
    )
    pages = [one_run.frame("run_page", **ALL | {"limit": 1, "offset": offset}) for offset in (0, 1)]
    assert pages[0]["id"].tolist() == [archived_run]
    assert pages[1]["branch"].tolist() == ["older"]


def test_what_is_told_of_again_counts_as_the_tables_have_it(one_run: PostgresReader, replicas: list[Writer]) -> None:
    attempt = one_run.frame("run_page", **ALL)["attempt_id"].iloc[0]
    tell(replicas[0], "workflow_run", run_payload(updated=90, display_title="Told again"))
    tell(replicas[0], "workflow_job", job_payload(job_id=2, name="job 2, again", finished=80, steps=[step_part(2)]))
    page = one_run.frame("run_search", **ALL)
    assert page[["attempt_id", "title"]].to_numpy().tolist() == [[attempt, "Told again"]]
    assert one_run.frame("run_search_count", **ALL)["total"].iloc[0] == 1
    assert one_run.frame("run_attempts", id=attempt)["title"].tolist() == ["Told again"]
    assert one_run.frame("attempt_jobs", attempt_id=attempt)["name"].tolist() == ["job 1", "job 2, again"]
    assert one_run.frame("attempt_steps", attempt_id=attempt)["number"].tolist() == [1, 2, 1, 2]
    (batch,) = [batch for batch in one_run.batches("run_export", 50, **ALL) if len(batch)]
    assert len(batch) == 1


def test_a_count_is_kept_until_something_changes(
    one_run: PostgresReader, replicas: list[Writer], target: PostgresCursor, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Any] = []
    whole = archived_answer._opened
    monkeypatch.setattr(archived_answer, "_opened", lambda *given: opened.append(given) or whole(*given))

    def total(**chosen: Any) -> int:
        return int(one_run.frame("run_count", **ALL | chosen)["total"].iloc[0])

    assert (total(), total(), total(branch="other"), total()) == (1, 1, 0, 1)
    assert len(opened) == 2
    tell(replicas[0], "workflow_run", run_payload(run_id=2, begun=90, branch="other", created_at=moment(90)))
    assert (total(), total(branch="other")) == (2, 1)
    assert len(opened) == 2
    with monkeypatch.context() as few:
        few.setattr(archived_answer, "_counts", {})
        few.setattr(archived_answer, "COUNTS_KEPT", 1)
        assert (total(), total(branch="other"), total(branch="other"), total()) == (2, 1, 1, 2)
        assert len(opened) == 2 + 3  # what was kept first is forgotten first
    tell(replicas[0], "workflow_run", run_payload(updated=95))
    assert total() == 2
    target.run("UPDATE pipelines SET repository = 'acme/renamed'")
    assert (total(repository="acme/web"), total(repository="acme/renamed")) == (0, 2)


def test_without_the_folder_the_rest_is_shown_and_the_log_says_so_once(
    moved: Moved, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reader = PostgresReader(moved.halved, size=1, archive=Archive(tmp_path / "elsewhere"))
    in_tables = count_of(reader)
    assert len(reader.frame("run_page", **ALL)) == in_tables
    assert reader.frame("run_count", **ALL)["total"].iloc[0] == in_tables
    assert sum(len(batch) for batch in reader.batches("run_export", 50, **ALL)) == in_tables
    reader.close()
    assert capsys.readouterr().out.count("archived files are missing") == 1


def test_of_a_run_whose_steps_are_missing_the_jobs_are_shown(one_run: PostgresReader, tmp_path: Path) -> None:
    attempt = one_run.frame("run_page", **ALL)["attempt_id"].iloc[0]
    assert len(one_run.frame("attempt_steps", attempt_id=attempt)) == 4
    shutil.rmtree(tmp_path / "archive" / "steps")
    assert len(one_run.frame("attempt_jobs", attempt_id=attempt)) == 2
    assert one_run.frame("attempt_steps", attempt_id=attempt).empty


def test_a_damaged_file_is_told_and_nothing_that_needs_none_is_touched(one_run: PostgresReader, tmp_path: Path) -> None:
    for path in (tmp_path / "archive").rglob("*.parquet"):
        path.write_bytes(b"PAR1 and no more")
    with pytest.raises(StoreUnavailable, match="Archived runs can't be read"):
        one_run.frame("run_page", **ALL)
    assert one_run.frame("run_page", **ALL | {"since": NOW}).empty
    assert one_run.frame("alert_counts", **EVERY)["critical"].iloc[0] == 0


def test_what_reads_the_files_can_read_nothing_else(one_run: PostgresReader, tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("a\nb\n")
    with one_run.connection() as connection:
        archive = Archive(tmp_path / "archive")
        question = archived.gathered(connection, archive, "run_page", ALL)
    with archived_answer._opened(question, archive) as database:
        assert database.execute("SELECT count(*) FROM all_runs").fetchone() == (1,)
        for statement in (
            f"FROM read_csv('{tmp_path}/secret.csv')",
            f"COPY all_runs TO '{tmp_path}/copy.parquet'",
            f"ATTACH '{tmp_path}/other.duckdb'",
            "SET enable_external_access = true",
            "INSTALL httpfs",
        ):
            with pytest.raises(duckdb.Error):
                database.execute(statement)


def test_too_many_questions_about_the_archive_wait_and_are_told(
    one_run: PostgresReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archived_answer, "WAIT_SECONDS", 0.01)
    with ExitStack() as taken:
        for _ in range(archived_answer.AT_ONCE):
            taken.enter_context(archived_answer._places)
        with pytest.raises(StoreUnavailable, match="Others are looking"):
            one_run.frame("run_page", **ALL)
    assert len(one_run.frame("run_page", **ALL)) == 1


def test_the_very_first_runs_that_move_under_a_question_are_in_its_answer(
    simulated_url: str, postgres_server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, archive = postgres_server.copied(simulated_url), Archive(tmp_path / "archive")
    reader = PostgresReader(url, size=1, archive=archive)
    expected, whole = reader.frame("run_page", **ALL), store_reader.rows_of
    moved: list[int] = []

    def meanwhile(*given: Any) -> pa.Table:
        if not moved:
            moved.append(move(url, archive))
        return whole(*given)

    monkeypatch.setattr(store_reader, "rows_of", meanwhile)
    pd.testing.assert_frame_equal(reader.frame("run_page", **ALL), expected)
    assert moved[0] > 0
    reader.close()


def test_while_runs_move_each_is_shown_once(
    simulated_url: str, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    url, archive = postgres_server.copied(simulated_url), Archive(tmp_path / "archive")
    reader = PostgresReader(url, size=2, archive=archive)
    expected = reader.frame("run_page", **ALL)
    looked = 0
    with ThreadPoolExecutor(1) as pool:
        moving = pool.submit(move, url, archive, 40)
        while not moving.done():
            pd.testing.assert_frame_equal(reader.frame("run_page", **ALL), expected)
            assert reader.frame("run_count", **ALL)["total"].iloc[0] == len(expected)
            looked += 1
    assert moving.result() > 200
    assert looked > 2
    reader.close()
