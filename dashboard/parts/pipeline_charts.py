"""The figures of a pipeline's page: durations over time, outcomes by day, the jobs of one run side by side in time."""

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from core.critical_path import JobSpan, critical_path
from dashboard.parts import charts
from dashboard.parts.charts import COLOURS, NAMES
from dashboard.parts.formats import count, duration, missing, plain, text
from dashboard.parts.run_filters import STATUS_NAMES

BLUE = "#5b7fe0"  # readable on white and on black
GREY = "#8b93a3"
OTHER = {"cancelled": GREY, "skipped": GREY}
CONFIG = {"displayModeBar": False}


def draw_durations(daily: pd.DataFrame, points: pd.DataFrame, zone: ZoneInfo) -> None:
    """Median and 95th percentile by day as a band, each run as a point; a click on a point opens the run."""
    shown = st.plotly_chart(
        durations_figure(daily, points, zone), key="durations", config=CONFIG, on_select="rerun",
        selection_mode="points",
        alt=f"Durations of {count(len(points), 'run', 'runs')}, with the median and the 95th percentile of each day",
    )  # fmt: skip
    for point in shown["selection"]["points"]:
        picked = point.get("customdata")
        run_id = picked[0] if isinstance(picked, list) and picked else picked
        if run_id in set(points["id"]):
            st.switch_page("views/run.py", query_params={"id": str(run_id)})


def durations_figure(daily: pd.DataFrame, points: pd.DataFrame, zone: ZoneInfo) -> dict[str, Any]:
    """`daily` has a row for each day (NaN where nothing finished), `points` a row for each run."""
    known = daily.dropna(subset="p50_seconds")
    noons = [f"{day:%Y-%m-%d}T12:00" for day in known.index]
    minutes = {name: (known[name].astype(float) / 60).tolist() for name in ("p50_seconds", "p95_seconds")}
    band = {"type": "scatter", "x": noons, "hoverinfo": "skip"}
    traces: list[dict[str, Any]] = [
        band | {
            "name": "p95", "y": minutes["p95_seconds"], "mode": "lines",
            "line": {"color": BLUE, "width": 1, "dash": "dot"},
        },
        band | {
            "name": "Median", "y": minutes["p50_seconds"], "mode": "lines", "line": {"color": BLUE, "width": 2},
            "fill": "tonexty", "fillcolor": "rgba(91,127,224,0.16)",
        },
    ]  # fmt: skip
    for status in ("success", "failed"):
        own = points[points["status"] == status]
        traces.append(
            {
                "type": "scattergl", "mode": "markers", "name": NAMES[status],
                "x": [f"{at.astimezone(zone):%Y-%m-%dT%H:%M:%S}" for at in own["finished_at"]],
                "y": (own["duration_seconds"].astype(float) / 60).tolist(),
                "customdata": [[run] for run in own["id"]], "text": [_words(run) for run in own.to_dict("records")],
                "marker": {"color": COLOURS[status], "size": 6 if len(points) < 300 else 4, "opacity": 0.75},
                "hovertemplate": "%{text}<extra></extra>",
            }
        )  # fmt: skip
    return charts.figure(
        traces, height=300, clickmode="event+select",
        yaxis={"title": {"text": "minutes"}, "nticks": 6}, xaxis={"type": "date", "nticks": 8},
    )  # fmt: skip


def _words(run: dict[Any, Any]) -> str:
    number = "" if missing(run["run_number"]) else f"#{int(run['run_number'])} · "
    return f"<b>{number}{duration(float(run['duration_seconds'] or 0))}</b><br>{charts.label(text(run['branch'])[:60])}"


def draw_outcomes(daily: pd.DataFrame, runs_of: dict[str, str | None]) -> None:
    """Runs by day and outcome; a click on a bar offers its runs (`runs_of`: the parameters of the runs page)."""
    outcomes = [*COLOURS, "cancelled"]
    days = [f"{day:%Y-%m-%d}" for day in daily.index]
    traces = [
        {
            "type": "bar", "name": NAMES.get(outcome, "Cancelled"), "x": days, "y": daily[outcome].tolist(),
            "marker": {"color": COLOURS.get(outcome, GREY)},
            "hovertemplate": f"%{{x|%a %-d %b}}: <b>%{{y}}</b> {outcome}<extra></extra>",
        }
        for outcome in outcomes
    ]  # fmt: skip
    figure = charts.figure(
        traces, height=300, barmode="stack", bargap=0.2, clickmode="event+select",
        xaxis={"type": "date", "nticks": 8}, yaxis=charts.whole_numbers(daily[outcomes]),
    )  # fmt: skip
    totals = ", ".join(f"{int(daily[outcome].sum()):,} {outcome}" for outcome in outcomes)
    shown = st.plotly_chart(
        figure, key="outcomes", on_select="rerun", selection_mode="points", config=CONFIG, alt=f"Runs by day: {totals}"
    )
    for point in shown["selection"]["points"]:
        day, curve = str(point.get("x"))[:10], point.get("curve_number")
        if day in days and isinstance(curve, int) and 0 <= curve < len(outcomes):
            words = f"{NAMES.get(outcomes[curve], 'Cancelled')} on {date.fromisoformat(day):%a %-d %b}: show these runs"
            chosen = {**runs_of, "day": day, "status": STATUS_NAMES[outcomes[curve]]}
            link = {name: value for name, value in chosen.items() if value}
            st.page_link("views/runs.py", label=words, icon=":material/arrow_forward:", query_params=link)


def draw_gantt(jobs: pd.DataFrame) -> None:
    """The jobs of one attempt in time: how long each waited and ran; those on the critical path stand out."""
    timed = jobs[jobs["started_at"].notna() & jobs["finished_at"].notna() & (jobs["status"] != "skipped")]
    if timed.empty:
        st.caption("No job of this run has both a start and an end yet.")
        return
    path = critical_path([_span(job) for job in timed.to_dict("records")])
    begin = timed["started_at"].min()
    if timed["created_at"].notna().any():
        begin = max(min(begin, timed["created_at"].min()), begin - timedelta(hours=1))
    st.plotly_chart(
        gantt_figure(timed, path, begin), key="gantt", config=CONFIG,
        alt=f"{count(len(timed), 'job', 'jobs')} in time, {len(path)} of them on the critical path",
    )  # fmt: skip
    on_path = [timed[timed["id"] == job].iloc[0] for job in path]
    names = " → ".join(f"**{plain(job['name'])}**" for job in on_path[:8])
    took = (timed["finished_at"].max() - begin).total_seconds()
    working = sum((job["finished_at"] - job["started_at"]).total_seconds() for job in on_path)
    st.caption(
        f"Critical path: {names}{' …' if len(path) > 8 else ''} · {duration(working)} of work in {duration(took)}",
        help="The chain of jobs that the run's length hangs on, told from the times alone: the job that finished last, "
        "before it the one that finished last before that job became ready, and so on.",
    )


def _span(job: dict[Any, Any]) -> JobSpan:
    created: datetime | None = None if missing(job["created_at"]) else job["created_at"]
    return JobSpan(text(job["id"]), created, job["started_at"], job["finished_at"])


def gantt_figure(jobs: pd.DataFrame, path: list[str], begin: datetime) -> dict[str, Any]:
    """Bars in seconds after `begin`; jobs that have the same name keep rows of their own."""
    rows = jobs.sort_values(["started_at", "finished_at"], ascending=False)
    names = [charts.label(text(name)[:48]) for name in rows["name"]]
    places = list(range(len(rows)))
    created = rows["created_at"].where(rows["created_at"].notna(), rows["started_at"])
    waits = [
        max(0.0, (start - max(at, begin)).total_seconds())
        for at, start in zip(created, rows["started_at"], strict=True)
    ]
    starts = [(at - begin).total_seconds() for at in rows["started_at"]]
    lengths = [
        max(1.0, (end - start).total_seconds())
        for start, end in zip(rows["started_at"], rows["finished_at"], strict=True)
    ]
    on_path = [job in path for job in rows["id"]]
    words = [
        f"<b>{name}</b><br>{status} · {duration(length)} · waited {duration(wait)}"
        + ("<br>on the critical path" if critical else "")
        for name, status, length, wait, critical in zip(names, rows["status"], lengths, waits, on_path, strict=True)
    ]
    bar = {"type": "bar", "orientation": "h", "y": places, "text": words, "textposition": "none",
           "hovertemplate": "%{text}<extra></extra>", "showlegend": False}  # fmt: skip
    traces = [
        bar | {"base": [start - wait for start, wait in zip(starts, waits, strict=True)], "x": waits,
               "marker": {"color": "rgba(139,147,163,0.35)"}},
        bar | {"base": starts, "x": lengths, "marker": {
            "color": [COLOURS.get(status, OTHER.get(status, GREY)) for status in rows["status"]],
            "opacity": [1.0 if critical else 0.45 for critical in on_path],
            "line": {"width": [2 if critical else 0 for critical in on_path], "color": BLUE},
        }},
    ]  # fmt: skip
    end = max(start + length for start, length in zip(starts, lengths, strict=True))
    ticks = [end * part / 5 for part in range(6)]
    return charts.figure(
        traces, height=70 + 26 * len(rows), barmode="overlay", bargap=0.3,
        yaxis={
            "tickvals": places, "ticktext": names, "showgrid": False, "nticks": None, "range": [-0.6, len(rows) - 0.4],
        },
        xaxis={
            "tickvals": ticks, "ticktext": [duration(tick) for tick in ticks], "showgrid": True,
            "range": [0, end * 1.01],
        },
    )  # fmt: skip
