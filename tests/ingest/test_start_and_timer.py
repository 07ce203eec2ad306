"""A start that fails leaves nothing open; what runs on a timer runs, and is told; the clock may go back."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.errors import BadSetting, DashboardError
from core.settings import Settings, load_settings
from core.store.duckdb_file import open_owned
from ingest import scheduler
from ingest.scheduler import SLACK, Timer
from ingest.service import Service
from tests.conftest import wait_for
from tests.ports import free_port


def chosen(folder: Path, **more: object) -> Settings:
    return load_settings(database_url=f"duckdb:///{folder}/health.duckdb", quack_port=free_port(), **more)


def is_free(folder: Path) -> bool:
    """Whether nobody holds the database."""
    open_owned(folder / "health.duckdb", memory_limit="1GB", threads=1, wait_seconds=0).close()
    return True


def test_a_service_that_starts_and_stops_lets_go_of_everything(tmp_path: Path) -> None:
    settings = chosen(tmp_path)
    service = Service.start(settings)
    assert (service.leads, service.is_led()) == (True, True)
    service.stop_now()
    assert is_free(tmp_path)
    Service.start(settings).stop_now()


def test_a_service_without_a_scheduler_times_nothing(tmp_path: Path) -> None:
    service = Service.start(chosen(tmp_path, run_scheduler=False))
    assert (service.leads, service.timer.jobs()) == (True, [])
    service.stop_now()
    assert is_free(tmp_path)


def test_a_folder_of_backups_that_cannot_be_made_ends_the_start(tmp_path: Path) -> None:
    (tmp_path / "backups").write_text("a file stands in the way")
    with pytest.raises(DashboardError, match=r"backups can't be made: File exists"):
        Service.start(chosen(tmp_path))
    assert is_free(tmp_path)


def test_a_poller_that_is_set_up_by_half_ends_the_start(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="GITHUB_APP_PRIVATE_KEY"):
        Service.start(chosen(tmp_path, github_repositories="acme/web", github_app_id="12"))
    assert is_free(tmp_path)


def test_an_address_of_no_channel_ends_the_start_before_the_database_is_opened(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="NOTIFY_URLS"):
        Service.start(chosen(tmp_path, notify_urls="nothing://of/apprise"))
    assert not (tmp_path / "health.duckdb").exists()


@pytest.fixture
def timer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Timer]:
    """The timer of a service over an empty database, with all that it may have to do."""
    monkeypatch.setattr(scheduler, "CLOCK_SECONDS", 0.05)
    service = Service.start(chosen(tmp_path, archive_after_days=190))
    yield service.timer
    service.stop_now()


def test_every_timed_job_runs_and_says_when(timer: Timer) -> None:
    begun = datetime.now(UTC)
    names = {job.id for job in timer.jobs()}
    assert names == {"retention", "archive", "failure lines", "digest", "duration changes", "alerts", "SQL endpoint"}
    for job in timer._scheduler.get_jobs():
        job.modify(next_run_time=datetime.now(UTC))
    wait_for(lambda: all(job.last_run_at for job in timer.jobs()), "every job to run once")
    for told in timer.jobs():
        assert told.last_error is None, told
        assert told.last_run_at
        assert told.last_run_at >= begun
        assert told.next_run_at
        assert told.next_run_at > told.last_run_at


def test_a_job_that_fails_says_why_and_comes_again(timer: Timer) -> None:
    def broken() -> None:
        raise RuntimeError("the disk is full")

    timer._scheduler.add_job(broken, "interval", hours=1, next_run_time=datetime.now(UTC), id="broken")

    def errors() -> list[str | None]:
        return [job.last_error for job in timer.jobs() if job.id == "broken"]

    wait_for(lambda: errors() == ["RuntimeError: the disk is full"], "the error")


def test_a_clock_that_was_set_back_keeps_no_job_waiting_for_a_year(timer: Timer) -> None:
    [job] = [job for job in timer._scheduler.get_jobs() if job.id == "retention"]
    job.modify(next_run_time=datetime.now(UTC) + timedelta(days=365))

    def due() -> datetime:
        return timer._scheduler.get_job("retention").next_run_time

    wait_for(lambda: due() <= datetime.now(UTC) + timedelta(hours=1) + SLACK, "the job to come sooner")


def test_a_timer_may_be_stopped_and_started_again(timer: Timer) -> None:
    timer.stop()
    assert timer.jobs() == []
    timer.start()
    assert len(timer.jobs()) == 7
