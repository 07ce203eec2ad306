from pathlib import Path
from typing import Any

import pytest

from core.queries import bound
from core.store.duckdb_file import open_owned, open_read_only
from tests.dashboard.test_pages import history, opened, over, shown  # noqa: F401 -- fixtures
from tests.dashboard.windows import last_days

PAGES = ["failures", "flaky", "regressions", "cost", "dora", "digest"]


@pytest.mark.parametrize("page", PAGES)
def test_an_insight_page_of_an_empty_database_says_what_to_do_next(over: Any, tmp_path: Path, page: str) -> None:  # noqa: F811
    open_owned(tmp_path / "health.duckdb", memory_limit="1GB", threads=1).close()
    over(tmp_path / "health.duckdb")
    test = opened(page)
    assert not test.exception
    assert "/api/v1/webhook/github-actions" in shown(test)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("repository", ["", "brightloop/web", "acme/nothing", "<b>x</b>'; DROP TABLE jobs"])
def test_an_insight_page_shows_something_whatever_the_filters(
    over: Any,  # noqa: F811
    history: Path,  # noqa: F811
    page: str,
    repository: str,
) -> None:
    over(history)
    test = opened(page, **({"repository": repository} if repository else {}), window="30d")
    assert not test.exception
    assert not test.error
    assert test.title


def test_the_flaky_page_counts_what_its_query_counts(over: Any, history: Path) -> None:  # noqa: F811
    over(history)
    test = opened("flaky", window="30d")
    with open_read_only(history) as connection:
        rows = connection.execute(bound("flaky_jobs", last_days(30) | {"limit": 1000})).fetchall()
    assert {tile.label: tile.value for tile in test.metric}["Flaky jobs"] == str(len(rows))
