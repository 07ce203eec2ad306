"""All drills, one after the other, each on a throw-away database: `python -m bench.drill`, or those that are named.

Prints what was done to the service, what it acknowledged, and what was lost or doubled; ends with 1 where anything was.
"""

import argparse
import platform
import sys
import time
from collections.abc import Callable

import duckdb

from bench.drills import Report, clock, day, disk, far_ends, growth, junk, kills, readers, shared_disk

ROUNDS = 200

# Called with the number of kills that was asked for; only the kills care.
DRILLS: dict[str, Callable[[int], Report]] = {
    "kill": lambda rounds: kills.on_a_file(-(-rounds // 2)),
    "kill-postgres": lambda rounds: kills.on_postgres(rounds // 2),
    "full-disk": lambda _: disk.full(),
    "full-disk-postgres": lambda _: shared_disk.full(),
    "read-only-disk": lambda _: disk.read_only(),
    "clock": lambda _: clock.jumps(),
    "far-ends": lambda _: far_ends.dead_and_slow(),
    "readers": lambda _: readers.killed(),
    "junk": lambda _: junk.junk(),
    "day": lambda _: day.day(),
    "growth": lambda _: growth.grow(),
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.drill", description=__doc__)
    parser.add_argument("drill", nargs="*", metavar="drill", help=f"all, or some of: {', '.join(DRILLS)}")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"kills, half of them on PostgreSQL ({ROUNDS})")
    chosen = parser.parse_args()
    if unknown := set(chosen.drill) - set(DRILLS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(DRILLS)}")
    print(f"{platform.platform()}, Python {platform.python_version()}, DuckDB {duckdb.__version__}")
    problems = [problem for name in chosen.drill or DRILLS for problem in _drill(name, chosen.rounds)]
    print(f"\n{len(problems)} problems" if problems else "\nNothing acknowledged was lost, nothing was doubled.")
    return 1 if problems else 0


def _drill(name: str, rounds: int) -> list[str]:
    print(f"\n{name}", flush=True)
    begun = time.perf_counter()
    report = DRILLS[name](rounds)
    width = max(map(len, report.figures))
    for what, figure in report.figures.items():
        print(f"  {what:{width}}  {figure}")
    for words in report.problems:
        print(f"  PROBLEM: {words}")
    print(f"  ({time.perf_counter() - begun:.0f} s)", flush=True)
    return [f"{name}: {words}" for words in report.problems]


if __name__ == "__main__":
    sys.exit(main())
