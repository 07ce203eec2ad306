"""The real service on PostgreSQL: several processes on one database, and what happens when one is killed."""

import signal
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest

from core.logs.keep import KeptLog
from core.logs.opened import OpenLog
from tests.black_hole import black_hole
from tests.builders import NOON, job_payload, run_payload
from tests.conftest import WRITE_KEY, IngestProcess, wait_for
from tests.postgres_server import PostgresServer
from tests.sinks import Sink, sink

__all__ = ["sink"]  # a fixture

Start = Callable[..., IngestProcess]


@pytest.fixture
def start(tmp_path: Path, postgres_url: str) -> Iterator[Start]:
    """Starts processes on one database; `start(command="worker")`, `start(RUN_SCHEDULER="false")`."""
    started: list[IngestProcess] = []

    def launch(command: str = "serve", **environment: str) -> IngestProcess:
        folder = tmp_path / f"process-{len(started)}"
        folder.mkdir()
        process = IngestProcess(folder, {"DATABASE_URL": postgres_url, **environment}, command=command)
        started.append(process)
        if command == "serve":
            return process.start()
        process.launch()
        return process

    yield launch
    for process in started:
        process.end()


def leads(process: IngestProcess) -> bool:
    return bool(httpx.get(f"{process.url}/api/v1/health/ingest").json()["leads"])


def alerts(process: IngestProcess) -> list[str]:
    return [alert["message"] for alert in httpx.get(f"{process.url}/api/v1/alerts").json()["alerts"]]


def test_what_one_replica_stores_the_others_show_and_one_alert_comes_of_it(start: Start) -> None:
    first, second = start(), start()
    wait_for(lambda: leads(first) or leads(second), "one of them to lead")
    follower = second if leads(first) else first
    assert not leads(follower)
    payload = run_payload(conclusion="failure")
    assert follower.send("workflow_run", payload, "one").json() == {"status": "processed"}
    for process in (first, second):
        assert process.send("workflow_run", payload, "one").json() == {"status": "duplicate"}
        assert httpx.get(f"{process.url}/api/v1/builds").json()["pagination"]["total"] == 1
        wait_for(lambda process=process: alerts(process), "the alert")
        assert len(alerts(process)) == 1


def leader_of(processes: list[IngestProcess]) -> IngestProcess:
    """The one that leads, once one does."""
    wait_for(lambda: any(map(leads, processes)), "one to lead", seconds=30)
    leading = [process for process in processes if leads(process)]
    assert len(leading) == 1
    return leading[0]


def test_the_leader_is_killed_and_another_process_takes_over(start: Start) -> None:
    running = [start(), start(), start()]
    for number in (1, 2):
        leader = leader_of(running)
        leader.stop(signal.SIGKILL)
        running.remove(leader)
        new = leader_of(running)
        payload = run_payload(run_id=number, workflow_id=number, conclusion="failure")
        running[-1].send("workflow_run", payload, f"delivery {number}")
        wait_for(lambda new=new, number=number: len(alerts(new)) == number, "the alert of the new leader")


def test_a_worker_does_the_work_of_replicas_that_may_not_lead(start: Start) -> None:
    replica = start(RUN_SCHEDULER="false")
    ago = (datetime.now(UTC) - NOON).total_seconds() - 600
    replica.send("workflow_run", run_payload(conclusion="failure", begun=ago, updated=ago + 60))
    worker = start(command="worker")
    wait_for(lambda: alerts(replica), "the worker to evaluate")
    assert not leads(replica)
    assert "\ncicd_leader 1.0\n" in httpx.get(f"{replica.url}/metrics").text
    assert worker.stop(signal.SIGTERM) == 0
    assert "\ncicd_leader 0.0\n" in httpx.get(f"{replica.url}/metrics").text


def test_a_leader_that_hangs_is_replaced_and_sends_nothing_when_it_goes_on(start: Start, sink: Sink) -> None:
    """Stopped, its machine still answers for it: only the server's timeout frees the lock."""
    told = {"SLACK_WEBHOOK_URL": sink.url, "ALERT_GROUP_SECONDS": "0"}
    running = [start(**told), start(**told)]
    leader = leader_of(running)
    assert leader.process
    [other] = [process for process in running if process is not leader]
    leader.process.send_signal(signal.SIGSTOP)
    try:
        wait_for(lambda: leads(other), "the other one to lead", seconds=30)
        other.send("workflow_run", run_payload(conclusion="failure"))
        wait_for(lambda: len(sink.calls) == 1, "the message of the new leader")
    finally:
        leader.process.send_signal(signal.SIGCONT)
    wait_for(lambda: not leads(leader), "the old one to know")
    leader.send("workflow_run", run_payload(run_id=2, workflow_id=2, conclusion="failure"), "second")
    wait_for(lambda: len(sink.calls) == 2, "the second message")
    assert leads(other)
    assert len({call["attachments"][0]["footer"] for call in sink.calls}) == len(sink.calls) == 2


def test_a_leader_whose_network_swallows_everything_is_replaced_and_sends_nothing(
    start: Start, sink: Sink, postgres_url: str
) -> None:
    """No connection breaks, nothing is refused: what is sent just never arrives."""
    told = {"SLACK_WEBHOOK_URL": sink.url, "ALERT_GROUP_SECONDS": "0"}
    address = urlsplit(postgres_url)
    assert address.hostname
    assert address.port
    with black_hole(address.hostname, address.port) as hole:
        cut_off = start(**told, DATABASE_URL=postgres_url.replace(f":{address.port}/", f":{hole.port}/"))
        wait_for(lambda: leads(cut_off), "it to lead")
        other = start(**told)
        hole.is_open.clear()
        wait_for(lambda: leads(other), "the other one to lead", seconds=30)
        other.send("workflow_run", run_payload(conclusion="failure"))
        wait_for(lambda: len(sink.calls) == 1, "the message of the new leader")
        hole.is_open.set()
        wait_for(lambda: not leads(cut_off), "the old one to know", seconds=30)
        second = run_payload(run_id=2, workflow_id=2, conclusion="failure")
        assert cut_off.send("workflow_run", second, "second").json() == {"status": "processed"}
        wait_for(lambda: len(sink.calls) == 2, "the second message")
        assert leads(other)
        cut_off.stop(signal.SIGKILL)


def test_a_worker_on_a_duckdb_file_says_what_it_needs(start: Start, tmp_path: Path) -> None:
    worker = start(command="worker", DATABASE_URL=f"duckdb:///{tmp_path}/health.duckdb")
    assert worker.process
    assert worker.process.wait(timeout=30) == 1
    assert "Error: A worker needs a database that several processes share." in worker.log


def test_a_server_that_restarts_loses_nothing_that_was_accepted(start: Start, tmp_path: Path) -> None:
    server = PostgresServer(settings=()).start()
    try:
        replica = start(DATABASE_URL=server.database().replace("postgresql", "postgresql+asyncpg"))
        assert replica.send("workflow_run", run_payload(run_id=1), "before").status_code == 200
        server.halt()
        assert httpx.get(f"{replica.url}/health/ready", timeout=30).status_code == 503
        server.launch()
        assert replica.send("workflow_run", run_payload(run_id=2), "after").json() == {"status": "processed"}
        wait_for(lambda: httpx.get(f"{replica.url}/health/ready").status_code == 200, "it to be ready again")
        assert httpx.get(f"{replica.url}/api/v1/builds").json()["pagination"]["total"] == 2
        wait_for(lambda: leads(replica), "it to lead again")
    finally:
        server.stop()


def test_a_backup_of_postgres_is_left_to_its_own_tools(start: Start) -> None:
    answer = httpx.post(f"{start().url}/api/v1/backup", headers={"X-API-KEY": WRITE_KEY})
    assert answer.status_code == 400
    assert "pg_dump" in answer.text


def test_an_unreachable_server_ends_the_start_with_a_sentence_without_the_password(start: Start) -> None:
    process = start(command="worker", DATABASE_URL="postgresql://ana:very-secret@127.0.0.1:9/health")
    assert process.process
    assert process.process.wait(timeout=30) == 1
    assert "Error: The database at postgresql://127.0.0.1:9/health refused:" in process.log
    assert "very-secret" not in process.log


def test_a_database_of_another_program_is_left_alone(start: Start, postgres_url: str) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE theirs (a int)")
        process = start(command="worker")
        assert process.process
        assert process.process.wait(timeout=30) == 1
        assert "The database holds tables of another program." in process.log
        row = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
        assert row == (1,)


def test_replicas_add_up_the_deliveries_that_came_again(start: Start) -> None:
    first, second = start(), start()
    for process, deliveries in ((first, "aab"), (second, "bbc"), (first, "cd")):
        for delivery in deliveries:
            process.send("ping", {}, delivery)
    for process in (first, second):
        deliveries = httpx.get(f"{process.url}/api/v1/health/ingest").json()["deliveries"]
        assert (deliveries["ignored"], deliveries["duplicate"]) == (4, 4)


def test_a_question_in_sql_is_answered_and_one_for_secrets_is_not(start: Start) -> None:
    process = start()
    process.send("workflow_run", run_payload(conclusion="failure"))
    url = f"{process.url}/api/v1/sql"
    answer = httpx.get(url, params={"query": "SELECT status, dayname(begun_at) AS day FROM runs"}).json()
    assert answer["columns"] == [{"name": "status", "type": "VARCHAR"}, {"name": "day", "type": "VARCHAR"}]
    assert answer["rows"] == [["failed", "Monday"]]
    assert httpx.get(url, params={"query": "SELECT * FROM settings"}).status_code == 400


def test_the_log_of_a_job_comes_packed_as_it_is_kept(start: Start, postgres_url: str) -> None:
    process = start()
    process.send("workflow_job", job_payload(conclusion="failure"))
    process.send("workflow_run", run_payload(conclusion="failure"))
    [build] = httpx.get(f"{process.url}/api/v1/builds").json()["builds"]
    kept = KeptLog(100_000)
    kept.feed(b"make\nsrc/a.c:1:2: error: no\n")
    with psycopg.connect(postgres_url) as connection:
        [(job, attempt)] = connection.execute("SELECT id, attempt_id FROM jobs").fetchall()
        connection.execute(
            """INSERT INTO job_logs
                (job_id, attempt_id, fetched_at, status, size_bytes, is_cut, content, first_error_line)
            VALUES (%s, %s, now(), 'kept', 28, FALSE, %s, 2)""",
            [job, attempt, kept.packed()],
        )
    url = f"{process.url}/api/v1/builds/{build['id']}/logs"
    assert httpx.get(url).text == "make\nsrc/a.c:1:2: error: no\n"
    answer = httpx.get(url, params={"format": "gzip"})
    assert OpenLog(answer.content).lines(2, 1) == ["src/a.c:1:2: error: no"]
    assert answer.headers["X-Log-First-Error"] == "2"
