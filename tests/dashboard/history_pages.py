"""What the tests of pages over a long history share: a simulated history, made once, and a page run over it."""

from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core.settings import load_settings
from ingest.simulation.fill import fill
from tests.conftest import ROOT, free_port


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with some weeks of simulated history."""
    path = tmp_path_factory.mktemp("pages") / "health.duckdb"
    fill(load_settings(database_url=f"duckdb:///{path}"), days=20)
    return path


@pytest.fixture
def over_history(monkeypatch: pytest.MonkeyPatch, history: Path) -> Path:
    """Points the pages at the history, the service being away."""
    monkeypatch.setenv("DATABASE_URL", f"duckdb:///{history}")
    monkeypatch.setenv("QUACK_PORT", str(free_port()))
    monkeypatch.setenv("INGEST_URL", f"http://127.0.0.1:{free_port()}")  # nobody is there
    st.cache_resource.clear()
    st.cache_data.clear()
    return history


def opened(page: str, /, **query: str) -> AppTest:
    """The page after its first run; fails where it shows an exception or an error."""
    test = AppTest.from_file(str(ROOT / "dashboard" / "app.py"), default_timeout=60)
    test.switch_page(f"views/{page}.py")
    for name, value in query.items():
        test.query_params[name] = value
    test.run()
    assert not test.exception, test.exception
    assert not test.error, test.error
    return test


def shown(test: AppTest) -> str:
    parts = [*test.markdown, *test.caption, *test.header, *test.title, *test.warning, *test.info, *test.code]
    return " | ".join(str(part.value) for part in parts)
