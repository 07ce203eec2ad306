"""Our named queries against hand-written ones on the schema that this kind of dashboard usually has, on the same rows.

DuckDB with our tables (the baseline of the ratios), PostgreSQL with our tables, and SQLite and PostgreSQL with the tables
and indexes of the original technical design (`bench/original`). Answers are compared before anything is timed.
`python -m bench.schemas`; 10 M runs take some 12 minutes and 15 GB of disk for a while.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from bench.history import ends_at, history_database
from bench.loading import load_own, load_postgres, load_sqlite
from bench.postgres import SERVER
from bench.questions import Answer, Question, questions, same
from bench.report import Cell, Report, Table, parser, shown
from core.errors import StoreUnavailable
from core.settings import load_settings
from core.store.duckdb_file import open_owned
from core.store.postgres.reader import PostgresReader
from core.store.reader import OwnerReader, Reader
from tests.postgres_server import PostgresServer

# No row log for a COPY into a fresh table; no JIT, as our own connections have none.
LOADING = ("wal_level=minimal", "max_wal_senders=0", "jit=off")
ROUNDS, SECONDS_A_QUESTION = 7, 8.0
OWN_TABLES = ("pipelines", "workflow_runs", "alerts")
STORES = ("DuckDB, ours", "PostgreSQL, ours", "SQLite, original", "PostgreSQL, original")

Asked = Callable[[Question], tuple[Sequence[str], Answer]]


class Differs(Exception):
    """A store gave another answer than DuckDB did."""


class Comparison:
    """The same questions to one store after the other; the first one's answers are the right ones."""

    def __init__(self, asked: list[Question]) -> None:
        self._asked = asked
        self._answers: dict[str, tuple[Sequence[str], Answer]] = {}
        self.milliseconds: dict[str, dict[str, float]] = {}
        self.load_seconds: dict[str, float] = {}

    def measure(self, store: str, ask: Asked, *, of_jobs: bool) -> None:
        """Ask everything once and compare, then time it. Raises Differs."""
        found = self.milliseconds.setdefault(store, {})
        for question in self._asked:
            if question.of_jobs and not of_jobs:
                continue
            begun = time.perf_counter()
            try:
                answer = ask(question)
            except StoreUnavailable as gave_up:  # our PostgreSQL stops a question after a minute
                print(f"  {store:22} {question.label:30} {gave_up}", flush=True)
                continue
            first = time.perf_counter() - begun
            if not same(self._answers.setdefault(question.label, answer), answer):
                raise Differs(
                    f"{store} answers “{question.label}” otherwise: {answer[1][:3]}, not {self._answers[question.label][1][:3]}"
                )
            found[question.label] = _median(ask, question, first) * 1000
            print(f"  {store:22} {question.label:30} {found[question.label]:9.1f} ms", flush=True)


def _median(ask: Asked, question: Question, first: float) -> float:
    """Median of some warm rounds in seconds; what takes long is asked fewer times, or not again."""
    times = [] if first < SECONDS_A_QUESTION else [first]
    for _ in range(min(ROUNDS, int(SECONDS_A_QUESTION / first))):
        begun = time.perf_counter()
        ask(question)
        times.append(time.perf_counter() - begun)
    return statistics.median(times)


def compare(runs: int, server: PostgresServer, folder: Path, *, jobs_too: bool) -> Comparison:
    """All stores in turn, each filled, asked and thrown away. `jobs_too`: our PostgreSQL gets jobs as well."""
    chosen = load_settings()
    file = open_owned(
        history_database(runs, max_age=None), memory_limit=chosen.duckdb_memory_limit, threads=chosen.duckdb_threads
    )
    with closing(file):
        found = Comparison(questions(ends_at(file)))
        found.measure(STORES[0], _named(OwnerReader(file)), of_jobs=True)

        begun, path = time.perf_counter(), folder / "original.sqlite"
        with closing(load_sqlite(file, path)) as sqlite:
            found.load_seconds[STORES[2]] = time.perf_counter() - begun
            found.measure(
                STORES[2],
                lambda q: _rows(sqlite.execute(q.original("sqlite"), q.original_parameters("sqlite"))),
                of_jobs=False,
            )
        path.unlink()

        begun, url = time.perf_counter(), server.database()
        with closing(load_postgres(file, url)) as postgres:
            found.load_seconds[STORES[3]] = time.perf_counter() - begun
            found.measure(
                STORES[3],
                lambda q: _rows(postgres.execute(q.original("postgres"), q.original_parameters("postgres"))),
                of_jobs=False,
            )
        server.drop(url)

        begun, url = time.perf_counter(), server.database()
        load_own(file, url, (*OWN_TABLES, "jobs") if jobs_too else OWN_TABLES)
        found.load_seconds[STORES[1]] = time.perf_counter() - begun
        with closing(PostgresReader(url, size=1)) as reader:
            found.measure(STORES[1], _named(reader), of_jobs=jobs_too)
        server.drop(url)
    return found


def _named(reader: Reader) -> Asked:
    def ask(question: Question) -> tuple[Sequence[str], Answer]:
        frame = reader.frame(question.query, **question.parameters)
        return list(frame.columns), list(frame.astype(object).itertuples(index=False, name=None))

    return ask


def _rows(cursor: Any) -> tuple[Sequence[str], Answer]:
    return [column[0] for column in cursor.description], cursor.fetchall()


def table_of(found: Comparison) -> Table:
    """Milliseconds of each store, and how many times as long as DuckDB the others took."""
    rows: list[list[Cell]] = []
    for label, ours in found.milliseconds[STORES[0]].items():
        others = [found.milliseconds[store].get(label) for store in STORES[1:]]
        rows.append(
            [label, ours, *(None if other is None else f"{shown(other)} ({shown(other / ours)} ×)" for other in others)]
        )
    loads = [found.load_seconds.get(store) for store in STORES[1:]]
    rows.append(["filled in bulk, with indexes", None, *(None if load is None else f"{load:,.0f} s" for load in loads)])
    return Table(["ms", *STORES], rows)


def drawn(comparisons: dict[str, Comparison]) -> Figure:
    """A row of bars for each size, on a logarithmic scale of milliseconds."""
    figure = Figure(figsize=(10, 5 * len(comparisons)), layout="constrained")
    for axes, (title, found) in zip(
        figure.subplots(len(comparisons), squeeze=False).flat, comparisons.items(), strict=True
    ):
        labels = list(found.milliseconds[STORES[0]])
        for place, store in enumerate(STORES):
            known = [
                (at, found.milliseconds[store][label])
                for at, label in enumerate(labels)
                if label in found.milliseconds[store]
            ]
            axes.barh([at + 0.2 * place - 0.3 for at, _ in known], [value for _, value in known], 0.2, label=store)
        axes.set(xscale="log", title=title, xlabel="milliseconds (logarithmic)")
        axes.set_yticks(range(len(labels)), labels)
        axes.invert_yaxis()
        axes.grid(axis="x", alpha=0.3)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=4, frameon=False)
    return figure


def main() -> None:
    arguments: argparse.ArgumentParser = parser("schemas", __doc__)
    arguments.add_argument("--runs", type=int, nargs="+", help="sizes (1000000 10000000)")
    chosen = arguments.parse_args()
    report = Report("schemas", chosen)
    sizes = chosen.runs or ([20_000] if chosen.quick else [1_000_000, 10_000_000])
    server = PostgresServer(settings=(*SERVER, *LOADING)).start()
    found: dict[str, Comparison] = {}
    try:
        version = {"PostgreSQL": server.version()}
        for runs in sizes:
            with tempfile.TemporaryDirectory(prefix="bench-schemas-") as folder:
                found[f"{runs:,} runs"] = compare(runs, server, Path(folder), jobs_too=runs <= 1_000_000)
            tables = zip(("smaller", "larger"), map(table_of, found.values()), strict=False)
            report.keep(dict(tables), {"schemas": drawn(found)}, version)
    except Differs as difference:
        sys.exit(str(difference))
    finally:
        server.stop()


if __name__ == "__main__":
    main()
