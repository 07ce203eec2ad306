"""Insights as JSON, over a real process that serves the simulated history."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.queries import bound
from core.settings import load_settings
from core.store.duckdb_file import open_read_only
from ingest.simulation import company
from ingest.simulation.fill import fill
from tests.conftest import WRITE_KEY, IngestProcess
from tests.dashboard.windows import last_days

ADMIN = {"X-API-KEY": WRITE_KEY}


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("insights_api")
    fill(load_settings(database_url=f"duckdb:///{folder}/health.duckdb"), days=20)
    return folder


@pytest.fixture(scope="module")
def counted(history: Path) -> dict[str, Any]:
    """What the queries say of the whole history, before the service owns it."""
    with open_read_only(history / "health.duckdb") as connection:
        return {
            "flaky": connection.execute(bound("flaky_jobs", last_days(100) | {"limit": 500})).fetchall(),
            "seconds": connection.execute(
                """SELECT sum(j.duration_seconds) FROM jobs AS j JOIN workflow_runs AS r ON r.id = j.attempt_id
                WHERE r.run_attempt = 1 OR j.started_at >= r.started_at"""
            ).fetchone(),
        }


@pytest.fixture(scope="module")
def running(history: Path, counted: dict[str, Any]) -> Iterator[IngestProcess]:
    process = IngestProcess(history).start()
    yield process
    process.stop()


def get(running: IngestProcess, path: str, **parameters: Any) -> Any:
    answer = httpx.get(f"{running.url}/api/v1/insights/{path}", params=parameters, timeout=60)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_flaky_jobs_are_those_of_the_query(running: IngestProcess, counted: dict[str, Any]) -> None:
    jobs = get(running, "flaky", days=100, limit=500)["jobs"]
    assert [(job["pipeline_id"], job["job"]) for job in jobs] == [(row[2], row[4]) for row in counted["flaky"]]


def test_the_cost_adds_up_to_all_machine_time(running: IngestProcess, counted: dict[str, Any]) -> None:
    found = get(running, "cost", days=100, limit=500)
    assert found["seconds"] == counted["seconds"][0] == sum(job["seconds"] for job in found["jobs"])
    assert found["cost"] == pytest.approx(sum(job["cost"] for job in found["jobs"]))


def test_an_admin_sets_prices_and_the_cost_follows(running: IngestProcess) -> None:
    prices = {"currency": "EUR", "source": "", "rules": [{"match": "*", "per_minute": 1.0, "provider": None}]}
    address = f"{running.url}/api/v1/insights/prices"
    assert httpx.put(address, json=prices).status_code == 401
    before = get(running, "prices")
    answer = httpx.put(address, json=prices, headers=ADMIN)
    assert (answer.status_code, answer.json()) == (200, prices)
    found = get(running, "cost", days=100)
    assert (found["currency"], found["cost"]) == ("EUR", found["minutes"])
    assert httpx.put(address, json=before, headers=ADMIN).json() == before


@pytest.mark.parametrize(
    "body",
    [{}, {"rules": [{"match": "", "per_minute": 1}]}, {"rules": [{"match": "x", "per_minute": -1}]}, {"rulez": []}, []],
)
def test_a_price_table_that_is_none_is_refused_or_empty(running: IngestProcess, body: Any) -> None:
    answer = httpx.put(f"{running.url}/api/v1/insights/prices", json=body, headers=ADMIN)
    assert answer.status_code == (200 if body == {} else 422)


def test_an_admin_marks_deployments_and_the_metrics_follow(running: IngestProcess) -> None:
    address = f"{running.url}/api/v1/insights/deployments"
    found = get(running, "dora", days=100)
    assert found["total"]["deployments"] == sum(row["deployments"] for row in found["repositories"]) > 0
    nothing = {"workflows": [], "events": [], "jobs": []}
    assert httpx.put(address, json=nothing).status_code == 401
    assert httpx.put(address, json=nothing, headers=ADMIN).json() == nothing
    assert get(running, "dora", days=100)["total"]["deployments"] == 0
    assert httpx.put(address, json={"jobs": ["deploy production"]}, headers=ADMIN).status_code == 200
    assert 0 < get(running, "dora", days=100)["total"]["deployments"] < found["total"]["deployments"]
    assert httpx.put(address, json=found["marks"], headers=ADMIN).json() == found["marks"]


def test_failures_are_grouped_by_what_their_logs_say(running: IngestProcess) -> None:
    found = get(running, "failures", days=100)["clusters"]
    assert [cluster["runs"] for cluster in found] == sorted((cluster["runs"] for cluster in found), reverse=True)
    assert found[0]["pipelines"] > 1
    assert all(cluster["first_at"] <= cluster["last_at"] and cluster["first_attempt"] for cluster in found)


def test_changes_of_durations_are_told_with_their_commit(running: IngestProcess) -> None:
    found = get(running, "regressions", days=100, slower=True)["changes"]
    assert {(row["repository"], row["pipeline"]) for row in found} >= {company.SLOWED_DOWN}
    assert all(row["ratio"] > 1 and row["head_sha"] for row in found)


@pytest.mark.parametrize("path", ["flaky", "cost", "dora", "failures", "regressions"])
@pytest.mark.parametrize("query", ["days=0", "days=366", "limit=501", "dayz=3", "days=x"])
def test_a_wrong_parameter_is_refused(running: IngestProcess, path: str, query: str) -> None:
    answer = httpx.get(f"{running.url}/api/v1/insights/{path}?{query}")
    assert answer.status_code == 422
    assert answer.json()["error"]["message"]
