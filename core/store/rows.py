"""Model objects into tables, a batch at a time: Arrow tables scanned by set-based statements, never row by row."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeAlias, TypeVar

import duckdb
import pyarrow as pa

from core.model import Changes, Delivery, Job, Pipeline, Step, WorkflowRun
from core.queries import sql_text
from core.store.cursor import Cursor
from core.store.stored_steps import StoredSteps

Row = Pipeline | WorkflowRun | Job | Step | Delivery
R = TypeVar("R", Pipeline, WorkflowRun, Job, Step)
Key: TypeAlias = tuple[str, str]
RunOrJob = TypeVar("RunOrJob", WorkflowRun, Job)

_MOMENT = pa.timestamp("us", tz="UTC")
_TYPES: dict[str, pa.DataType] = {
    "run_attempt": pa.int32(),
    "number": pa.int32(),
    "run_number": pa.int64(),
    "is_fork": pa.bool_(),
    "created_at": _MOMENT,
    "started_at": _MOMENT,
    "finished_at": _MOMENT,
    "updated_at": _MOMENT,
    "received_at": _MOMENT,
}
INCOMING: dict[str, type[Row]] = {
    "incoming_pipelines": Pipeline,
    "incoming_runs": WorkflowRun,
    "incoming_jobs": Job,
    "incoming_steps": Step,
    "incoming_deliveries": Delivery,
}
# Planned once. Only statements that insert what comes in: the plan of one that looks at a table's rows first keeps what
# the statistics of that table said when it was planned, and an empty table stays empty for it.
_PREPARED = ("upsert_pipelines", "upsert_runs", "upsert_jobs", "upsert_steps", "insert_deliveries")
# What is new, as nearly all of it is, needs no search for its like: with a key of two columns DuckDB scans the table.
_NEW = {"insert_new_deliveries": "insert_deliveries", "insert_new_steps": "upsert_steps"}


class _Incoming:
    """Rows under a name of SQL. Registered once; DuckDB asks it for the rows anew at each execution.

    https://arrow.apache.org/docs/format/CDataInterface/PyCapsuleInterface.html
    """

    def __init__(self, kind: type[Row]) -> None:
        names = [name for name in kind.__dataclass_fields__ if name != "changes"]
        self._schema = pa.schema([(name, _TYPES.get(name, pa.string())) for name in names])
        self._table = self._schema.empty_table()

    def hold(self, rows: Sequence[Row]) -> None:
        columns = [pa.array([getattr(row, field.name) for row in rows], field.type) for field in self._schema]
        self._table = pa.Table.from_arrays(columns, schema=self._schema)

    def __arrow_c_schema__(self) -> object:
        return self._schema.__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._table.__arrow_c_stream__(requested_schema)


class RowWriter:
    """The statements that write a batch, planned once for a cursor: planning took half the time of a small batch.

    Knows what is stored from what it wrote itself, so nothing else may write rows. Where several processes do, see
    `core.store.postgres.rows`.

    What it takes for new may be stored all the same; then DuckDB raises ConstraintException, and the batch must be
    written again, with `is_wary` set.
    """

    def __init__(self, cursor: duckdb.DuckDBPyConnection) -> None:
        self.is_wary = False
        self._steps = StoredSteps()
        self._cursor = cursor
        self._incoming = {name: _Incoming(kind) for name, kind in INCOMING.items()}
        for name, incoming in self._incoming.items():
            cursor.register(name, incoming)
        for name in _PREPARED:
            cursor.execute(f"PREPARE {name} AS {sql_text('write', name)}")
        for name, careful in _NEW.items():
            cursor.execute(f"PREPARE {name} AS {sql_text('write', careful).split('ON CONFLICT')[0]}")
        rerun = cursor.execute("SELECT DISTINCT run_key FROM workflow_runs WHERE run_attempt > 1").fetchall()
        self._rerun = {run_key for (run_key,) in rerun}
        self._spread: dict[Key, tuple[str | None, ...]] = {}

    def forget(self) -> None:
        """The transaction was rolled back: what it spread is not there."""
        self._spread.clear()
        self._steps.forget()

    def write(self, changes: Sequence[Changes]) -> list[WorkflowRun]:
        """Upsert all rows of a batch inside the caller's transaction; returns its runs."""
        # Sorted out here: doing it in SQL, with a window over each key, took half of every upsert's time.
        pipelines = _newest((row.id, row) for change in changes for row in change.pipelines)
        runs = _runs(changes)
        jobs = _jobs(changes)
        steps = _newest(((row.job_id, row.number), row) for change in changes for row in change.steps)
        if pipelines:
            self._run("upsert_pipelines", incoming_pipelines=pipelines)
            self._spread_names(pipelines)
        if runs:
            self._run("upsert_runs", incoming_runs=runs)
            self._mark_latest(runs)
        if jobs:
            self._run("upsert_jobs", incoming_jobs=jobs)
        if steps:
            self._write_steps(steps)
        return runs

    def keep(self, deliveries: Sequence[Delivery]) -> set[Key]:
        """Keep deliveries; returns the keys of those that are new or failed before. The others were seen before."""
        if not deliveries:
            return set()
        fresh = self._keep_new(deliveries)
        rest = [delivery for delivery in deliveries if key_of(delivery) not in fresh]
        if rest:
            fresh.update(self._run("retry_deliveries", incoming_deliveries=rest).fetchall())
        return fresh

    def _keep_new(self, deliveries: Sequence[Delivery]) -> set[Key]:
        if self.is_wary:
            return set(self._run("insert_deliveries", incoming_deliveries=deliveries).fetchall())
        self._run("insert_new_deliveries", incoming_deliveries=deliveries)
        return {key_of(delivery) for delivery in deliveries}

    def _write_steps(self, steps: Sequence[Step]) -> None:
        if self.is_wary:
            self._run("upsert_steps", incoming_steps=steps)
            return
        unknown, newer = self._steps.parted(steps)
        if unknown:
            self._run("insert_new_steps", incoming_steps=unknown)
        if newer and self._run("update_steps", incoming_steps=newer).fetchone() != (len(newer),):
            self._run("upsert_steps", incoming_steps=newer)  # some were removed meanwhile, by retention or the archive
        self._steps.add([*unknown, *newer])

    def _spread_names(self, pipelines: Sequence[Pipeline]) -> None:
        """Only a word that differs from what all pipelines of its repository say needs to be spread."""
        if any(self._spread.get((row.provider, row.repository_id)) != _facts(row) for row in pipelines):
            self._run("spread_repository_names")
            for provider, repository_id, *facts in self._run("repository_names").fetchall():
                self._spread[provider, repository_id] = tuple(facts)

    def _mark_latest(self, runs: Sequence[WorkflowRun]) -> None:
        """Only a run with several attempts can have an older one; few have, so most batches need no look."""
        self._rerun.update(run.run_key for run in runs if run.run_attempt > 1)
        several = [run for run in runs if run.run_key in self._rerun]
        if several:
            self._run("mark_latest_attempts", incoming_runs=several)

    def _run(self, statement: str, **tables: Sequence[Row]) -> Cursor:
        for name, rows in tables.items():
            self._incoming[name].hold(rows)
        is_prepared = statement in _PREPARED or statement in _NEW
        return self._cursor.execute(f"EXECUTE {statement}" if is_prepared else sql_text("write", statement))


def _facts(row: Pipeline) -> tuple[str | None, ...]:
    return row.repository, row.repository_url, row.default_branch


def key_of(delivery: Delivery) -> Key:
    """What a delivery is known by: its provider and its id."""
    return delivery.provider, delivery.delivery_id


def _newest(mentions: Iterable[tuple[object, R]]) -> list[R]:
    """Of all that a batch says about the same key, the row with the largest version."""
    newest: dict[object, R] = {}
    for key, row in mentions:
        if key not in newest or row.version > newest[key].version:
            newest[key] = row
    return list(newest.values())


def _runs(changes: Sequence[Changes]) -> list[WorkflowRun]:
    """The newest word about each attempt, with the first moments that any word of the batch named."""
    runs = [row for change in changes for row in change.runs]
    first = _first_moments(runs, ("created_at", "started_at", "finished_at"))
    return [_with(run, first) for run in _newest((run.id, run) for run in runs)]


def _jobs(changes: Sequence[Changes]) -> list[Job]:
    """The newest word about each job, with the first moments too. What a queued job calls its start is none."""
    named = [row for change in changes for row in change.jobs]
    jobs = [replace(job, started_at=None) if job.status == "queued" and job.started_at else job for job in named]
    first = _first_moments(jobs, ("created_at", "started_at"))
    return [_with(job, first) for job in _newest((job.id, job) for job in jobs)]


def _first_moments(rows: Sequence[WorkflowRun | Job], names: tuple[str, ...]) -> dict[tuple[str, str], datetime]:
    """Some systems tell of one moment at a time: the earliest ever named, by row and field, is what counts."""
    first: dict[tuple[str, str], datetime] = {}
    for row in rows:
        for name in names:
            moment = getattr(row, name)
            if moment:
                first[row.id, name] = min(moment, first.get((row.id, name), moment))
    return first


def _with(row: RunOrJob, first: dict[tuple[str, str], datetime]) -> RunOrJob:
    wanted = {name: first.get((row.id, name)) for name in ("created_at", "started_at")}
    if isinstance(row, WorkflowRun):
        wanted["finished_at"] = first.get((row.id, "finished_at"))
    changed = {name: moment for name, moment in wanted.items() if moment != getattr(row, name)}
    return replace(row, **changed) if changed else row  # type: ignore[arg-type]
