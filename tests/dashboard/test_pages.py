"""Each page, run by Streamlit itself over a real database file (the service being away)."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core.settings import load_settings
from core.store.duckdb_file import open_owned, open_read_only
from ingest.providers import webhooks
from ingest.simulation.fill import fill
from tests.conftest import ROOT, free_port


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with some weeks of simulated history."""
    path = tmp_path_factory.mktemp("pages") / "health.duckdb"
    fill(load_settings(database_url=f"duckdb:///{path}"), days=20)
    return path


@pytest.fixture
def over(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Points the pages at a database."""

    def point(path: Path) -> None:
        monkeypatch.setenv("DATABASE_URL", f"duckdb:///{path}")
        monkeypatch.setenv("QUACK_PORT", str(free_port()))
        monkeypatch.setenv("INGEST_URL", f"http://127.0.0.1:{free_port()}")  # nobody is there
        st.cache_resource.clear()
        st.cache_data.clear()

    return point


def opened(page: str, **query: str) -> AppTest:
    test = AppTest.from_file(str(ROOT / "dashboard" / "app.py"), default_timeout=60)
    if page != "overview":
        test.switch_page(f"views/{page}.py")
    for name, value in query.items():
        test.query_params[name] = value
    return test.run()


def shown(test: AppTest) -> str:
    parts = [
        *test.markdown,
        *test.caption,
        *test.header,
        *test.title,
        *test.warning,
        *test.error,
        *test.info,
        *test.code,
    ]
    return " | ".join(str(part.value) for part in parts)


def test_the_overview_of_an_empty_database_says_what_to_do_next(over: Any, tmp_path: Path) -> None:
    open_owned(tmp_path / "health.duckdb", memory_limit="1GB", threads=1).close()
    over(tmp_path / "health.duckdb")
    test = opened("overview")
    assert not test.exception
    assert "/api/v1/webhook/github-actions" in shown(test)


def test_without_a_database_the_overview_says_so_plainly(over: Any, tmp_path: Path) -> None:
    over(tmp_path / "none.duckdb")
    test = opened("overview")
    assert not test.exception
    assert "no database" in shown(test).lower()


def test_the_overviews_tiles_equal_an_independent_count(over: Any, history: Path) -> None:
    over(history)
    test = opened("overview")
    assert not test.exception
    with open_read_only(history) as connection:
        runs = connection.execute("SELECT * FROM runs").df()
    recent = runs[runs["finished_at"] >= pd.Timestamp(datetime.now(UTC) - timedelta(days=7))]
    decided = recent[recent["status"].isin(["success", "failed"])]
    default = runs[runs["on_default_branch"] & runs["status"].isin(["success", "failed"])].dropna(subset="finished_at")
    newest = default.sort_values("finished_at").groupby("pipeline_id").tail(1)
    tiles = {tile.label: tile.value for tile in test.metric}
    assert tiles["Total pipelines"] == str(runs["pipeline_id"].nunique())
    assert tiles["Failed pipelines"] == str((newest["status"] == "failed").sum())
    assert tiles["Success rate"] == f"{(decided['status'] == 'success').mean() * 100:.1f}%"
    seconds = int(decided["duration_seconds"].mean() + 0.5)
    assert tiles["Average build time"] == f"{seconds // 60}m {seconds % 60:02d}s"


def test_a_filter_in_the_url_narrows_the_overview(over: Any, history: Path) -> None:
    over(history)
    test = opened("overview", repository="brightloop/web")
    assert not test.exception
    assert {tile.label: tile.value for tile in test.metric}["Total pipelines"] == "4"


def test_the_overview_says_that_the_service_is_away_and_that_the_data_is_simulated(over: Any, history: Path) -> None:
    over(history)
    words = shown(opened("overview")).lower()
    assert "ingest" in words
    assert "simulated" in words


def test_the_runs_page_lists_and_counts(over: Any, history: Path) -> None:
    over(history)
    test = opened("runs", window="30d")
    assert not test.exception
    with open_read_only(history) as connection:
        total = connection.execute(
            "SELECT count(*) FROM runs WHERE last_activity_at >= now() - INTERVAL 30 DAY"
        ).fetchone()
    assert total
    assert f"{total[0]:,}" in shown(test)


def test_the_page_of_a_run_shows_its_jobs(over: Any, history: Path) -> None:
    over(history)
    with open_read_only(history) as connection:
        row = connection.execute(
            "SELECT run_key, name FROM job_runs WHERE status = 'failed' ORDER BY run_key LIMIT 1"
        ).fetchone()
    assert row
    test = opened("run", id=row[0])
    assert not test.exception
    assert row[1] in shown(test) + " ".join(expander.label for expander in test.expander)


@pytest.mark.parametrize("run_id", ["", "nonsense", "'; DROP TABLE jobs; --"])
def test_the_page_of_an_unknown_run_leads_back(over: Any, history: Path, run_id: str) -> None:
    over(history)
    test = opened("run", id=run_id)
    assert not test.exception
    assert not test.error


def test_the_set_up_page_shows_an_address_and_a_check_for_each_system(over: Any, history: Path) -> None:
    over(history)
    test = opened("setup")
    assert not test.exception
    shown_codes = {code.value for code in test.code}
    assert {f"{os.environ['INGEST_URL']}/api/v1/webhook/{provider}" for provider in webhooks()} == shown_codes
    badges = " ".join(str(part.value) for part in test.markdown)
    assert "Last delivery" in badges
    assert "No delivery yet" in badges


def _failed_job(history: Path) -> tuple[str, str, str, str]:
    """The run, attempt and id of a failed job whose log is kept, and why it failed."""
    with open_read_only(history) as connection:
        row = connection.execute(
            """SELECT r.run_key, r.attempt_id, r.id, l.excerpt FROM job_runs AS r JOIN job_logs AS l ON l.job_id = r.id
            WHERE l.excerpt IS NOT NULL ORDER BY r.id DESC LIMIT 1"""
        ).fetchone()
    assert row
    return row


def test_the_page_of_a_run_says_why_a_job_failed_and_leads_to_its_log(over: Any, history: Path) -> None:
    over(history)
    run, attempt, job, excerpt = _failed_job(history)
    test = opened("run", id=attempt)
    assert not test.exception
    assert excerpt in [code.value for code in test.code]
    assert f"job={job}" in str([link.proto for link in test.get("page_link")])
    assert run


def test_the_log_page_says_so_while_the_service_is_away(over: Any, history: Path) -> None:
    over(history)
    run, _, job, _ = _failed_job(history)
    test = opened("log", id=run, job=job)
    assert not test.exception
    assert "Logs are read through the ingest service" in shown(test)
    assert test.selectbox(key="job").value == job


@pytest.mark.parametrize("query", [{}, {"id": "nonsense"}, {"id": "x", "job": "y", "line": "-1"}])
def test_the_log_page_of_an_unknown_run_leads_back(over: Any, history: Path, query: dict[str, str]) -> None:
    over(history)
    test = opened("log", **query)
    assert not test.exception
    assert "no such run" in shown(test)


def test_a_link_to_the_log_of_any_job_opens_that_one(over: Any, history: Path) -> None:
    over(history)
    with open_read_only(history) as connection:
        jobs = connection.execute(
            """SELECT r.run_key, r.id FROM job_runs AS r JOIN runs AS n ON n.id = r.attempt_id
            WHERE r.status = 'success' ORDER BY r.id LIMIT 3"""
        ).fetchall()
    for run, job in jobs:
        assert opened("log", id=run, job=job).selectbox(key="job").value == job


def test_the_log_page_of_an_unknown_job_shows_one_that_there_is(over: Any, history: Path) -> None:
    over(history)
    run, *_ = _failed_job(history)
    test = opened("log", id=run, job="nothing", line="999999999999")
    assert not test.exception


def test_ingests_page_counts_deliveries_and_lists_those_with_a_result(over: Any, history: Path) -> None:
    over(history)
    with open_read_only(history) as connection:
        processed = connection.execute("SELECT count(*) FROM deliveries WHERE result = 'processed'").fetchone()
    assert processed
    test = opened("ingest")
    assert not test.exception
    tiles = {tile.label: tile.value for tile in test.metric}
    assert (tiles["Processed"], tiles["Failed"], tiles["Came again"]) == (f"{processed[0]:,}", "0", "0")
    assert "GITHUB_REPOSITORIES" in shown(test)
    assert "can't be reached" in shown(test).replace("\\", "")
    assert "No delivery here" in shown(opened("ingest", result="failed"))


def test_ingests_page_tells_what_is_wrong_with_a_repository_in_words(over: Any, tmp_path: Path) -> None:
    connection = open_owned(tmp_path / "health.duckdb", memory_limit="1GB", threads=1)
    connection.execute(
        """INSERT INTO poll_state
            (provider, repository, last_poll_at, last_success_at, last_error, rows_added, gaps_closed)
        VALUES ('github-actions', 'acme/web', now(), now() - INTERVAL 2 HOUR, 'The token may not *read* this.', 12, 3),
            ('github-actions', 'acme/api', now(), now(), NULL, 5, 0)"""
    )
    connection.execute(
        "INSERT INTO rate_limit_samples VALUES (now() - INTERVAL 1 HOUR, 'github-actions', 4000, 5000, 1000, now())"
    )
    connection.close()
    over(tmp_path / "health.duckdb")
    test = opened("ingest")
    assert not test.exception
    assert {tile.label: tile.value for tile in test.metric}["With an error"] == "1"
    assert "The token may not *read* this." in shown(test).replace("\\", "")
    table = test.dataframe[0].value.set_index("Repository")
    assert table.loc["acme/web", "Lag"] == "2h 00m"
    assert list(table["Gaps closed"]) == [0, 3]
    assert "4,000 of 5,000 left" in shown(test).replace("\\", "")


def test_ingests_page_tells_where_old_runs_are_and_which_files_are_missing(over: Any, tmp_path: Path) -> None:
    connection = open_owned(tmp_path / "health.duckdb", memory_limit="1GB", threads=1)
    over(tmp_path / "health.duckdb")
    assert "Archive" not in [header.value for header in opened("ingest").header]
    names = [f"{kind}/month=2025-0{month}/a.parquet" for month in (2, 4) for kind in ("jobs", "workflow_runs")]
    for name in names:
        kind, month = name.split("/")[0], name.split("=")[1][:7]
        connection.execute(
            "INSERT INTO archived_files (path, kind, month, row_count, archived_at) VALUES (?, ?, ?, 600, now())",
            [name, kind, month],
        )
    connection.close()
    for name in names[1:]:
        (tmp_path / "archive" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "archive" / name).touch()
    test = opened("ingest")
    assert not test.exception
    words = shown(test).replace("\\", "")
    assert f"1,200 run attempts of February 2025 to April 2025 in 4 files at {tmp_path}/archive." in words
    assert f"1 of 4 files can't be read here, so what is in them isn't shown: {names[0]}." in words.replace("*", "")
