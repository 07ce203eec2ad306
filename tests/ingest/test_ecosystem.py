"""What other programs read: exports, metrics, build lights, badges; and what an operator changes while it runs."""

import csv
import io
import re
from collections.abc import Iterator
from xml.etree import ElementTree

import httpx
import pyarrow.parquet as pq
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.builders import run_payload
from tests.conftest import ROOT, WRITE_KEY, IngestProcess

HOSTILE = "=cmd|' /C calc'!A0 <script>alert(1)</script> \x00 \x1b[31m ]]> &lol;"
KEPT = HOSTILE.replace("\0", "\N{REPLACEMENT CHARACTER}")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IngestProcess]:
    process = IngestProcess(tmp_path_factory.mktemp("ecosystem")).start()
    overrides = {"head_commit": {"message": HOSTILE}, "workflow": "<script>alert(1)</script>\x00&"}
    first = process.send("workflow_run", run_payload(run_id=1, conclusion="failure", **overrides))  # type: ignore[arg-type]
    second = process.send("workflow_run", run_payload(run_id=2, branch="other", workflow_id=600))
    assert (first.json(), second.json()) == ({"status": "processed"}, {"status": "processed"})
    yield process
    process.stop()


def test_the_csv_export_is_safe_in_a_spreadsheet(running: IngestProcess) -> None:
    answer = httpx.get(f"{running.url}/api/v1/export/runs.csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert {row["id"] for row in rows} == {"gh-10-1", "gh-10-2"}
    assert next(row for row in rows if row["id"] == "gh-10-1")["message"] == "'" + KEPT
    filtered = httpx.get(f"{running.url}/api/v1/export/runs.csv", params={"branch": "other"}).text
    assert [row["id"] for row in csv.DictReader(io.StringIO(filtered))] == ["gh-10-2"]


def test_the_parquet_export_holds_the_rows_as_they_are(running: IngestProcess) -> None:
    content = httpx.get(f"{running.url}/api/v1/export/runs.parquet").content
    rows = pq.read_table(io.BytesIO(content)).to_pylist()
    assert {row["id"]: row["commit_message"] for row in rows}["gh-10-1"] == KEPT
    nothing = httpx.get(f"{running.url}/api/v1/export/runs.parquet", params={"branch": "none"}).content
    assert pq.read_table(io.BytesIO(nothing)).num_rows == 0


def test_prometheus_understands_the_metrics(running: IngestProcess) -> None:
    families = {
        family.name: family for family in text_string_to_metric_families(httpx.get(f"{running.url}/metrics").text)
    }
    assert families["cicd_pipelines"].samples[0].value == 2
    assert families["cicd_alerts_active"].samples
    assert families["cicd_http_requests"].samples
    assert all(name.startswith("cicd_") and family.documentation for name, family in families.items())


# https://prometheus.io/docs/practices/naming/ and what `promtool check metrics` asks for
ABBREVIATED = ("_ms", "_sec", "_secs", "_min", "_kb", "_mb", "_pct", "_percent", "_milliseconds", "_minutes")


def test_metrics_keep_to_the_naming_rules_and_are_all_documented(running: IngestProcess) -> None:
    families = list(text_string_to_metric_families(httpx.get(f"{running.url}/metrics").text))
    for family in families:
        assert re.fullmatch(r"cicd_[a-z0-9_]+", family.name), family.name
        assert not family.name.endswith(ABBREVIATED), family.name
        assert (family.type == "counter") == any(sample.name.endswith("_total") for sample in family.samples)
        assert family.documentation.endswith(".")
        assert not {
            label for sample in family.samples for label in sample.labels if "__" in label or label != label.lower()
        }
    documented = set(re.findall(r"^\| `(cicd_\w+)`", (ROOT / "docs" / "api.md").read_text(), re.MULTILINE))
    assert documented == {family.name + ("_total" if family.type == "counter" else "") for family in families}


def test_build_lights_and_badges_carry_no_markup_of_others(running: IngestProcess) -> None:
    lights = ElementTree.fromstring(httpx.get(f"{running.url}/cctray.xml").content)
    [failed] = [light.attrib for light in lights if light.attrib["lastBuildStatus"] == "Failure"]
    assert failed["name"].endswith("<script>alert(1)</script>\ufffd&")
    assert failed["activity"] == "Sleeping"
    builds = httpx.get(f"{running.url}/api/v1/builds").json()["builds"]
    pipeline = next(build["pipeline_id"] for build in builds if build["status"] == "failed")
    badge = httpx.get(f"{running.url}/badge/{pipeline}.svg")
    assert badge.headers["Content-Type"].startswith("image/svg+xml")
    assert "failing" in badge.text
    assert not [node for node in ElementTree.fromstring(badge.text).iter() if "script" in node.tag]
    assert httpx.get(f"{running.url}/badge/none.svg").status_code == 404


def test_an_export_knows_the_filters_of_the_runs_explorer(running: IngestProcess) -> None:
    address = f"{running.url}/api/v1/export/runs.csv"

    def rows(**query: object) -> int:
        text = httpx.get(address, params=query).raise_for_status().text  # type: ignore[arg-type]
        return len(list(csv.DictReader(io.StringIO(text))))

    everything = rows()
    assert everything > 1
    assert rows(limit=1) == 1
    assert rows(status=["success", "failed"]) == rows(status="success") + rows(status="failed")
    assert rows(words="no run says this") == rows(is_fork=True, min_seconds=10**9) == 0
    assert httpx.get(address, params={"limit": 0}).status_code == 422
    assert httpx.get(address, params={"wrds": "x"}).status_code == 422


def test_an_unknown_parameter_is_refused_with_those_that_are_known(running: IngestProcess) -> None:
    answer = httpx.get(f"{running.url}/api/v1/builds", params={"brnch": "main"})
    assert answer.status_code == 422
    assert answer.json()["error"]["details"]["unknown"] == ["brnch"]
    assert "branch" in answer.json()["error"]["details"]["known"]


def test_an_answer_that_the_caller_has_is_not_sent_again(running: IngestProcess) -> None:
    first = httpx.get(f"{running.url}/api/v1/builds")
    assert first.headers["Last-Modified"].endswith("GMT")
    again = httpx.get(f"{running.url}/api/v1/builds", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    running.send("workflow_run", run_payload(run_id=3))
    assert httpx.get(f"{running.url}/api/v1/builds", headers={"If-None-Match": first.headers["ETag"]}).is_success


def test_the_write_key_is_changed_without_a_restart_and_kept_as_a_hash(ingest: IngestProcess) -> None:
    address, new = f"{ingest.url}/api/v1/settings", "another-write-key-of-the-tests"

    def put(key: str, body: dict[str, object]) -> int:
        return httpx.put(address, json=body, headers={"X-API-KEY": key}).status_code

    assert put("a-wrong-key-of-the-tests", {}) == 401
    assert put(WRITE_KEY, {"api_write_key": new, "previous_key_valid_hours": 1}) == 200
    assert (put(WRITE_KEY, {}), put(new, {})) == (200, 200)
    assert put(new, {"api_write_key": "a-third-write-key-of-the-tests"}) == 200
    assert (put(WRITE_KEY, {}), put(new, {}), put("a-third-write-key-of-the-tests", {})) == (401, 401, 200)
    shown = httpx.get(address).text
    assert "-write-key-of-the-tests" not in shown
    ingest.stop()
    assert b"third-write-key" not in ingest.database.read_bytes()
    ingest.start()
    assert put("a-third-write-key-of-the-tests", {"roles": {"ana@example.org": "admin"}}) == 200
    assert httpx.get(address).json()["roles"] == {"ana@example.org": "admin"}


def test_seeding_fills_an_empty_service_once(ingest: IngestProcess) -> None:
    address = f"{ingest.url}/api/v1/seed"
    assert httpx.post(address).status_code == 401
    assert httpx.post(address, headers={"X-Seed-Key": "wrong"}).status_code == 401
    first = httpx.post(address, headers={"X-Seed-Key": WRITE_KEY}, timeout=120).json()
    assert first["status"] == "seeded"
    assert first["count"] > 100
    assert httpx.post(address, headers={"X-Seed-Key": WRITE_KEY}, timeout=120).json() == first


def test_seeding_does_not_touch_real_runs(running: IngestProcess) -> None:
    assert httpx.post(f"{running.url}/api/v1/seed", headers={"X-Seed-Key": WRITE_KEY}).status_code == 409
