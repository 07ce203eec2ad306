"""The runs explorer's filters, groups and order, against pandas over the simulated history."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest

from core.queries import Value, bound
from core.settings import load_settings
from core.store.duckdb_file import open_read_only
from ingest.simulation.fill import fill

ANY: dict[str, Value] = dict.fromkeys(
    (
        "provider", "repository", "branch", "pipeline_id", "statuses", "event", "actor", "author", "is_fork",
        "min_seconds", "max_seconds", "since", "until", "words",
    )
)  # fmt: skip
MANY = 100_000
Condition = Callable[[pd.DataFrame], "pd.Series[bool]"]


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    path: Path = tmp_path_factory.mktemp("search") / "health.duckdb"
    fill(load_settings(database_url=f"duckdb:///{path}"), days=15)
    with open_read_only(path) as connection:
        yield connection


def rows(connection: duckdb.DuckDBPyConnection, query: str, **chosen: Value) -> pd.DataFrame:
    defaults: dict[str, Value] = {"limit": MANY, "offset": 0, "sort": "newest", "group_by": "pipeline", "zone": "UTC"}
    return connection.execute(bound(query, ANY | defaults | chosen)).df()


def any_text(runs: pd.DataFrame, words: str) -> "pd.Series[bool]":
    columns = runs[["commit_message", "title", "commit_author", "actor", "branch"]].fillna("")
    return columns.apply(lambda column: column.str.lower().str.contains(words, regex=False)).any(axis=1)


CASES: dict[str, tuple[dict[str, Value], Condition]] = {
    "provider": ({"provider": "gitlab"}, lambda r: r["provider"] == "gitlab"),
    "repository": ({"repository": "brightloop/web"}, lambda r: r["repository"] == "brightloop/web"),
    "statuses": ({"statuses": ("failed", "cancelled")}, lambda r: r["status"].isin(["failed", "cancelled"])),
    "branch and event": (
        {"branch": "main", "event": "push"}, lambda r: (r["branch"] == "main") & (r["event"] == "push")
    ),
    "fork": ({"is_fork": True}, lambda r: r["is_fork"]),
    "duration": (
        {"min_seconds": 300, "max_seconds": 600}, lambda r: r["duration_seconds"].between(300, 600).fillna(value=False)
    ),
    "author": ({"author": "Grace Lin"}, lambda r: r["commit_author"] == "Grace Lin"),
    "words": ({"words": "bump dep"}, lambda r: any_text(r, "bump dep")),
    "a name with marks": ({"words": "aydın"}, lambda r: any_text(r, "aydın")),
    "words that are no pattern": ({"words": "100%"}, lambda r: any_text(r, "100%")),
    "an underscore is itself": ({"words": "_"}, lambda r: any_text(r, "_")),
    "a number": ({"words": "12"}, lambda r: (r["run_number"] == 12) | r["head_sha"].str.startswith("12")),
    "an injection": ({"words": "'; drop table workflow_runs; --"}, lambda r: r["status"] == "none"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_filter_finds_what_pandas_finds(history: duckdb.DuckDBPyConnection, name: str) -> None:
    chosen, condition = CASES[name]
    runs = history.execute("SELECT * FROM runs").df()
    expected = runs[condition(runs)].sort_values(["begun_at", "run_key"], ascending=False)["run_key"].tolist()
    assert rows(history, "run_search", **chosen)["id"].tolist() == expected
    assert rows(history, "run_search_count", **chosen)["total"].tolist() == [len(expected)]
    assert rows(history, "run_export", **chosen)["id"].tolist() == expected


def test_times_bound_the_last_activity_and_counting_stops_at_its_limit(history: duckdb.DuckDBPyConnection) -> None:
    runs = history.execute("SELECT * FROM runs").df()
    until = runs["last_activity_at"].max().to_pydatetime() - timedelta(days=2)
    since = until - timedelta(days=3)
    expected = runs[(runs["last_activity_at"] >= since) & (runs["last_activity_at"] < until)]
    found = rows(history, "run_search", since=since, until=until)
    assert set(found["id"]) == set(expected["run_key"])
    assert rows(history, "run_search_count", since=since, until=until, limit=7)["total"].tolist() == [7]


@pytest.mark.parametrize(
    ("sort", "columns", "ascending"),
    [
        ("newest", ["begun_at"], [False]),
        ("oldest", ["begun_at"], [True]),
        ("longest", ["duration_seconds", "begun_at"], [False, False]),
        ("shortest", ["duration_seconds", "begun_at"], [True, False]),
    ],
)
def test_pages_in_any_order_add_up_to_the_whole(
    history: duckdb.DuckDBPyConnection, sort: str, columns: list[str], ascending: list[bool]
) -> None:
    runs = history.execute("SELECT * FROM runs").df()
    whole = runs.sort_values([*columns, "run_key"], ascending=[*ascending, False], na_position="last")
    pages = [rows(history, "run_search", sort=sort, limit=150, offset=start) for start in range(0, len(runs), 150)]
    assert pd.concat(pages)["id"].tolist() == whole["run_key"].tolist()


@pytest.mark.parametrize(
    ("by", "column"),
    [
        ("pipeline", "pipeline_id"), ("repository", "repository"), ("branch", "branch"), ("author", "commit_author"),
        ("event", "event"), ("status", "status"), ("day", "day"),
    ],
)  # fmt: skip
def test_groups_equal_pandas(history: duckdb.DuckDBPyConnection, by: str, column: str) -> None:
    runs = history.execute("SELECT * FROM runs").df()
    runs["day"] = runs["last_activity_at"].dt.tz_convert("Asia/Tokyo").dt.strftime("%Y-%m-%d")
    found = rows(history, "run_groups", group_by=by, zone="Asia/Tokyo")
    found = found.set_index("pipeline_id" if by == "pipeline" else "name")
    assert found["runs"].sum() == len(runs)
    for name, own in runs.groupby(column, dropna=False):
        decided = own[own["status"].isin(["success", "failed"])]
        row: Any = found[found.index.isna()].iloc[0] if pd.isna(name) else found.loc[name]
        expected = [
            len(own), (own["status"] == "success").sum(), (own["status"] == "failed").sum(),
            (decided["status"] == "success").mean(), decided["duration_seconds"].astype(float).quantile(0.5),
            decided["duration_seconds"].astype(float).quantile(0.95),
        ]  # fmt: skip
        columns = ["runs", "success", "failed", "success_rate", "p50_seconds", "p95_seconds"]
        got = [np.nan if pd.isna(row[each]) else float(row[each]) for each in columns]
        np.testing.assert_allclose(got, [float(each) for each in expected], equal_nan=True)
