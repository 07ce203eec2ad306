"""A person's own SQL through the API: what is answered, what is refused, what is stopped."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.builders import job_payload, run_payload
from tests.conftest import IngestProcess, wait_for

ENDLESS = "SELECT count(*) FROM range(10000000000) AS a, range(1000) AS b WHERE a.range * b.range % 7 = 1"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IngestProcess]:
    process = IngestProcess(tmp_path_factory.mktemp("asking"), {"SQL_TIMEOUT_SECONDS": "1"}).start()
    process.send("workflow_run", run_payload(run_id=1, conclusion="failure"))
    process.send("workflow_run", run_payload(run_id=2))
    process.send("workflow_job", job_payload(run_id=2))
    yield process
    process.stop()


def ask(running: IngestProcess, query: str, **more: Any) -> httpx.Response:
    return httpx.get(f"{running.url}/api/v1/sql", params={"query": query, **more}, timeout=30)


def test_a_select_is_answered_with_names_types_and_rows(running: IngestProcess) -> None:
    answer = ask(
        running, "SELECT status, count(*) AS runs, max(begun_at) AS last FROM runs GROUP BY status ORDER BY 1;"
    ).json()
    assert [column["name"] for column in answer["columns"]] == ["status", "runs", "last"]
    assert [row[:2] for row in answer["rows"]] == [["failed", 1], ["success", 1]]
    assert answer["rows"][0][2].startswith("2026-03-02T12:00:00")
    assert not answer["is_cut"]


def test_the_order_stands_and_a_long_answer_is_cut_and_says_so(running: IngestProcess) -> None:
    answer = ask(running, "SELECT range AS n FROM range(100000) ORDER BY n DESC -- the last", limit=3).json()
    assert (answer["rows"], answer["is_cut"]) == ([[99999], [99998], [99997]], True)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT 1; SELECT 2",
        "DELETE FROM jobs",
        "WITH gone AS (DELETE FROM jobs RETURNING *) SELECT * FROM gone",
        "COPY runs TO '/tmp/x'",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM settings",
        "SELECT payload FROM deliveries",
        "SELECT * FROM (SELECT 1) AS a JOIN notifications ON TRUE",
        "SELECT * FROM query_table('settings')",
        "SELECT * FROM query('SELECT * FROM settings')",
        "SELECT * FROM quack_stop('quack:127.0.0.1:1')",
        "SELECT 1) AS asked; DROP TABLE jobs; --",
        "SELECT 1) AS a UNION ALL (SELECT value FROM settings",
        "SET threads = 1",
        "PRAGMA database_list",
        "ATTACH '/tmp/x.db'",
        "",
        "   ;",
        "nonsense",
    ],
)
def test_anything_but_one_select_over_the_data_is_refused(running: IngestProcess, query: str) -> None:
    answer = ask(running, query)
    assert answer.status_code in (400, 422), answer.text
    assert answer.json()["error"]["message"]
    assert ask(running, "SELECT count(*) FROM job_runs").json()["rows"] == [[1]]


def test_duckdbs_own_words_say_what_is_wrong_and_where(running: IngestProcess) -> None:
    message = ask(running, "SELECT statsu\nFROM runs").json()["error"]["message"]
    assert "statsu" in message
    assert "LINE 1:" in message


def test_values_that_json_has_no_word_for_arrive_as_text(running: IngestProcess) -> None:
    query = (
        "SELECT 'x'::BLOB, [1, 2], {'a': 1}, 'nan'::DOUBLE, 1.5::DECIMAL(4, 1), INTERVAL 90 SECOND, repeat('y', 9999)"
    )
    [row] = ask(running, query).json()["rows"]
    assert row[3:6] == [None, 1.5, 90.0]
    assert len(row[6]) < 2100


def test_an_endless_query_is_stopped_and_the_service_goes_on(running: IngestProcess) -> None:
    answer = ask(running, ENDLESS)
    assert answer.status_code == 400
    assert "stopped after 1 s" in answer.json()["error"]["message"]
    running.send("workflow_run", run_payload(run_id=3)).raise_for_status()
    wait_for(lambda: ask(running, "SELECT count(*) FROM runs").json()["rows"] == [[3]], "the new run")
