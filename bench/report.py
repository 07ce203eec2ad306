"""What a benchmark found: printed, kept as JSON beside the plots, and put into the page `docs/benchmarks.md`.

The page is written anew from all kept results, so that a part can be repeated alone. Its prose is `bench/page.md`.
"""

import argparse
import importlib.metadata
import json
import os
import platform
import re
import signal
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

from matplotlib.figure import Figure

from bench.history import kept
from bench.processes import ROOT

Cell: TypeAlias = str | int | float | None

DOCS = ROOT / "docs"
TEMPLATE = Path(__file__).with_name("page.md")
# `{{ webhooks.rates }}` is a table of a part, `{{ webhooks }}` says when and on what the part was measured.
MARK = re.compile(r"\{\{ (\w+)(?:\.(\w+))? \}\}")
PACKAGES = ("duckdb", "streamlit", "pandas", "fastapi", "uvicorn", "psycopg")


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under columns; units stand in the columns' names. None is a dash."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]


@dataclass(frozen=True, slots=True)
class Place:
    """What a figure depends on: the machine, what else it did, and the versions of what ran."""

    processor: str
    cores: int
    memory_gb: int
    load: float
    versions: dict[str, str]

    @classmethod
    def here(cls) -> "Place":
        cpu = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
        versions = {"Python": platform.python_version(), "SQLite": sqlite3.sqlite_version}
        versions |= {name: importlib.metadata.version(name) for name in PACKAGES}
        cores = len(os.sched_getaffinity(0))
        return cls(cpu[1] if cpu else platform.machine(), cores, round(memory), round(os.getloadavg()[0], 1), versions)

    def __str__(self) -> str:
        versions = ", ".join(f"{name} {version}" for name, version in self.versions.items())
        return f"{self.cores} cores of {self.processor}, {self.memory_gb} GB; load {self.load} at the start; {versions}"


def parser(part: str, about: str | None) -> argparse.ArgumentParser:
    """The arguments that all parts have: `--quick` tries everything on little, `--out` is where the page is written."""
    found = argparse.ArgumentParser(prog=f"python -m bench.{part}" if part else "python -m bench", description=about)
    found.add_argument("--quick", action="store_true", help="try everything in short; writes no docs")
    found.add_argument("--out", type=Path, help="folder of benchmarks.md and benchmarks/ (docs; with --quick another)")
    return found


def out_of(chosen: argparse.Namespace) -> Path:
    """The folder that the arguments name."""
    return Path(chosen.out or (kept() / "quick" if chosen.quick else DOCS))


def end_in_order(number: int, _: object) -> None:
    """A signal's handler: what was started is stopped and what was made is removed on the way out."""
    raise SystemExit(128 + number)


class Report:
    """One part's measurement: made when it begins, `keep` when it ends."""

    def __init__(self, part: str, chosen: argparse.Namespace) -> None:
        self._part = part
        self._out = out_of(chosen)
        self._is_quick = bool(chosen.quick)
        self._place = Place.here()
        self._begun_at = datetime.now(UTC)
        signal.signal(signal.SIGTERM, end_in_order)

    def keep(
        self,
        tables: Mapping[str, Table],
        plots: Mapping[str, Figure] | None = None,
        versions: Mapping[str, str] | None = None,
    ) -> None:
        """Print the tables, keep them with the plots, and write the page anew. `versions` are those of further servers."""
        place = asdict(self._place)
        place["versions"] |= versions or {}
        took = round((datetime.now(UTC) - self._begun_at).total_seconds())
        print(f"{self._part}: {Place(**place)}; took {took} s")
        for name, table in tables.items():
            print(f"\n{self._part}.{name}")
            print(_plain(table))
        folder = self._out / "benchmarks"
        folder.mkdir(parents=True, exist_ok=True)
        found = {
            "begun_at": self._begun_at.isoformat(timespec="seconds"), "took_seconds": took, "quick": self._is_quick,
            "place": place, "tables": {name: asdict(table) for name, table in tables.items()},
        }  # fmt: skip
        (folder / f"{self._part}.json").write_text(json.dumps(found, indent=1) + "\n")
        for name, figure in (plots or {}).items():
            figure.savefig(folder / f"{name}.svg", metadata={"Date": None}, bbox_inches="tight")
        write_page(self._out)


def write_page(out: Path) -> Path:
    """Write `benchmarks.md` in `out` from the results that are kept there."""
    results = {file.stem: json.loads(file.read_text()) for file in (out / "benchmarks").glob("*.json")}
    page = out / "benchmarks.md"
    page.write_text(MARK.sub(lambda mark: _text_of(results.get(mark[1]), mark[1], mark[2]), TEMPLATE.read_text()))
    return page


def _text_of(result: dict[str, Any] | None, part: str, table: str | None) -> str:
    if not result:
        return f"Not measured yet: `python -m bench.{part}`." if table is None else ""
    if table is None:
        begun = datetime.fromisoformat(result["begun_at"])
        short = " **A quick pass: figures of little data.**" if result["quick"] else ""
        return (
            f"`python -m bench.{part}`, {begun.day} {begun:%B %Y}, {shown(result['took_seconds'])} s on "
            f"{Place(**result['place'])}.{short}"
        )
    found = result["tables"].get(table)
    return _markdown(Table(**found)) if found else ""


def shown(cell: Cell) -> str:
    """A number with as many digits as it deserves."""
    if cell is None:
        return "–"
    if isinstance(cell, str):
        return cell
    if isinstance(cell, int) or abs(cell) >= 100:
        return f"{cell:,.0f}"
    return f"{cell:.1f}" if abs(cell) >= 10 else f"{cell:.2f}"


def _markdown(table: Table) -> str:
    rows = [list(table.columns), ["---"] + ["---:"] * (len(table.columns) - 1)]
    rows += [[shown(cell) for cell in row] for row in table.rows]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _plain(table: Table) -> str:
    rows = [list(table.columns), *([shown(cell) for cell in row] for row in table.rows)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  "
        + row[0].ljust(widths[0])
        + "".join(f"  {cell:>{width}}" for cell, width in zip(row[1:], widths[1:], strict=True))
        for row in rows
    )


if __name__ == "__main__":
    print(f"{write_page(DOCS)} is written from what is kept")
