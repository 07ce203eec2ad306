"""What an installation needs for so many runs: a row of the sizing table, for `python -m bench.postgres sizing`."""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

from bench.history import own_copy
from bench.load import Load, generator, send
from bench.processes import Running, free_port, ingest_environment, launch, launch_ingest, stopped_in_the_end
from core.store.duckdb_file import open_owned
from core.store.postgres.reader import PostgresReader
from core.store.reader import OwnerReader, Reader
from tests.postgres_server import PostgresServer

HEADER = (
    "| runs | database | on disk | webhooks/s | overview's queries, warm | ingest: at rest, under load | dashboard at rest "
    "| PostgreSQL's processes |\n|---|---|---|---|---|---|---|---|"
)
SENT = 300  # runs, of nine webhooks each
ROUNDS = 5
Asked = dict[str, dict[str, Any]]


def sizes(server: PostgresServer, url: str, runs: int, asked: Asked) -> str:
    """Two rows of the table, DuckDB's and PostgreSQL's, of a history of `runs` that `url` holds already."""
    with tempfile.TemporaryDirectory(prefix="bench-sizing-") as name:
        folder = Path(name)
        file = own_copy(runs, folder)
        on_disk = file.stat().st_size
        connection = open_owned(file, memory_limit="2GB", threads=2)
        page = _page_seconds(OwnerReader(connection), asked)
        connection.close()
        row = _row(runs, "DuckDB", on_disk, page, ingest_environment(file), folder, lambda: None)

        reader = PostgresReader(url, size=2)
        page = _page_seconds(reader, asked)
        reader.close()
        with psycopg.connect(url) as known:
            found = known.execute("SELECT pg_database_size(current_database())").fetchone()
        assert found
        environment = ingest_environment(file) | {"DATABASE_URL": url}
        return f"{row}\n" + _row(
            runs, "PostgreSQL", found[0], page, environment, folder, lambda: _memory_of_server(server)
        )


def _row(
    runs: int, database: str, on_disk: int, page: float, environment: dict[str, str], folder: Path,
    server_memory: Callable[[], int | None],
) -> str:  # fmt: skip
    with generator() as pool, stopped_in_the_end(launch_ingest(environment, folder)) as ingest:
        port = free_port()
        command = [sys.executable, "-m", "streamlit", "run", "dashboard/app.py", "--server.port", str(port)]
        web = launch(command, environment, f"http://127.0.0.1:{port}", "/_stcore/health", folder)
        with stopped_in_the_end(web):
            at_rest, dashboard = _memory(ingest), _memory(web)
            # Ids that no earlier measurement on the same database used.
            first = time.time_ns() // 1_000_000_000
            outcome = pool.submit(send, Load(ingest.port, SENT, first_run=first)).result()
            under_load = _memory(ingest, "VmHWM")
            server = server_memory()
    return (
        f"| {runs:,} | {database} | {on_disk / 1e6:,.0f} MB | {outcome.rate:,.0f} | {page * 1000:,.0f} ms | "
        f"{at_rest:,} MB, {under_load:,} MB | {dashboard:,} MB | {f'{server:,} MB' if server else '–'} |"
    )


def _page_seconds(reader: Reader, asked: Asked) -> float:
    """The sum of the medians of the page's queries."""
    return sum(statistics.median(_seconds(reader, name, parameters) for _ in range(ROUNDS)) for name, parameters in asked.items())  # fmt: skip


def _seconds(reader: Reader, name: str, parameters: dict[str, Any]) -> float:
    begun = time.perf_counter()
    reader.frame(name, **parameters)
    return time.perf_counter() - begun


def _memory(running: Running, field: str = "VmRSS") -> int:
    """Resident megabytes of a process now; with VmHWM the most it ever had."""
    lines = Path(f"/proc/{running.process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith(field))


def _memory_of_server(server: PostgresServer) -> int:
    """Megabytes of all processes of the server; what they share counts once."""
    postmaster = (server.folder / "data" / "postmaster.pid").read_text().split("\n", 1)[0]
    total = 0
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            text = status.read_text()
            if status.parent.name == postmaster or f"\nPPid:\t{postmaster}\n" in text:
                rollup = (status.parent / "smaps_rollup").read_text()
                total += next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
        except (FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
            continue
    return total // 1024
