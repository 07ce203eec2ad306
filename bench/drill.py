"""Kill -9 of the ingest service at random moments under load: whatever was acknowledged must be there afterwards, once.

`python -m bench.drill --rounds 20`. The sender then does what a CI system does: it sends everything unanswered again.
"""

import argparse
import random
import signal
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from bench.load import Load, generator, send
from bench.payloads import calls
from bench.processes import ingest_environment, launch_ingest, stop, stopped_in_the_end
from core.store.duckdb_file import open_read_only

RUNS_A_ROUND = 400
SEED = 20261125


@dataclass(frozen=True, slots=True)
class Round:
    """What one kill did: seconds under load before it, deliveries acknowledged until then, and how many are missing."""

    seconds: float
    acknowledged: int
    missing: int


@dataclass(frozen=True, slots=True)
class Drill:
    """All rounds, and what is wrong after everything was sent again: deliveries missing, and runs that aren't there once."""

    rounds: list[Round]
    missing_in_the_end: int
    wrong_runs: int

    @property
    def missing(self) -> int:
        return sum(each.missing for each in self.rounds) + self.missing_in_the_end


def drill(rounds: int) -> Drill:
    """Run the drill on a throw-away database."""
    dice = random.Random(SEED)
    done: list[Round] = []
    with tempfile.TemporaryDirectory(prefix="bench-drill-") as name, generator() as pool:
        folder = Path(name)
        for number in range(rounds):
            done.append(_round(pool, folder, 1 + number * RUNS_A_ROUND, dice.uniform(1.0, 4.0)))
            print(
                f"  round {number + 1:3}: {done[-1].acknowledged:5} acknowledged, {done[-1].missing} missing",
                flush=True,
            )
        everything = RUNS_A_ROUND * rounds
        environment = ingest_environment(folder / "health.duckdb")
        with stopped_in_the_end(launch_ingest(environment, folder)) as service:
            for number in range(rounds):
                again = Load(service.port, RUNS_A_ROUND, first_run=1 + number * RUNS_A_ROUND)
                pool.submit(send, again).result()
        wanted = {call.delivery_id for call in calls(everything, first_run=1)}
        return Drill(done, len(wanted - _kept(folder)), abs(_runs(folder) - everything))


def _round(pool: ProcessPoolExecutor, folder: Path, first_run: int, seconds: float) -> Round:
    service = launch_ingest(ingest_environment(folder / "health.duckdb"), folder)
    sending = pool.submit(send, Load(service.port, RUNS_A_ROUND, first_run=first_run))
    time.sleep(seconds)
    stop(service, signal.SIGKILL)
    acknowledged = set(sending.result().acknowledged)
    return Round(seconds, len(acknowledged), len(acknowledged - _kept(folder)))


def _kept(folder: Path) -> set[str]:
    with open_read_only(folder / "health.duckdb") as connection:
        return {row[0] for row in connection.execute("SELECT delivery_id FROM deliveries").fetchall()}


def _runs(folder: Path) -> int:
    with open_read_only(folder / "health.duckdb") as connection:
        row = connection.execute("SELECT count(*) FROM workflow_runs").fetchone()
        assert row
        return int(row[0])


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.drill", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    found = drill(parser.parse_args().rounds)
    print(
        f"Kill -9 under load: {len(found.rounds)} rounds, {sum(each.acknowledged for each in found.rounds):,} acknowledged"
    )
    print(f"  acknowledged and missing  {found.missing}")
    print(f"  runs not there once       {found.wrong_runs}")
    return 1 if found.missing or found.wrong_runs else 0


if __name__ == "__main__":
    sys.exit(main())
