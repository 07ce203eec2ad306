"""Starting, stopping, being killed, and what an operator does around it."""

import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import duckdb
import httpx
import pytest

from core.store.duckdb_file import open_owned, open_read_only
from core.store.quack import token_of
from core.store.reader import RemoteReader
from tests.builders import run_payload
from tests.conftest import ROOT, IngestProcess, free_port, wait_for


def command(process: IngestProcess, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ingest", *arguments],
        cwd=ROOT,
        env=process.variables(),
        capture_output=True,
        text=True,
        timeout=60,
    )


def remote(process: IngestProcess) -> RemoteReader:
    return RemoteReader(
        port=process.quack_port, token=None, token_path=process.folder / "quack.token", database=process.database
    )


def failed_in_one_line(result: subprocess.CompletedProcess[str], word: str) -> bool:
    [line] = result.stderr.strip().splitlines()
    return result.returncode == 1 and word in line and line.startswith("Error: ")


def test_ctrl_c_leaves_a_clean_database(ingest: IngestProcess) -> None:
    ingest.send("workflow_run", run_payload())
    ingest.stop(signal.SIGINT)
    assert not ingest.database.with_suffix(".duckdb.wal").exists()
    with open_read_only(ingest.database) as connection:
        assert connection.execute("SELECT count(*) FROM runs").fetchone() == (1,)


def test_the_token_of_the_sql_endpoint_is_for_its_owner_only(ingest: IngestProcess) -> None:
    assert (ingest.folder / "quack.token").stat().st_mode & 0o777 == 0o600


def test_a_token_that_a_crash_of_the_machine_left_empty_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "quack.token"
    path.touch(mode=0o644)
    token = token_of(path, None)
    assert len(token) == 48
    assert token_of(path, None) == path.read_text() == token
    assert path.stat().st_mode & 0o777 == 0o600
    assert token_of(path, "configured") == "configured"


def test_a_second_service_on_the_same_file_is_refused(ingest: IngestProcess) -> None:
    second = IngestProcess(ingest.folder)
    result = subprocess.run(
        [sys.executable, "-m", "ingest", "serve"],
        cwd=ROOT,
        env=second.variables(),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert result.returncode != 0
    assert "Only one ingest service may own a database" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_taken_port_ends_the_start_with_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        process = IngestProcess(tmp_path, port=taken.getsockname()[1])
        assert failed_in_one_line(command(process, "serve"), "INGEST_PORT")


def test_a_bad_setting_ends_the_start_with_one_line(tmp_path: Path) -> None:
    assert failed_in_one_line(command(IngestProcess(tmp_path, {"INGEST_PORT": "x"}), "serve"), "INGEST_PORT")


def test_a_missing_permission_ends_the_start_with_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    process = IngestProcess(tmp_path, {"DATABASE_URL": f"duckdb:///{tmp_path}/file/health.duckdb"})
    result = command(process, "serve")
    assert result.returncode != 0
    assert "can't be made" in result.stderr
    assert "Traceback" not in result.stderr


def test_listening_to_the_world_without_a_key_is_refused(tmp_path: Path) -> None:
    process = IngestProcess(tmp_path, {"INGEST_HOST": "0.0.0.0", "API_WRITE_KEY": ""})
    assert failed_in_one_line(command(process, "serve"), "API_WRITE_KEY")


@pytest.mark.parametrize("content", [b"no database at all", b"\x00" * 9000])
def test_an_unreadable_file_is_refused_untouched(tmp_path: Path, content: bytes) -> None:
    process = IngestProcess(tmp_path)
    process.database.write_bytes(content)
    result = command(process, "serve")
    assert result.returncode != 0
    assert "Traceback" not in result.stderr
    assert process.database.read_bytes() == content


def test_a_newer_file_is_refused_untouched(tmp_path: Path) -> None:
    process = IngestProcess(tmp_path)
    connection = open_owned(process.database, memory_limit="1GB", threads=1)
    connection.execute("INSERT INTO schema_migrations VALUES (9999, 'of the future', now())")
    connection.close()
    before = process.database.read_bytes()
    result = command(process, "serve")
    assert result.returncode != 0
    assert "newer program" in result.stderr
    assert process.database.read_bytes() == before


def test_a_file_of_another_program_is_refused(tmp_path: Path) -> None:
    process = IngestProcess(tmp_path)
    other = duckdb.connect(str(process.database))
    other.execute("CREATE TABLE theirs (x INTEGER)")
    other.close()
    result = command(process, "serve")
    assert result.returncode != 0
    assert "another program" in result.stderr


def test_nothing_acknowledged_is_lost_when_it_is_killed(tmp_path: Path) -> None:
    process = IngestProcess(tmp_path).start()
    acknowledged: list[str] = []

    def load(lane: int) -> None:
        for number in range(10_000):
            name = f"{lane}-{number}"
            try:
                answer = process.send("workflow_run", run_payload(run_id=lane * 100_000 + number), name)
            except httpx.TransportError:
                return
            if answer.status_code == 200:
                acknowledged.append(name)

    lanes = [threading.Thread(target=load, args=(lane,)) for lane in range(1, 5)]
    for lane in lanes:
        lane.start()
    wait_for(lambda: len(acknowledged) > 100, "a hundred answers")
    process.stop(signal.SIGKILL)
    for lane in lanes:
        lane.join()
    process.start()
    process.stop()
    with open_read_only(process.database) as connection:
        kept = {row[0] for row in connection.execute("SELECT delivery_id FROM deliveries").fetchall()}
    assert set(acknowledged) <= kept


def test_a_reader_finds_the_service_again_after_it_restarts(ingest: IngestProcess) -> None:
    reader = remote(ingest)
    ingest.send("workflow_run", run_payload())
    assert reader.frame("freshness")["runs"].tolist() == [1]
    assert reader.source == "live"
    ingest.stop()
    assert reader.frame("freshness")["runs"].tolist() == [1]
    assert reader.source == "file"
    ingest.start()
    assert reader.frame("freshness")["runs"].tolist() == [1]
    assert reader.source == "live"


REFUSED = [
    "INSERT INTO settings VALUES ('a', 'b', now(), NULL)",
    "WITH x AS (SELECT 1) INSERT INTO settings SELECT 'a', 'b', now(), NULL",
    "DROP TABLE jobs",
    "ATTACH '/tmp/other.duckdb'",
    "COPY jobs TO '/tmp/jobs.csv'",
    "SET threads = 1",
    "PRAGMA version",
    "CHECKPOINT",
    "CALL quack_stop('quack:127.0.0.1:{port}')",
    "SELECT 1; DROP TABLE jobs",
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM quack_stop('quack:127.0.0.1:{port}')",
    "SELECT * FROM main.QUACK_STOP('quack:127.0.0.1:{port}')",
    "SELECT (SELECT count(*) FROM quack_stop('quack:127.0.0.1:{port}'))",
    'SELECT * FROM unnest([1]) AS "{{", quack_stop(\'quack:127.0.0.1:{port}\') AS "{{"',
    "SELECT * FROM query('DROP TABLE jobs')",
    "SELECT * FROM checkpoint()",
    "SELECT * FROM pandas_scan(1)",
    "SELECT sleep_ms(60000)",
]


def test_the_sql_endpoint_admits_reading_and_nothing_else(ingest: IngestProcess) -> None:
    ingest.send("workflow_run", run_payload())
    reader = remote(ingest)
    assert reader.sql("SELECT status FROM runs")["status"].tolist() == ["success"]
    assert len(reader.sql("DESCRIBE runs"))
    assert reader.sql("SELECT 'it''s \"function_name\":\"quack_stop\"' AS x").shape == (1, 1)
    for statement in REFUSED:
        with pytest.raises(duckdb.Error):
            reader.sql(statement.format(port=ingest.quack_port))
    assert reader.frame("freshness")["runs"].tolist() == [1]
    assert reader.source == "live"


def test_a_backup_is_made_while_serving_and_restores(ingest: IngestProcess) -> None:
    ingest.send("workflow_run", run_payload(run_id=1))
    target = ingest.folder / "copy.duckdb"
    assert command(ingest, "backup", str(target)).returncode == 0
    assert failed_in_one_line(command(ingest, "backup", str(target)), "exists already")
    ingest.send("workflow_run", run_payload(run_id=2))
    assert failed_in_one_line(command(ingest, "restore", str(target)), "Another process")
    ingest.stop()
    assert command(ingest, "restore", str(target)).returncode == 0
    ingest.start()
    assert httpx.get(f"{ingest.url}/api/v1/builds").json()["pagination"]["total"] == 1
    ingest.send("workflow_run", run_payload(run_id=3))
    assert httpx.get(f"{ingest.url}/api/v1/builds").json()["pagination"]["total"] == 2


def test_compact_keeps_every_row(ingest: IngestProcess) -> None:
    ingest.send("workflow_run", run_payload())
    assert failed_in_one_line(command(ingest, "compact"), "Another process")
    ingest.stop()
    assert command(ingest, "compact").returncode == 0
    ingest.start()
    assert httpx.get(f"{ingest.url}/api/v1/builds").json()["pagination"]["total"] == 1
    assert ingest.send("workflow_run", run_payload(conclusion="failure", updated=90)).status_code == 200


def test_replay_works_with_and_without_the_service(ingest: IngestProcess) -> None:
    ingest.send("workflow_run", {"action": "completed"}, "broken")
    for _ in range(2):
        result = command(ingest, "replay")
        assert "broken: failed" in result.stdout, result.stderr
        if ingest.process and ingest.process.poll() is None:
            ingest.stop()


def test_uvicorn_alone_tells_a_bad_start_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "health.duckdb").write_bytes(b"no database")
    process = IngestProcess(tmp_path)
    result = subprocess.run(
        [sys.executable, "-m", "uvicorn", "ingest.app:app", "--port", str(free_port())],
        cwd=ROOT, env=os.environ | process.variables(), capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert result.returncode != 0
    assert "can't be" in result.stderr
    assert "Traceback" not in result.stderr
