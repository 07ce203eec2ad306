"""Duration regressions: since which run a pipeline or job is slower (or faster), by how much, and how sure that is.

A series is cut where the largest standardised rank-sum statistic over all cuts is too large for chance, then each half
is cut again (binary segmentation). Ranks don't care about outliers or skew. The chance of so large a maximum is the
approximation of James, James and Siegmund, "Tests for a change-point", Biometrika 74 (1987). How much slower: the
Hodges-Lehmann shift of the logarithms, with Moses' rank interval. `bench/regressions.py` measures what it misses and
what it raises for nothing, beside ruptures' PELT.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import NormalDist

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]

# Runs of the default branch that make a series of their own; with fewer, those of all branches are one.
LEAST_DEFAULT = 20
# How far back runs are looked at.
HISTORY = timedelta(days=120)
# Fewer runs than this on either side of a cut say nothing.
LEAST_SIDE = 8
# Runs of a series that are looked at, the newest ones: bounds the work, and an older change is history.
MOST_RUNS = 300
# Chance of one false cut in a series without any change. Many series are looked at, so it is small.
ALPHA = 0.005
# A change smaller than this isn't worth a look, however sure.
LEAST_EFFECT = 0.05
CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Change:
    """A cut of a series: `place` is the first value after it. `ratio` after ÷ before, with its 95 % interval.

    `before` and `after`: medians of the neighbouring segments, of `runs_before` and `runs_after` values.
    """

    place: int
    before: float
    after: float
    ratio: float
    low: float
    high: float
    p_value: float
    runs_before: int
    runs_after: int

    @property
    def slower(self) -> bool:
        return self.ratio > 1

    @property
    def is_large(self) -> bool:
        return abs(math.log(self.ratio)) >= math.log1p(LEAST_EFFECT)


def changes(durations: Sequence[float]) -> list[Change]:
    """The changes of a series in time order, oldest first. Durations in seconds, above 0.

    Steps: cut → drop the cuts whose neighbouring segments don't differ enough (or not surely) → measure what is left.
    """
    values: Floats = np.log(np.maximum(np.asarray(durations, dtype=np.float64), 0.5))
    cuts = _cuts(values, 0, len(values))
    while True:
        found = [_measured(values, cuts, place) for place in range(len(cuts))]
        weak = [change for change in found if change.p_value > ALPHA or not change.is_large]
        if not weak:
            return found
        cuts.remove(max(weak, key=lambda change: change.p_value).place)


def _cuts(values: Floats, begin: int, end: int) -> list[int]:
    """Where the part from `begin` to `end` is cut, in order."""
    cut, chance = best_cut(values[begin:end])
    if chance > ALPHA:
        return []
    middle = begin + cut
    return [*_cuts(values, begin, middle), middle, *_cuts(values, middle, end)]


def best_cut(values: Floats) -> tuple[int, float]:
    """The cut at which both sides differ most, and the chance of so large a difference anywhere without a change."""
    n = len(values)
    if n < 2 * LEAST_SIDE:
        return 0, 1.0
    ranks, ties = _ranks(values)
    sizes = np.arange(LEAST_SIDE, n - LEAST_SIDE + 1)
    sums = np.cumsum(ranks)[sizes - 1]
    spread = np.sqrt(np.maximum(sizes * (n - sizes) / 12 * (n + 1 - ties / (n * (n - 1))), 1e-12))
    z = np.abs(sums - sizes * (n + 1) / 2) / spread
    place = int(np.argmax(z))
    return int(sizes[place]), _chance_of_maximum(float(z[place]), n)


def _ranks(values: Floats) -> tuple[Floats, float]:
    """Ranks with ties shared, and the sum of t³ - t over the groups of equal values."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    shared = last - (counts - 1) / 2
    return shared[inverse].astype(np.float64), float(np.sum(counts.astype(np.float64) ** 3 - counts))


def _chance_of_maximum(b: float, n: int) -> float:
    """P(max |Z| >= b) over all cuts that leave LEAST_SIDE values on either side of n."""
    if b <= 1:
        return 1.0
    odds = 2 * math.log((n - LEAST_SIDE) / LEAST_SIDE)
    density = math.exp(-b * b / 2) / math.sqrt(2 * math.pi)
    return min(1.0, b * density * ((1 - 1 / b**2) * odds + 4 / b**2))


def _measured(values: Floats, cuts: list[int], index: int) -> Change:
    place = cuts[index]
    before = values[cuts[index - 1] if index else 0 : place]
    after = values[place : cuts[index + 1] if index + 1 < len(cuts) else len(values)]
    shift, low, high = shift_of(before, after)
    _, chance = best_cut(np.concatenate([before, after]))
    return Change(
        place=place,
        before=float(np.exp(np.median(before))),
        after=float(np.exp(np.median(after))),
        ratio=math.exp(shift),
        low=math.exp(low),
        high=math.exp(high),
        p_value=chance,
        runs_before=len(before),
        runs_after=len(after),
    )


def shift_of(before: Floats, after: Floats) -> tuple[float, float, float]:
    """The Hodges-Lehmann shift and its interval by Moses' ranks: medians and order statistics of all differences."""
    differences = np.sort((after[:, None] - before[None, :]).ravel())
    m, n = len(before), len(after)
    z = NormalDist().inv_cdf(0.5 + CONFIDENCE / 2)
    k = max(0, math.floor(m * n / 2 - z * math.sqrt(m * n * (m + n + 1) / 12)))
    return float(np.median(differences)), float(differences[k]), float(differences[-k - 1])


@dataclass(frozen=True, slots=True)
class FoundChange:
    """A change of a pipeline (job '') or a job: `attempt_id` and `head_sha` of the first run after it."""

    pipeline_id: str
    job: str
    attempt_id: str
    head_sha: str | None
    changed_at: pd.Timestamp
    before_attempt_id: str
    before_sha: str | None
    is_newest: bool
    on_default: bool
    change: Change


def found_in(runs: pd.DataFrame) -> list[FoundChange]:
    """The changes of every series in the rows of regression_series."""
    found = []
    for (pipeline_id, job), rows in runs.groupby(["pipeline_id", "job"], sort=True):
        series, on_default = series_of(rows)
        cuts = changes(series["seconds"].tolist())
        for change in cuts:
            first, last = series.iloc[change.place], series.iloc[change.place - 1]
            found.append(
                FoundChange(
                    pipeline_id=str(pipeline_id),
                    job=str(job),
                    attempt_id=str(first["attempt_id"]),
                    head_sha=None if pd.isna(first["head_sha"]) else str(first["head_sha"]),
                    changed_at=first["begun_at"],
                    before_attempt_id=str(last["attempt_id"]),
                    before_sha=None if pd.isna(last["head_sha"]) else str(last["head_sha"]),
                    is_newest=change is cuts[-1],
                    on_default=on_default,
                    change=change,
                )
            )
    return found


def series_of(rows: pd.DataFrame) -> tuple[pd.DataFrame, bool]:
    """The runs of the default branch where there are enough, else those of all branches; and which of the two."""
    default = rows[rows["on_default"]]
    chosen = default if len(default) >= LEAST_DEFAULT else rows
    return chosen.sort_values(["begun_at", "attempt_id"]).tail(MOST_RUNS), chosen is default
