"""The whole OpenAPI page tried by Schemathesis against a real service: no server error, no answer against its schema.

`SCHEMATHESIS_EXAMPLES` sets how many cases each operation gets (20).
"""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import CHECKS, load_all_checks

from core.access import Role, sign
from ingest.app import api
from tests.builders import job_payload, run_payload
from tests.conftest import WRITE_KEY, IngestProcess

EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "20"))
JWT_SECRET = "a-token-secret-of-the-tests-0123456789"
load_all_checks()
# What JSON Schema can't say (a time in the past, a channel that isn't configured) is refused all the same.
LEFT_OUT = CHECKS.get_by_names(["positive_data_acceptance"])
# This path also fits the pattern of `GET /alerts/{alert_id}`, which answers 404: `Allow` names GET, and rightly so.
TWO_MEANINGS = {"/api/v1/alerts/acknowledge": CHECKS.get_by_names(["allow_header_conformance"])}
# In a query string an object in a text's place is written as text, which is then good: only bodies can tell them apart.
OF_QUERIES = CHECKS.get_by_names(["negative_data_rejection"])

schema = schemathesis.openapi.from_dict(api.openapi())


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IngestProcess]:
    environment = {"JWT_SECRET": JWT_SECRET, "USER_RATE_LIMIT_PER_MINUTE": "1000000", "GITHUB_WEBHOOK_SECRET": ""}
    process = IngestProcess(tmp_path_factory.mktemp("openapi"), environment).start()
    key = {"X-API-KEY": WRITE_KEY}
    for number in range(1, 6):
        process.send(
            "workflow_run", run_payload(run_id=number, conclusion="failure" if number % 2 else "success"), **key
        )
        process.send("workflow_job", job_payload(job_id=number, run_id=number, conclusion="failure"), **key)
    yield process
    process.stop()


@pytest.fixture(scope="module")
def token() -> str:
    return sign(JWT_SECRET, "root", Role.ADMIN, timedelta(hours=1), datetime.now(UTC))


@schema.parametrize()
@settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much, HealthCheck.too_slow],
)  # fmt: skip
def test_the_service_keeps_to_its_openapi_page(case: schemathesis.Case, running: IngestProcess, token: str) -> None:
    if case.headers:
        case.headers.pop("X-API-KEY", None)  # a made-up key would hide everything behind it
    headers = {"Authorization": f"Bearer {token}"}
    left_out = LEFT_OUT + TWO_MEANINGS.get(case.path, []) + (OF_QUERIES if case.method == "GET" else [])
    case.call_and_validate(base_url=running.url, headers=headers, excluded_checks=left_out)
