"""Many viewers of the overview with auto-refresh while webhooks arrive: what both wait, against a single viewer.

Real processes and real sessions (`bench.sessions`) on a history of 1 M runs. `python -m bench.viewers --viewers 1 50`.
"""

import multiprocessing
import tempfile
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure

from bench.history import RUNS, own_copy
from bench.load import Load, Outcome, generator, send_steadily
from bench.processes import (
    Running,
    cpu_seconds,
    ingest_environment,
    launch_dashboard,
    launch_ingest,
    stopped_in_the_end,
)
from bench.report import Cell, Report, Table, parser
from bench.sessions import Seen, Watch, watch
from dashboard.parts.formats import count

INTERVAL = 10.0  # the page's default
ALONE = 2.0  # a single viewer is refreshed more often, or a minute would show only six refreshes
CALLS_OF_A_RUN = 9
CONNECTIONS = 128


@dataclass(frozen=True, slots=True)
class Step:
    """One load and what came of it; cores: processor seconds a second of each service."""

    viewers: int
    rate: float
    seen: Seen
    answered: Outcome | None
    dashboard_cores: float
    ingest_cores: float


class Bench:
    """Both services, and the two processes that watch and send."""

    def __init__(
        self, ingest: Running, dashboard: Running, watchers: ProcessPoolExecutor, senders: ProcessPoolExecutor
    ) -> None:
        self._ingest = ingest
        self._dashboard = dashboard
        self._watchers = watchers
        self._senders = senders
        self._next_run = 2_000_000

    def step(self, viewers: int, rate: float, seconds: float, interval: float) -> Step:
        """`viewers` arrive within one interval and stay for `seconds`, while `rate` webhooks a second arrive."""
        lasts = interval + seconds
        before = cpu_seconds(self._dashboard), cpu_seconds(self._ingest)
        sent = self._send(rate, lasts)
        seen = self._watchers.submit(watch, Watch(self._dashboard.port, viewers, interval, seconds)).result()
        answered = sent.result() if sent else None
        cores = [
            (cpu_seconds(running) - used) / lasts
            for running, used in zip((self._dashboard, self._ingest), before, strict=True)
        ]
        return Step(viewers, rate, seen, answered, *cores)

    def _send(self, rate: float, seconds: float) -> Future[Outcome] | None:
        runs = int(rate * seconds / CALLS_OF_A_RUN)
        if not runs:
            return None
        load = Load(self._ingest.port, runs, first_run=self._next_run, connections=CONNECTIONS)
        self._next_run += runs
        return self._senders.submit(send_steadily, load, rate)


def measure(runs: int, loads: list[tuple[int, float]], seconds: float, interval: float) -> list[Step]:
    """A step for each (viewers, webhooks a second), after one viewer has warmed both services up."""
    context = multiprocessing.get_context("spawn")
    with (
        tempfile.TemporaryDirectory(prefix="bench-viewers-") as name,
        ProcessPoolExecutor(1, mp_context=context) as watchers,
        generator() as senders,
    ):
        folder = Path(name)
        own_copy(runs, folder)
        environment = ingest_environment(folder / "health.duckdb") | {"USER_RATE_LIMIT_PER_MINUTE": "1000000"}
        with (
            stopped_in_the_end(launch_ingest(environment, folder)) as ingest,
            stopped_in_the_end(launch_dashboard(environment, folder)) as dashboard,
        ):
            bench = Bench(ingest, dashboard, watchers, senders)
            bench.step(1, 10, 2, 1)
            return [
                bench.step(viewers, rate, seconds, interval if viewers > 1 else min(interval, ALONE))
                for viewers, rate in loads
            ]


def row(step: Step, alone: Step) -> list[Cell]:
    seen, answered = step.seen, step.answered
    webhooks: list[Cell] = [None, None]
    if answered:
        webhooks = [answered.percentile(50) * 1000, answered.percentile(95) * 1000]
    return [
        f"{count(step.viewers, 'viewer', 'viewers')}, {step.rate:.0f} webhooks/s", seen.percentile(50) * 1000, seen.percentile(95) * 1000,
        seen.percentile(95) / alone.seen.percentile(95), len(seen.refreshes), seen.late, max(seen.arrivals), *webhooks,
        f"{step.dashboard_cores:.2f} + {step.ingest_cores:.2f}",
    ]  # fmt: skip


COLUMNS = (
    "load", "refresh p50, ms", "refresh p95, ms", "p95 × one viewer", "refreshes", "left out, being late", "slowest arrival, s",
    "webhook p50, ms", "webhook p95, ms", "cores of dashboard + ingest",
)  # fmt: skip


def drawn(steps: list[Step]) -> Figure:
    """p50 and p95 of refreshes and of webhook answers over the number of viewers."""
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    loaded = [step for step in steps if step.answered]
    viewers = [step.viewers for step in loaded]
    for percent, style in ((50, "-o"), (95, "--o")):
        axes.plot(
            viewers,
            [step.seen.percentile(percent) * 1000 for step in loaded],
            style,
            color="C0",
            label=f"refresh, p{percent}",
        )
        answers = [step.answered.percentile(percent) * 1000 for step in loaded if step.answered]
        axes.plot(viewers, answers, style, color="C1", label=f"webhook, p{percent}")
    axes.set(xlabel="viewers, refreshed every 10 s", ylabel="milliseconds (logarithmic)", yscale="log", ylim=(1, None))
    axes.grid(alpha=0.3)
    figure.legend(loc="outside lower center", ncols=4, frameon=False)
    return figure


def main() -> None:
    arguments = parser("viewers", __doc__)
    arguments.add_argument("--runs", type=int, default=RUNS)
    arguments.add_argument("--viewers", type=int, nargs="+", default=[1, 10, 25, 50])
    arguments.add_argument("--rate", type=float, default=50, help="webhooks a second")
    arguments.add_argument("--seconds", type=float, default=40, help="of each step, after all viewers have arrived")
    chosen = arguments.parse_args()
    report = Report("viewers", chosen)
    most = max(chosen.viewers)
    loads = [(viewers, chosen.rate) for viewers in chosen.viewers] + [(most, 0.0)]
    steps = (
        measure(20_000, [(1, 9), (2, 9)], 6, 2)
        if chosen.quick
        else measure(chosen.runs, loads, chosen.seconds, INTERVAL)
    )
    failed = sum(step.seen.failed for step in steps) + sum(step.answered.refused for step in steps if step.answered)
    if failed:
        raise SystemExit(f"{failed} refreshes or webhooks failed")
    report.keep({"load": Table(COLUMNS, [row(step, steps[0]) for step in steps])}, {"viewers": drawn(steps)})


if __name__ == "__main__":
    main()
