"""Every page over PostgreSQL, run by Streamlit itself, on a history that the simulation wrote there."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import streamlit as st

from core.settings import load_settings
from ingest.simulation.fill import fill
from tests.conftest import ROOT
from tests.dashboard.test_pages import opened, shown
from tests.postgres_server import PostgresServer

PAGES = sorted(path.stem for path in (ROOT / "dashboard" / "views").glob("*.py") if path.stem != "__init__")


@pytest.fixture(scope="module")
def filled(postgres_server: PostgresServer) -> str:
    url = postgres_server.database()
    fill(load_settings(database_url=url), days=8)
    return url


@pytest.fixture
def over_postgres(filled: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("DATABASE_URL", filled)
    st.cache_resource.clear()
    st.cache_data.clear()
    yield filled
    st.cache_resource.clear()
    st.cache_data.clear()


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_shown_without_an_error(page: str, over_postgres: str) -> None:
    with psycopg.connect(over_postgres) as connection:
        row = connection.execute(
            "SELECT run_key, pipeline_id FROM workflow_runs ORDER BY begun_at DESC LIMIT 1"
        ).fetchone()
    assert row
    test = opened(page, id=row[1] if "pipeline" in page else row[0])
    assert not test.exception
    assert "can't be read" not in shown(test)


def test_explore_says_what_is_in_no_answer(over_postgres: str) -> None:
    assert "archived" not in shown(opened("explore"))
    with psycopg.connect(over_postgres) as connection:
        connection.execute(
            "INSERT INTO archived_files VALUES ('runs/a.parquet', 'workflow_runs', '2025-02', 9, now(), now())"
        )
    assert "the last of February 2025" in shown(opened("explore"))


def test_an_unreachable_database_is_told_in_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://ana:very-secret@127.0.0.1:9/health")
    st.cache_resource.clear()
    st.cache_data.clear()
    test = opened("overview")
    assert not test.exception
    assert "Connection refused" in shown(test)
    assert "very-secret" not in shown(test)
