"""The runs explorer, run by Streamlit itself over a real database file."""

from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from core.store.duckdb_file import open_read_only
from dashboard.reads.runs import RunSearch, export_path
from tests.dashboard.history_pages import history, opened, over_history, shown

__all__ = ["history", "over_history"]  # fixtures


def counted(database: Path, condition: str) -> str:
    with open_read_only(database) as connection:
        row = connection.execute(f"SELECT count(*) FROM runs WHERE {condition}").fetchone()
    assert row
    return f"{row[0]:,} run"


@pytest.mark.parametrize(
    ("link", "condition"),
    [
        ({"status": "failed"}, "status = 'failed'"),
        ({"status": "Only queued"}, "status = 'queued'"),
        ({"provider": "gitlab"}, "provider = 'gitlab'"),
        ({"repository": "brightloop/web", "branch": "main"}, "repository = 'brightloop/web' AND branch = 'main'"),
        ({"author": "Grace Lin"}, "commit_author = 'Grace Lin'"),
        ({"actor": "nobody at all"}, "actor = 'nobody at all'"),
        ({"fork": "yes"}, "is_fork"),
        ({"event": "schedule", "min": "30"}, "event = 'schedule' AND duration_seconds >= 1800"),
        ({"q": "Cache price"}, "commit_message ILIKE '%cache price%'"),
    ],
)
def test_a_link_filters_by_anything(over_history: Path, link: dict[str, str], condition: str) -> None:
    assert counted(over_history, condition) in shown(opened("runs", window="all", **link))


def test_a_group_of_the_link_is_counted_and_sorted(over_history: Path) -> None:
    words = shown(opened("runs", window="all", by="author", order="failed:desc"))
    assert "runs in 8 groups" in words
    assert counted(over_history, "TRUE") in words


@pytest.mark.parametrize(
    "link", [{"page": "9999"}, {"page": "-1"}, {"by": "nonsense"}, {"sort": "'; DROP TABLE jobs"}, {"min": "x"},
             {"from": "2026-13-45"}, {"day": "x"}, {"pipeline": "none"}, {"q": "'; DROP TABLE jobs; --"}],
)  # fmt: skip
def test_a_spoilt_link_still_shows_the_page(over_history: Path, link: dict[str, str]) -> None:
    opened("runs", window="all", **link)


def test_days_of_the_calendar_take_the_windows_place(over_history: Path) -> None:
    words = shown(opened("runs", **{"from": "2001-01-01", "to": "2001-01-02"}))
    assert "No runs match these filters" in words


def test_an_exports_address_carries_every_filter() -> None:
    search = RunSearch(
        "gitlab", "a/b", "main", None, ("success", "failed"), "push", "ana", "Ana", False, 60, 90,
        datetime(2026, 3, 2, tzinfo=UTC), None, "fix & go",
    )  # fmt: skip
    address = urlsplit(export_path(search, "csv", limit=5))
    assert address.path == "/export/runs.csv"
    assert parse_qs(address.query) == {
        "provider": ["gitlab"], "repository": ["a/b"], "branch": ["main"], "status": ["success", "failed"],
        "event": ["push"], "actor": ["ana"], "author": ["Ana"], "is_fork": ["false"], "min_seconds": ["60"],
        "max_seconds": ["90"], "since": ["2026-03-02T00:00:00Z"], "words": ["fix & go"], "limit": ["5"],
    }  # fmt: skip
