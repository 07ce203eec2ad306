"""What the regression detector misses and what it raises for nothing, beside ruptures' PELT. `python -m bench.regressions`.

Series: durations of successful jobs of a real project where RECORDED_PAYLOADS names a folder of recordings, else of the
simulated company. Each series is shuffled, which takes every real change out of it; then it is looked at as it is (any
alarm is false) and with a slow-down of known size at a known place.
"""

import gzip
import json
import os
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt
import ruptures

from bench.report import Cell, Report, Table, parser
from core.insights import regressions
from ingest.simulation.history import simulate

Floats = npt.NDArray[np.float64]
Detector = Callable[[Floats], list[int]]

LEAST_RUNS = 60
FACTORS = (1.10, 1.25, 1.50)
BULK = "bulk/bitcoin_gha_jobs.jsonl.gz"


@dataclass(frozen=True, slots=True)
class Figures:
    """Fractions of 1; `milliseconds` of one series."""

    false_alarms: float
    recall: dict[float, float]
    precision: dict[float, float]
    off_by: dict[float, float]
    milliseconds: float


def ours(values: Floats) -> list[int]:
    return [change.place for change in regressions.changes(values) if change.slower]


def pelt(values: Floats) -> list[int]:
    """ruptures' PELT with the kernel cost; penalty 4 keeps its false alarms as rare as ours."""
    logs = np.log(values)
    spread = 1.4826 * float(np.median(np.abs(logs - np.median(logs)))) or 1.0
    ends = (
        ruptures.Pelt(model="rbf", min_size=regressions.LEAST_SIDE, jump=1)
        .fit(((logs - np.median(logs)) / spread).reshape(-1, 1))
        .predict(pen=4)
    )
    bounds = [0, *ends]
    medians = [float(np.median(values[a:b])) for a, b in zip(bounds, ends, strict=False)]
    return [ends[i] for i in range(len(ends) - 1) if medians[i + 1] > (1 + regressions.LEAST_EFFECT) * medians[i]]


def real_series(folder: Path) -> list[Floats]:
    jobs = defaultdict(list)
    with gzip.open(folder / BULK, "rt") as lines:
        for job in map(json.loads, lines):
            if job["status"] == "COMPLETED" and job["duration"]:
                jobs[job["name"]].append((job["executingTimestamp"] or 0, job["duration"]))
    return [
        np.array([seconds for _, seconds in sorted(runs)], dtype=np.float64)
        for runs in jobs.values()
        if len(runs) >= LEAST_RUNS
    ]


def simulated_series() -> list[Floats]:
    jobs = defaultdict(list)
    for run in simulate(datetime.now(UTC).replace(microsecond=0), 60):
        for job in run.jobs:
            seconds = (job.finished_at - job.started_at).total_seconds()
            if job.conclusion == "success" and seconds > 0:
                jobs[run.repository.name, run.workflow.name, job.name].append(seconds)
    return [np.array(runs) for runs in jobs.values() if len(runs) >= LEAST_RUNS]


def measure(series: list[Floats], detect: Detector, rounds: int, seed: int = 1) -> Figures:
    chance = np.random.default_rng(seed)
    begun = time.perf_counter()
    alarms = sum(bool(detect(chance.permutation(values))) for values in series for _ in range(rounds))
    each = (time.perf_counter() - begun) * 1000 / (rounds * len(series))
    recall, precision, off_by = {}, {}, {}
    for factor in FACTORS:
        hits, raised, distances = 0, 0, []
        for values in series:
            for _ in range(rounds):
                slowed = chance.permutation(values)
                place = int(chance.integers(len(values) // 5, len(values) * 4 // 5))
                slowed[place:] *= factor
                found = detect(slowed)
                near = [abs(cut - place) for cut in found if abs(cut - place) <= max(5, len(values) // 10)]
                hits, raised = hits + bool(near), raised + len(found)
                distances += [min(near)] if near else []
        recall[factor] = hits / (rounds * len(series))
        precision[factor] = hits / raised if raised else float("nan")
        off_by[factor] = float(np.median(distances)) if distances else float("nan")
    return Figures(alarms / (rounds * len(series)), recall, precision, off_by, each)


def main() -> None:
    arguments = parser("regressions", __doc__)
    arguments.add_argument("--rounds", type=int, default=100)
    arguments.add_argument("--pelt-rounds", type=int, default=2, help="PELT takes some hundred times as long")
    chosen = arguments.parse_args()
    report = Report("regressions", chosen)
    recorded = os.environ.get("RECORDED_PAYLOADS")
    series = real_series(Path(recorded)) if recorded else simulated_series()
    rounds, pelt_rounds = (2, 1) if chosen.quick else (chosen.rounds, chosen.pelt_rounds)
    spread = float(np.median([np.std(np.log(values)) for values in series]))
    about = f"{len(series)} {'real' if recorded else 'simulated'} series, {np.median([len(v) for v in series]):.0f} runs, spread of the logarithms {spread:.2f}"
    rows = [
        _row(f"{name}, {each * len(series):,} shuffles", measure(series, detect, each))
        for name, detect, each in (
            ("this detector", ours, rounds),
            ("ruptures' PELT, kernel cost, penalty 4", pelt, pelt_rounds),
        )
    ]
    slower = [f"+{(factor - 1) * 100:.0f} %: recall, precision, off by" for factor in FACTORS]
    report.keep({"detectors": Table([about, "false alarms a series", *slower, "ms a series"], rows)})


def _row(name: str, found: Figures) -> list[Cell]:
    slower = (f"{found.recall[f]:.0%}, {found.precision[f]:.0%}, {found.off_by[f]:.0f} runs" for f in FACTORS)
    return [name, f"{found.false_alarms:.2%}", *slower, found.milliseconds]


if __name__ == "__main__":
    main()
