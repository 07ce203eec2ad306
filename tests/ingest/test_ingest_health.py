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
