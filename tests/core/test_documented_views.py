"""The views that people query are described as they are."""

import duckdb
import pytest

from core.documented_views import EXAMPLES, VIEWS


@pytest.mark.parametrize("name", VIEWS)
def test_every_column_of_a_view_is_described_and_no_other(name: str, database: duckdb.DuckDBPyConnection) -> None:
    columns = [column[0] for column in database.execute(f"SELECT * FROM {name}").description or []]
    assert sorted(VIEWS[name].columns) == sorted(columns)


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_runs(name: str, database: duckdb.DuckDBPyConnection) -> None:
    database.execute(EXAMPLES[name]).fetchall()
