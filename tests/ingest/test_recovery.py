"""What brings the service back after its disk was full. (The drills do it to a whole service under load.)"""

import resource
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from ingest.recovery import SPARE_BYTES, has_space
from tests.conftest import ROOT, wait_for

# A process that owns a database, and whose files may grow no further in the middle of a checkpoint. Started again, it
# finds its database and counts what is in it.
OWNER = """
import resource, sys, time
from pathlib import Path
import duckdb
from ingest import recovery

recovery.LOOK_SECONDS = 0.05
database = Path(sys.argv[1])
is_new = not database.exists()
connection = duckdb.connect(database)
if not is_new:
    print(connection.execute("SELECT count(*) FROM noted").fetchone()[0], "rows, started again")
    sys.exit()
connection.execute("CREATE TABLE noted AS SELECT 1 AS number")
connection.execute("CHECKPOINT")
connection.execute("INSERT INTO noted SELECT range FROM range(100_000)")
watch = recovery.Recovery(connection, database)
watch.start()
resource.setrlimit(resource.RLIMIT_FSIZE, (database.stat().st_size, resource.RLIM_INFINITY))
try:
    connection.execute("CHECKPOINT")
except duckdb.Error as error:
    print(type(error).__name__, flush=True)
time.sleep(60)
"""


def test_a_database_that_was_given_up_is_opened_anew_once_its_disk_has_space(tmp_path: Path) -> None:
    with (tmp_path / "said").open("wb") as said:
        command = [sys.executable, "-c", OWNER, str(tmp_path / "health.duckdb")]
        owner = subprocess.Popen(command, cwd=ROOT, stdout=said, stderr=said)
    try:
        wait_for(lambda: "waiting for space" in (tmp_path / "said").read_text(), "the owner to give up")
        time.sleep(0.5)  # ten more looks
        assert owner.poll() is None
        resource.prlimit(owner.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert owner.wait(30) == 0
    finally:
        owner.kill()
    text = (tmp_path / "said").read_text()
    assert text.count("waiting for space") == 1, "it is told once"
    assert text.splitlines()[-1] == "100001 rows, started again"


def test_a_sound_database_is_left_alone(tmp_path: Path) -> None:
    script = OWNER.replace("resource.setrlimit(", "(").replace("time.sleep(60)", "time.sleep(0.5); watch.stop()")
    command = [sys.executable, "-c", script, str(tmp_path / "health.duckdb")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


@pytest.mark.parametrize(("beyond", "suffices"), [(SPARE_BYTES // 2, False), (2 * SPARE_BYTES, True)])
def test_space_is_tried_and_nothing_is_left_of_the_trial(tmp_path: Path, beyond: int, suffices: bool) -> None:
    database = tmp_path / "health.duckdb"
    with duckdb.connect(database) as connection:
        connection.execute("CREATE TABLE noted AS SELECT range AS number FROM range(100_000)")
    whole = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (database.stat().st_size + beyond, whole[1]))
    try:
        assert has_space(database) is suffices
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, whole)
    assert list(tmp_path.iterdir()) == [database]


def test_a_folder_that_is_gone_has_no_space(tmp_path: Path) -> None:
    assert not has_space(tmp_path / "gone" / "health.duckdb")
