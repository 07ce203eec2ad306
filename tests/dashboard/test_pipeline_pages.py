"""The table of pipelines and the page of one, run by Streamlit itself over a real database file."""

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from core.store.duckdb_file import open_owned, open_read_only
from dashboard.parts import job_grid, pipeline_charts, pipeline_rows
from dashboard.parts.metric_table import Sort, address
from tests.dashboard.history_pages import history, opened, over_history, shown

__all__ = ["history", "over_history"]  # fixtures
UTC_ZONE = ZoneInfo("UTC")
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_the_table_counts_and_narrows_by_state_name_and_repository(over_history: Path) -> None:
    everything = opened("pipelines")
    assert "26 pipelines" in shown(everything)
    assert "4 pipelines" in shown(opened("pipelines", repository="brightloop/web"))
    with open_read_only(over_history) as connection:
        runs = connection.execute("SELECT * FROM runs WHERE on_default_branch AND status IN ('success', 'failed')").df()
    newest = runs.sort_values("finished_at").groupby("pipeline_id")["status"].last()
    assert f"{(newest == 'failed').sum()} pipelines" in shown(opened("pipelines", state="failed"))
    assert "1 pipeline" in shown(opened("pipelines", q="web nightly"))


@pytest.mark.parametrize("sort", ["p95_seconds:asc", "pipeline:desc", "nonsense", "'; DROP TABLE runs:asc"])
def test_the_sort_of_a_link_is_followed_or_ignored(over_history: Path, sort: str) -> None:
    assert "26 pipelines" in shown(opened("pipelines", sort=sort))


def test_an_empty_database_says_what_to_do_next(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    open_owned(tmp_path / "health.duckdb", memory_limit="1GB", threads=1).close()
    assert "/api/v1/webhook/github-actions" in shown(opened("pipelines"))


def test_a_pipelines_page_shows_its_numbers_jobs_steps_and_branches(over_history: Path) -> None:
    with open_read_only(over_history) as connection:
        runs = connection.execute("SELECT * FROM runs WHERE repository = 'brightloop/web' AND pipeline = 'CI'").df()
    test = opened("pipeline", id=str(runs["pipeline_id"].iloc[0]), window="30d")
    decided = runs[runs["status"].isin(["success", "failed"])]
    tiles = {tile.label: tile.value for tile in test.metric}
    assert tiles["Success rate"] == f"{(decided['status'] == 'success').mean() * 100:.1f}%"
    assert "Critical path" in shown(test)
    assert "Jobs of the newest 40 attempts" in shown(test)


@pytest.mark.parametrize("pipeline_id", ["", "nonsense", "'; DROP TABLE jobs; --"])
def test_the_page_of_an_unknown_pipeline_leads_back(over_history: Path, pipeline_id: str) -> None:
    assert "There is no such pipeline" in shown(opened("pipeline", id=pipeline_id))


def test_a_sort_names_a_sortable_column_and_a_direction() -> None:
    columns = pipeline_rows.COLUMNS
    assert Sort.of("runs:asc", columns) == Sort("runs", descending=False)
    assert Sort.of("last:asc", columns) is None
    assert Sort.of("runs:up", columns) is None


def test_an_address_carries_any_text_unharmed() -> None:
    assert address("runs", branch="a&b=c d/é", window=None) == "runs?branch=a%26b%3Dc+d%2F%C3%A9"


def test_changes_are_judged_by_what_is_good() -> None:
    assert pipeline_rows.points_change(0.9, 0.8)["tone"] == "good"
    assert pipeline_rows.points_change(0.9, 0.8, good_when_more=False)["tone"] == "bad"
    assert pipeline_rows.time_change(700.0, 500.0)["tone"] == "bad"
    assert pipeline_rows.time_change(504.0, 500.0)["tone"] == ""
    assert pipeline_rows.time_change(None, 500.0) == {}


def grid_row(attempt: str, job: str, status: str) -> dict[str, object]:
    return {
        "attempt_id": attempt, "id": attempt, "run_number": 1, "run_attempt": 1, "status": status, "branch": "main",
        "head_sha": "a", "begun_at": NOW, "job": job, "job_status": status, "job_seconds": 5.0, "job_started_at": NOW,
    }  # fmt: skip


def test_the_grid_puts_what_fails_most_on_top_and_leaves_gaps_where_a_job_did_not_run() -> None:
    rows = [
        grid_row("b", "<b>lint</b>", "success"), grid_row("b", "test", "failed"),
        grid_row("a", "<b>lint</b>", "success"),
    ]  # fmt: skip
    shown_grid = job_grid.cells(pd.DataFrame(rows), UTC_ZONE)
    assert [job["name"] for job in shown_grid["jobs"]] == ["test", "<b>lint</b>"]
    assert [bool(cell) for cell in shown_grid["jobs"][0]["cells"]] == [True, False]


def test_the_names_of_jobs_reach_the_chart_as_text() -> None:
    jobs = pd.DataFrame(
        [{"id": "j", "name": "<a href='x'>evil</a>", "status": "success", "created_at": NOW, "started_at": NOW,
          "finished_at": NOW + pd.Timedelta(seconds=60)}]
    )  # fmt: skip
    figure = pipeline_charts.gantt_figure(jobs, ["j"], NOW)
    assert figure["layout"]["yaxis"]["ticktext"] == ["&lt;a href='x'&gt;evil&lt;/a&gt;"]
