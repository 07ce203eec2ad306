"""Clients of the SQL endpoint that are killed in the middle of a large result: memory stays bounded, writes go on."""

import multiprocessing
import random
import signal
import tempfile
import time
from multiprocessing.process import BaseProcess
from pathlib import Path

from bench.drills import Report, deliveries, problem
from bench.drills.gauge import gauged
from bench.load import Load, generator, send
from bench.processes import ingest_environment, launch_ingest, stop, stopped_in_the_end
from core.store.reader import RemoteReader

SEED = 20261125
KILLS = 60
AT_ONCE = 4
RUNS = 400
# About 2 GB, if it were read to its end.
LARGE = "SELECT i, repeat(md5(i::VARCHAR), 30) AS words FROM range(2000000) AS t(i)"
MEMORY_LIMIT, MOST_MEMORY = "1GB", 2_000_000_000


def killed(kills: int = KILLS, runs: int = RUNS) -> Report:
    """Kill readers, four at a time, while webhooks arrive."""
    with tempfile.TemporaryDirectory(prefix="drill-readers-") as name, generator() as pool:
        folder = Path(name)
        database = folder / "health.duckdb"
        environment = ingest_environment(database) | {"DUCKDB_MEMORY_LIMIT": MEMORY_LIMIT}
        quack_port = int(environment["QUACK_PORT"])
        with stopped_in_the_end(launch_ingest(environment, folder)) as service:
            with gauged(service.process.pid, database) as gauge:
                alone = pool.submit(send, Load(service.port, runs, first_run=1, connections=8)).result()
                sending = pool.submit(send, Load(service.port, runs, first_run=1 + runs, connections=8))
                _kill_readers(kills, quack_port, database)
                beside = sending.result()
                after = _reader(quack_port, database)
                counted = int(after.frame("freshness")["runs"].iloc[0])
                time.sleep(1)
            is_live = after.source == "live"
            stop(service, signal.SIGKILL)
        lost = deliveries.missing([*alone.acknowledged, *beside.acknowledged], database)
        most = max(gauge.memory)
        return Report(
            {
                "readers killed": str(kills),
                "acknowledged": f"{len(alone.acknowledged):,} alone, {len(beside.acknowledged):,} beside the readers",
                "acknowledged and missing": str(lost),
                "95 % answered within": f"{alone.percentile(95) * 1000:,.0f} ms alone, {beside.percentile(95) * 1000:,.0f} ms beside",
                "service's memory": f"at most {most / 1e6:,.0f} MB, {gauge.memory[-1] / 1e6:,.0f} MB in the end "
                f"(DUCKDB_MEMORY_LIMIT={MEMORY_LIMIT})",
                "SQL endpoint afterwards": f"counts {counted:,} runs" if is_live else "away",
            },
            (
                *problem(f"{lost} acknowledged deliveries are missing", if_=lost > 0),
                *problem("not everything was acknowledged", if_=len(beside.acknowledged) < 9 * runs),
                *problem("memory grew beyond 2 GB", if_=most > MOST_MEMORY),
                *problem("the SQL endpoint is away", if_=not is_live or counted != 2 * runs),
            ),
        )


def _reader(port: int, database: Path) -> RemoteReader:
    return RemoteReader(port=port, token=None, token_path=database.with_name("quack.token"), database=database)


def _read(port: int, database: Path, begun: "multiprocessing.synchronize.Event") -> None:
    reader = _reader(port, database)
    reader.frame("freshness")
    begun.set()
    reader.sql(LARGE)


def _kill_readers(kills: int, port: int, database: Path) -> None:
    dice, spawn = random.Random(SEED), multiprocessing.get_context("spawn")
    for _ in range(0, kills, AT_ONCE):
        readers: list[BaseProcess] = []
        signs = [spawn.Event() for _ in range(AT_ONCE)]
        for begun in signs:
            readers.append(spawn.Process(target=_read, args=(port, database, begun)))
            readers[-1].start()
        for reader, begun in zip(readers, signs, strict=True):
            begun.wait(60)
            time.sleep(dice.uniform(0.05, 0.5))
            reader.kill()
            reader.join()
