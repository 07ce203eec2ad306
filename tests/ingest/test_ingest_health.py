import httpx

from tests.builders import run_payload
from tests.conftest import IngestProcess


def test_ingest_tells_how_it_is(ingest: IngestProcess) -> None:
    ingest.send("workflow_run", run_payload())
    answer = httpx.get(f"{ingest.url}/api/v1/health/ingest")
    assert answer.status_code == 200
    body = answer.json()
    assert body["repositories"] == body["rate_limit"] == []
    assert body["deliveries"]["processed"] == 1
    assert body["database"]["size_bytes"] > 0
    assert "retention" in [job["id"] for job in body["jobs"]]


def test_deliveries_that_came_again_are_counted_with_the_next_that_is_new(ingest: IngestProcess) -> None:
    answers = [ingest.send("ping", {}, delivery).json()["status"] for delivery in ("a", "a", "a", "b", "b", "c")]
    assert answers == ["ignored", "duplicate", "duplicate", "ignored", "duplicate", "ignored"]
    deliveries = httpx.get(f"{ingest.url}/api/v1/health/ingest").json()["deliveries"]
    assert (deliveries["ignored"], deliveries["duplicate"]) == (3, 3)


def test_deliveries_are_listed_by_system_and_by_page(ingest: IngestProcess) -> None:
    ingest.send("workflow_run", run_payload())
    url = f"{ingest.url}/api/v1/deliveries"
    assert len(httpx.get(url, params={"provider": "github-actions"}).json()["deliveries"]) == 1
    assert httpx.get(url, params={"provider": "gitlab"}).json()["deliveries"] == []
    assert httpx.get(url, params={"offset": 1}).json()["deliveries"] == []
