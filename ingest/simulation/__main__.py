"""`python -m ingest.simulation`: what `make demo` runs. A throw-away database, filled, served, and kept busy."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from core.errors import DashboardError
from core.settings import load_settings
from ingest.simulation.fill import fill

DAYS = 60


def main() -> int:
    """Fill a database in a temporary folder and run everything on it until Ctrl-C; the folder goes with it.

    A closed terminal or a SIGTERM ends it in the same way.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(0))
    with tempfile.TemporaryDirectory(prefix="cicd-health-demo-") as folder:
        database = f"duckdb:///{folder}/demo.duckdb"
        try:
            attempts = fill(load_settings(database_url=database), days=DAYS)
        except DashboardError as error:
            print(f"Error: {error}", file=sys.stderr)
            return 1
        print(f"A simulated company: {attempts:,} runs of the last {DAYS} days. Ctrl-C ends the demo and forgets it.")
        honcho = Path(sys.executable).with_name("honcho")
        process = subprocess.Popen(  # noqa: S603 - our own Procfile
            [str(honcho), "start", "-f", "Procfile.demo"], env=os.environ | {"DATABASE_URL": database}
        )
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:
                continue  # Ctrl-C reaches the processes too; wait until they have stopped cleanly
            except SystemExit:
                process.terminate()  # honcho stops them


if __name__ == "__main__":
    sys.exit(main())
