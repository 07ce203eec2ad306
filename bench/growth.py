"""What more runs cost: the overview's questions, storing the webhooks of one run, and the file's size.

Histories of 10 k to 10 M runs, in this process, with the service's own settings. `python -m bench.growth`.
"""

import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import orjson
from matplotlib.figure import Figure

from bench.history import ends_at, history_database
from bench.payloads import calls
from bench.questions import questions
from bench.report import Report, Table, parser
from core.settings import load_settings
from core.store.duckdb_file import open_owned
from core.store.reader import OwnerReader
from core.store.writer import Writer
from ingest.providers.github.parse import parse

SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
ROUNDS = 15


@dataclass(frozen=True, slots=True)
class Size:
    """Medians in milliseconds on a history of `runs`; bytes of its file."""

    runs: int
    overview: float
    pipelines: float
    batch: float
    size: int


def measure(runs: int, rounds: int) -> Size:
    """The figures of one size, on a copy of the kept history, which is written to."""
    with tempfile.TemporaryDirectory(prefix="bench-growth-") as folder:
        path = Path(shutil.copyfile(history_database(runs, max_age=None), Path(folder) / "health.duckdb"))
        size, chosen = path.stat().st_size, load_settings()
        file = open_owned(path, memory_limit=chosen.duckdb_memory_limit, threads=chosen.duckdb_threads)
        with closing(file):
            reader, now = OwnerReader(file), ends_at(file)
            overview = [each for each in questions(now) if each.label.startswith("overview")]
            pipelines = next(each for each in questions(now) if each.query == "pipeline_stats")
            asked = _median(lambda _: [reader.frame(each.query, **each.parameters) for each in overview], rounds)
            looked = _median(lambda _: reader.frame(pipelines.query, **pipelines.parameters), rounds)
            writer = Writer(file)
            batches = [
                [parse(call.event, orjson.loads(call.body)) for call in calls(1, first_run=1 + number)]
                for number in range(rounds + 1)
            ]

            def store(number: int) -> None:
                for future in [writer.submit_changes(changes) for changes in batches[number]]:
                    future.result()

            stored = _median(store, rounds)
            writer.close()
    return Size(runs, asked, looked, stored, size)


def _median(act: Callable[[int], object], rounds: int) -> float:
    """Milliseconds of `act(number)`, after a first time that doesn't count."""
    times = []
    for number in range(rounds + 1):
        begun = time.perf_counter()
        act(number)
        times.append((time.perf_counter() - begun) * 1000)
    return statistics.median(times[1:])


def drawn(sizes: list[Size]) -> Figure:
    """Times on the left, the file on the right, all over the number of runs, on logarithmic scales."""
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    runs = [size.runs for size in sizes]
    for label, values in (
        ("overview's questions, together", [size.overview for size in sizes]),
        ("pipelines of 30 days", [size.pipelines for size in sizes]),
        ("webhooks of one run, stored", [size.batch for size in sizes]),
    ):
        axes.plot(runs, values, "-o", label=label)
    axes.set(xscale="log", yscale="log", xlabel="runs", ylabel="milliseconds")
    right = axes.twinx()
    right.plot(runs, [size.size / 1e6 for size in sizes], "--s", color="grey", label="file")
    right.set(yscale="log", ylabel="megabytes")
    axes.grid(alpha=0.3)
    figure.legend(loc="outside lower center", ncols=2, frameon=False)
    return figure


def main() -> None:
    arguments = parser("growth", __doc__)
    arguments.add_argument("--runs", type=int, nargs="+", default=SIZES)
    chosen = arguments.parse_args()
    report = Report("growth", chosen)
    sizes = (
        [measure(runs, 3) for runs in (5_000, 20_000)]
        if chosen.quick
        else [measure(runs, ROUNDS) for runs in chosen.runs]
    )
    least = sizes[0]
    columns = (
        "runs", "overview's questions, ms", "× the smallest", "pipelines of 30 days, ms", "webhooks of one run, ms", "× the smallest",
        "file, MB", "bytes a run",
    )  # fmt: skip
    rows = [
        (
            f"{each.runs:,}", each.overview, each.overview / least.overview, each.pipelines, each.batch,
            each.batch / least.batch, each.size / 1e6, each.size // each.runs,
        )
        for each in sizes
    ]  # fmt: skip
    report.keep({"sizes": Table(columns, rows)}, {"growth": drawn(sizes)})


if __name__ == "__main__":
    main()
