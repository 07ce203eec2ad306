"""What PostgreSQL has to say to a question that may reach archived runs: its own part of the answer, of one moment.

Of its rows only those that belong into the answer leave the server, which finds them by its indexes as ever. The files'
part, and both together: `core.store.postgres.archived_answer`.

Questions that aren't in REACHING are answered from the tables alone: what is computed from windows shorter than any
ARCHIVE_AFTER_DAYS, the newest state of each pipeline, and what a poll knows of runs.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

import psycopg
import pyarrow as pa
import sqlglot
from sqlglot import exp

from core.queries import Dialect, Value, bound
from core.store.archive import noted
from core.store.archive_copies import found
from core.store.archive_files import Archive, ArchivedFile
from core.store.postgres.connection import PostgresCursor
from core.store.postgres.frames import table_of

Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]
Parameters: TypeAlias = dict[str, Value]

PAGES = frozenset({"run_page", "run_search", "run_export"})
COUNTS = frozenset({"run_count", "run_search_count"})
OF_ONE = frozenset({"run_attempts", "attempt_jobs", "attempt_steps"})
GROUPS = "run_groups"
REACHING = PAGES | COUNTS | OF_ONE | {GROUPS}
# The kinds of files that a query asks, where it isn't those of runs.
KINDS = {"attempt_jobs": ("jobs",), "attempt_steps": ("jobs", "steps")}

# So many rows are put in order together with those of the files; of pages further back, see `_rows_of_page`.
DEEP = 20_000

# The rows here that an archived row may have to stand back for (see `archived_rows`).
AGAIN = """SELECT id, run_key, run_attempt, created_at
    FROM workflow_runs
    WHERE created_at <= %(newest)s AND (%(run)s::text IS NULL OR run_key = %(run)s)
    UNION ALL
    SELECT id, run_key, run_attempt, created_at
    FROM workflow_runs
    WHERE run_attempt > 1 AND created_at > %(newest)s AND (%(run)s::text IS NULL OR run_key = %(run)s)
    ORDER BY id"""
# Without what changes with every delivery.
PIPELINES = "SELECT id, provider, repository, repository_url, name, default_branch FROM pipelines ORDER BY id"


@dataclass(frozen=True, slots=True)
class Question:
    """`live` is what PostgreSQL answers; where `files` is empty, that is all. `parameters` are those for the files.

    `tables` are rows of PostgreSQL that the files' rows are joined with; of a page far back, `skipped` of its rows come
    before those in `live`.
    """

    query: str
    parameters: Parameters
    live: pa.Table
    files: tuple[ArchivedFile, ...] = ()
    tables: dict[str, pa.Table] = field(default_factory=dict)
    skipped: int = 0


def key_in(attempt_id: str) -> str:
    """The key of the run that an attempt's id begins with."""
    return re.sub(r"-\d+$", "", attempt_id)


def kinds_of(query: str) -> tuple[str, ...]:
    return KINDS.get(query, ("workflow_runs",))


def readable_files(connection: Connection, archive: Archive, query: str) -> tuple[ArchivedFile, ...]:
    """What is archived of the kinds that a query asks, and can be read on this machine."""
    kinds = kinds_of(query)
    files = [file for file in noted(PostgresCursor(connection)) if file.kind in kinds]
    here = set(found(archive, [file.path for file in files]))
    readable = tuple(file for file in files if file.path in here)
    return readable if {file.kind for file in readable} == set(kinds) else ()


def gathered(connection: Connection, archive: Archive, query: str, parameters: Parameters) -> Question:
    """PostgreSQL's part of the answer to a query of REACHING. To be asked in a transaction that sees one moment."""
    files = readable_files(connection, archive, query)
    live = rows_of(connection, statement(query, parameters))
    if query == "run_attempts" and not live.num_rows:
        live = rows_of(connection, statement(query, {"id": key_in(str(parameters["id"]))}))
    newest = newest_of(files)
    if newest is None or not _reaches(connection, query, parameters, live, newest):
        return Question(query, parameters, live)
    run, skipped = None, 0
    if query == "run_attempts" and live.num_rows:
        run = live["id"][0].as_py()
        parameters = {"id": run}
    elif query in PAGES:
        skipped, parameters, live = _rows_of_page(connection, query, parameters, files)
    elif query == GROUPS:
        live = rows_of(connection, _grouped(query, parameters))
    tables = joined(connection, newest, run)
    if query == "attempt_jobs":
        excerpts = "SELECT job_id, excerpt FROM job_logs WHERE attempt_id = %s AND excerpt IS NOT NULL"
        tables["job_logs"] = rows_of(connection, excerpts, [parameters["attempt_id"]])
    return Question(query, parameters, live, files, tables, skipped)


def newest_of(files: tuple[ArchivedFile, ...]) -> datetime | None:
    """Nothing in the files is newer."""
    return max((file.newest_at for file in files), default=None)


def is_after(parameters: Parameters, newest: datetime) -> bool:
    """Whether a window begins after all that is archived."""
    since = parameters.get("since")
    return isinstance(since, datetime) and since > newest


def joined(connection: Connection, newest: datetime, run: str | None = None) -> dict[str, pa.Table]:
    """Pipelines, and the rows of runs (or of one run) that archived ones have to be compared with."""
    return {
        "pipelines": rows_of(connection, PIPELINES),
        "workflow_runs": rows_of(connection, AGAIN, {"newest": newest, "run": run}),
    }


def _rows_of_page(
    connection: Connection, query: str, parameters: Parameters, files: tuple[ArchivedFile, ...]
) -> tuple[int, Parameters, pa.Table]:
    """The rows here that may come before or on a page, how many of them were skipped, and the files' parameters.

    Where a page begins among the rows of both sides is known once they are put together. Far back, the rows here that
    are newer than the archive need no such care: only the last few may be older than one of a file.
    """
    if parameters["limit"] is None:
        return 0, parameters, rows_of(connection, statement(query, parameters))
    limit, offset = _number(parameters["limit"]), _number(parameters["offset"])
    skipped = 0
    if query == "run_page" and offset + limit > DEEP:
        (total,) = rows_of(connection, statement("run_count", parameters))["total"].to_pylist()
        skipped = min(offset, max(0, total - DEEP))
    end = limit + offset - skipped
    here = parameters | {"limit": min(end, limit + DEEP), "offset": skipped}
    there = parameters | {"limit": min(end, sum(file.row_count for file in files)), "offset": 0}
    return skipped, there, rows_of(connection, statement(query, here))


def _number(value: Value) -> int:
    assert isinstance(value, int)
    return value


def with_chosen(query: str, parameters: Parameters, dialect: Dialect) -> tuple[exp.Expr, exp.CTE]:
    """A query that begins `WITH chosen AS (…)`, and that part of it."""
    tree = sqlglot.parse_one(statement(query, parameters, dialect), dialect=dialect)
    chosen = tree.find(exp.CTE)
    assert chosen
    assert chosen.alias == "chosen"
    return tree, chosen


def rows_of(connection: Connection, statement: str, values: Any = None) -> pa.Table:
    """The rows of a statement that is PostgreSQL's own."""
    cursor = connection.execute(statement, values, binary=True)
    return table_of(cursor.description or [], cursor.fetchall())


def statement(query: str, parameters: Parameters, dialect: Dialect = "postgres") -> str:
    """A named query; what PostgreSQL's text can't hold is looked for as it is stored."""
    return bound(query, parameters, dialect).replace("\0", "\N{REPLACEMENT CHARACTER}")


def _grouped(query: str, parameters: Parameters) -> str:
    """The rows that are to be grouped, equal ones as one with their number: durations are whole seconds."""
    _, chosen = with_chosen(query, parameters, "postgres")
    rows = chosen.this.sql(dialect="postgres", comments=False)
    return f"""SELECT status, duration_seconds, max(last_at) AS last_at, pipeline_id, name, count(*) AS runs
        FROM ({rows}) AS chosen
        GROUP BY status, duration_seconds, pipeline_id, name"""  # noqa: S608 - bound as literals


def _reaches(connection: Connection, query: str, parameters: Parameters, live: pa.Table, newest: datetime) -> bool:
    """Whether archived rows may belong into the answer."""
    if is_after(parameters, newest):
        return False
    if query == "run_search_count":
        return int(live["total"][0].as_py()) < _number(parameters["limit"])
    if query == "run_attempts":
        return not _is_whole(live, newest)
    if query in OF_ONE:
        return _is_old(connection, str(parameters["attempt_id"]), newest)
    if query in PAGES and parameters.get("sort", "newest") == "newest" and live.num_rows == parameters["limit"]:
        return bool(live.num_rows and newest >= begun(live)[-1])
    return True


def _is_whole(attempts: pa.Table, newest: datetime) -> bool:
    """Whether a run's attempts are all here: each from after the archive, and as many as were counted."""
    if not attempts.num_rows:
        return False
    created, numbers = attempts["created_at"].to_pylist(), attempts["run_attempt"].to_pylist()
    return bool(min(created) > newest and len(numbers) == max(numbers))


def _is_old(connection: Connection, attempt_id: str, newest: datetime) -> bool:
    row = connection.execute("SELECT created_at FROM workflow_runs WHERE id = %s", [attempt_id]).fetchone()
    return row is None or bool(newest >= row[0])


def begun(runs: pa.Table) -> list[datetime]:
    """When each run of a page began."""
    started, created = runs["started_at"].to_pylist(), runs["created_at"].to_pylist()
    return [start or creation for start, creation in zip(started, created, strict=True)]
