import gzip
import shutil
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from core.errors import DashboardError
from core.settings import load_settings
from core.store.duckdb_file import open_read_only
from core.store.retention import apply_retention
from ingest.simulation import company
from ingest.simulation.fill import fill
from ingest.simulation.history import SimulatedRun, simulate
from ingest.simulation.job_logs import LoggedJob, log_text
from ingest.simulation.payloads import changes_of
from tests.builders import NOON

NOW = NOON + timedelta(days=3)


@pytest.fixture(scope="module")
def history() -> list[SimulatedRun]:
    return list(simulate(NOW))


def test_the_same_seed_and_moment_give_the_same_history(history: list[SimulatedRun]) -> None:
    assert list(simulate(NOW)) == history
    assert list(simulate(NOW, seed=8)) != history


def test_nothing_lies_in_the_future_or_ends_before_it_begins(history: list[SimulatedRun]) -> None:
    assert all(run.created_at <= run.started_at <= run.finished_at <= NOW for run in history)


def test_weekends_are_quiet(history: list[SimulatedRun]) -> None:
    days = Counter(run.created_at.weekday() for run in history)
    assert max(days[5], days[6]) * 3 < min(days[day] for day in range(5))


def test_flaky_jobs_fail_and_pass_on_the_same_commit(history: list[SimulatedRun]) -> None:
    ends = defaultdict(set)
    for run in history:
        for job in run.jobs:
            ends[run.repository.name, run.sha, job.name].add(job.conclusion)
    flaky = {(name, job) for (name, _, job), seen in ends.items() if {"success", "failure"} <= seen}
    assert set(company.FLAKY_JOBS) <= flaky


def test_one_afternoon_nearly_everything_fails(history: list[SimulatedRun]) -> None:
    hours = defaultdict(list)
    for run in history:
        if run.attempt == 1 and run.conclusion:
            hours[run.created_at.replace(minute=0, second=0, microsecond=0)].append(run.conclusion != "success")
    worst = max((sum(failed) / len(failed), len(failed)) for failed in hours.values() if len(failed) >= 6)
    assert worst[0] > 0.7


def test_one_pipeline_is_slower_since_one_commit(history: list[SimulatedRun]) -> None:
    runs = [
        run
        for run in history
        if (run.repository.name, run.workflow.name) == company.SLOWED_DOWN and run.conclusion == "success"
    ]
    [slow] = {run.sha for run in history if run.message == company.SLOW_COMMIT}
    since = next(run.created_at for run in history if run.sha == slow)
    mean = {
        later: sum((run.finished_at - run.started_at).total_seconds() for run in chosen) / len(chosen)
        for later in (False, True)
        if (chosen := [run for run in runs if (run.created_at >= since + timedelta(days=1)) == later])
    }
    assert mean[True] > mean[False] * 1.4


def test_every_run_is_understood_by_the_parser_of_its_system(history: list[SimulatedRun]) -> None:
    assert all(len(changes_of(run).runs) == 1 for run in history[::20])


def _logged(run: SimulatedRun) -> list[LoggedJob]:
    changes = changes_of(run)
    return [
        LoggedJob(
            job.id, job.name, run.repository.provider, run.repository.name, run.branch, run.sha, job.conclusion,
            [step for step in changes.steps if step.job_id == row.id],
        )
        for job, row in zip(run.jobs, changes.jobs, strict=True)
        if job.conclusion in ("success", "failure", "timed_out")
    ]  # fmt: skip


def test_every_job_has_a_log_that_ends_as_its_ci_system_ends_it(history: list[SimulatedRun]) -> None:
    ends = {
        "github-actions": ("##[error]Process completed with exit code", "##[error]The job has exceeded"),
        "gitlab": ("ERROR: Job failed",),
        "jenkins": ("ERROR: script returned exit code", "Timeout has been exceeded"),
    }
    for run in history[::7]:
        for job in _logged(run):
            text = log_text(job, NOW)
            assert text == log_text(job, NOW)
            has_ended_badly = any(end in text for end in ends[job.provider])
            assert has_ended_badly == (job.conclusion != "success")


def test_one_cause_fails_jobs_of_several_pipelines_since_a_day(history: list[SimulatedRun]) -> None:
    hit = defaultdict(set)
    for run in history:
        for job in _logged(run):
            if job.conclusion == "failure" and "certificate has expired" in log_text(job, NOW):
                hit[run.repository.name].add(run.started_at)
    assert len(hit) >= 2
    assert min(min(moments) for moments in hit.values()) > NOW - timedelta(days=10)


def test_the_logs_of_failed_jobs_are_kept_with_why_they_failed(tmp_path: Path) -> None:
    settings = load_settings(database_url=f"duckdb:///{tmp_path}/demo.duckdb")
    fill(settings, days=5)
    with open_read_only(settings.database_path) as connection:
        rows = connection.execute(
            """SELECT content, excerpt FROM jobs AS j LEFT JOIN job_logs AS l ON l.job_id = j.id
            WHERE j.status = 'failed'"""
        ).fetchall()
    assert len(rows) > 10
    assert all(excerpt and gzip.decompress(content) for content, excerpt in rows)


def test_alerts_that_would_have_ended_by_themselves_have_ended(simulated_file: Path, tmp_path: Path) -> None:
    shutil.copyfile(simulated_file, tmp_path / "health.duckdb")
    with duckdb.connect(str(tmp_path / "health.duckdb")) as connection:
        ended = connection.execute("SELECT count(*) FROM alert_events WHERE kind = 'resolved'").fetchone()
        assert ended
        assert ended[0] > 0
        assert apply_retention(connection, datetime.now(UTC), delivery_days=90, run_days=0)["quiet_alerts"] == 0


def test_a_filled_database_says_that_it_is_simulated_and_is_filled_once(tmp_path: Path) -> None:
    settings = load_settings(database_url=f"duckdb:///{tmp_path}/demo.duckdb")
    attempts = fill(settings, days=5)
    with open_read_only(settings.database_path) as connection:
        assert connection.execute("SELECT count(*) FROM attempts").fetchone() == (attempts,)
        assert connection.execute("SELECT value FROM settings WHERE key = 'simulated'").fetchone() == ("true",)
        failing = connection.execute("SELECT count(*) FROM open_alerts WHERE severity = 'critical'").fetchone()
        assert failing
        assert failing[0] >= len(company.BROKEN_NOW)
    with pytest.raises(DashboardError, match="already"):
        fill(settings, days=5)
