"""The page Explore, run by Streamlit itself against a running service, and its chart."""

from pathlib import Path

import pandas as pd
import pytest
import streamlit as st

from core.documented_views import EXAMPLES
from dashboard.parts import explore_chart
from tests.builders import run_payload
from tests.conftest import IngestProcess
from tests.dashboard.history_pages import history, opened, over_history, shown

__all__ = ["history", "over_history"]  # fixtures


@pytest.fixture
def served(ingest: IngestProcess, monkeypatch: pytest.MonkeyPatch) -> IngestProcess:
    """The pages look at a running service with one run."""
    ingest.send("workflow_run", run_payload(run_id=1))
    for name in ("DATABASE_URL", "INGEST_URL", "QUACK_PORT", "API_WRITE_KEY"):
        monkeypatch.setenv(name, ingest.variables()[name])
    st.cache_resource.clear()
    st.cache_data.clear()
    return ingest


def test_a_link_asks_its_query_and_shows_the_answer(served: IngestProcess) -> None:
    test = opened("explore", sql="SELECT repository, count(*) AS runs FROM runs GROUP BY repository")
    assert "1 row " in shown(test)
    assert test.dataframe[0].value.to_dict("records") == [{"repository": "acme/web", "runs": 1}]


def test_an_example_is_asked_on_a_click(served: IngestProcess) -> None:
    test = opened("explore")
    test.button(key=f"example_{next(iter(EXAMPLES))}").click().run()
    assert not test.exception
    assert "repository" in test.dataframe[0].value.columns


def test_duckdbs_words_are_shown_for_a_wrong_query(served: IngestProcess) -> None:
    test = opened_with_error("SELECT nothing_like_it FROM runs")
    assert "nothing\\_like\\_it" in test


def opened_with_error(sql: str) -> str:
    from streamlit.testing.v1 import AppTest

    from tests.conftest import ROOT

    test = AppTest.from_file(str(ROOT / "dashboard" / "app.py"), default_timeout=60)
    test.switch_page("views/explore.py")
    test.query_params["sql"] = sql
    test.run()
    assert not test.exception
    return " ".join(error.value for error in test.error)


def test_without_the_service_the_page_says_so(over_history: Path) -> None:
    assert "can't be reached" in opened_with_error("SELECT 1 FROM runs").replace("\\", "")


def test_the_chart_shows_names_from_outside_as_text() -> None:
    rows = pd.DataFrame({"branch": ["<b>x</b>", None], "runs <i>": [1, float("nan")]})
    figure = explore_chart.figure(rows, "branch", ["runs <i>"], "bar")
    assert figure["data"][0]["x"] == ["&lt;b&gt;x&lt;/b&gt;", "–"]
    assert figure["data"][0]["y"] == [1.0, None]
    assert figure["data"][0]["name"] == "runs &lt;i&gt;"
