"""What an operator does with a PostgreSQL installation: back it up and restore it, and upgrade it while it runs."""

import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psycopg

from tests.builders import job_payload, run_payload
from tests.conftest import IngestProcess
from tests.postgres.test_service import Start, leader_of, start
from tests.postgres_server import PostgresServer, program

__all__ = ["start"]  # a fixture


def total(process: IngestProcess) -> int:
    return int(httpx.get(f"{process.url}/api/v1/builds").json()["pagination"]["total"])


def result(process: IngestProcess, number: int) -> str:
    """Send delivery `number` and say what became of it."""
    answer = process.send("workflow_run", run_payload(run_id=number, workflow_id=number % 3), f"d{number}")
    return str(answer.json()["status"])


def test_a_dump_made_while_webhooks_arrive_is_one_state_from_which_everything_goes_on(
    start: Start, postgres_server: PostgresServer, postgres_url: str, tmp_path: Path
) -> None:
    """docs/operations.md: pg_dump, a lost database, pg_restore, and what came after the dump is sent again."""
    process = start()
    process.send("workflow_job", job_payload(run_id=1), "job")
    assert {result(process, number) for number in range(1, 40)} == {"processed"}
    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(lambda: [result(process, number) for number in range(40, 90)])
        dump = [program("pg_dump"), "--format=custom", f"--file={tmp_path}/health.dump", postgres_url]
        subprocess.run(dump, check=True)
        assert set(sending.result()) == {"processed"}
    process.stop(signal.SIGKILL)

    restored = postgres_server.database()
    subprocess.run(
        [program("pg_restore"), "--no-owner", "--exit-on-error", f"--dbname={restored}", f"{tmp_path}/health.dump"],
        check=True,
    )
    with psycopg.connect(restored) as connection:
        kept = {row[0] for row in connection.execute("SELECT delivery_id FROM deliveries").fetchall()}
        runs = connection.execute("SELECT count(*) FROM workflow_runs").fetchone()
    assert {f"d{number}" for number in range(1, 40)} | {"job"} <= kept
    assert runs == (len(kept) - 1,)  # a delivery and its run are in the dump together, or neither

    again = start(DATABASE_URL=restored)
    leader_of([again])
    for number in range(1, 90):
        assert result(again, number) == ("duplicate" if f"d{number}" in kept else "processed")
    assert total(again) == 89


def test_a_replica_of_the_old_version_works_on_while_the_schema_is_already_the_new_one(
    start: Start, postgres_url: str
) -> None:
    """Migrations only add. The statements that the old version prepared must survive it; a start of it is refused."""
    old = start()
    for number in range(1, 30):
        assert result(old, number) == "processed"
    assert total(old) == 29
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("ALTER TABLE workflow_runs ADD COLUMN of_the_next_version TEXT")
        connection.execute("CREATE INDEX of_the_next_version ON deliveries (event)")
        connection.execute("CREATE TABLE of_the_next_version_too (a INT)")
        connection.execute("INSERT INTO schema_migrations VALUES (9001, 'next', now())")
    for number in range(20, 60):
        assert result(old, number) == ("duplicate" if number < 30 else "processed")
    assert total(old) == 59
    for path in ("/api/v1/metrics/summary", "/api/v1/alerts", "/health/ready", "/metrics"):
        assert httpx.get(f"{old.url}{path}").status_code == 200, path
    late = start(command="worker")
    assert late.process
    assert late.process.wait(timeout=30) == 1
    assert "The database has schema version 9001" in late.log
