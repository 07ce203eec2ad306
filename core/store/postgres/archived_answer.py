"""Archived files asked the very same named queries, and both parts of an answer put together.

A DuckDB that lives as long as the question reads the files, and can read nothing else: it knows no other folder, no
network and no password. The rules are those of the DuckDB file's own views (`core.store.archive`).
"""

import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from hashlib import blake2b

import duckdb
import pyarrow as pa
import sqlglot

from core.errors import StoreUnavailable, first_line
from core.store.archive import VIEWS, archived_rows, parquet
from core.store.archive_files import Archive
from core.store.migrations import migrate
from core.store.postgres.archived import (
    COUNTS,
    GROUPS,
    PAGES,
    Parameters,
    Question,
    key_in,
    kinds_of,
    newest_of,
    statement,
    with_chosen,
)

_NEWEST = "coalesce(started_at, created_at) DESC, id DESC"
ORDERS = {
    "newest": _NEWEST,
    "oldest": "coalesce(started_at, created_at), id DESC",
    "longest": f"duration_seconds DESC NULLS LAST, {_NEWEST}",
    "shortest": f"duration_seconds NULLS LAST, {_NEWEST}",
}
# Of the rows of one run or attempt: what tells them apart, and their order.
ROWS = {
    "run_attempts": ("attempt_id", "run_attempt DESC"),
    "attempt_jobs": ("id", "coalesce(started_at, created_at) NULLS LAST, name, id"),
    "attempt_steps": ("(job_id, number)", "job_id, number"),
}
# Of what isn't asked for, nothing is here.
_EMPTY = {
    "jobs": pa.schema([("id", pa.string()), ("created_at", pa.timestamp("us", tz="UTC"))]),
    "steps": pa.schema([("job_id", pa.string()), ("number", pa.int32())]),
    "job_logs": pa.schema([("job_id", pa.string()), ("excerpt", pa.string())]),
}
# These ask documented views instead of the archive's own.
OVER_VIEWS = ("run_count", "run_attempts")

MEMORY, THREADS = "512MB", 2
AT_ONCE, WAIT_SECONDS = 2, 20
_places = threading.BoundedSemaphore(AT_ONCE)
COUNTS_KEPT = 256
_counts: dict[bytes, int] = {}
_lock = threading.Lock()


def answered(question: Question, archive: Archive, parameters: Parameters) -> pa.Table:
    """The whole answer to what was asked with these parameters.

    Raises StoreUnavailable where files can't be read, or too many such questions are asked at once.
    """
    if not question.files:
        return question.live
    if question.query in COUNTS:
        return _counted(question, archive, parameters)
    with _place(), _opened(question, archive) as database:
        return database.execute(_statement(question, parameters)).to_arrow_table()


def _counted(question: Question, archive: Archive, parameters: Parameters) -> pa.Table:
    """Every page of runs asks how many there are: the files' number is kept while it is the same."""
    key = _state(question)
    with _lock:
        archived = _counts.pop(key, None)
    if archived is None:
        with _place(), _opened(question, archive) as database:
            (archived,) = database.execute(_statement(question, parameters)).fetchall()[0]
    with _lock:
        _counts[key] = archived  # the last one is the last to be forgotten
        if len(_counts) > COUNTS_KEPT:
            del _counts[next(iter(_counts))]
    total = question.live["total"][0].as_py() + archived
    if question.query == "run_search_count":
        total = min(total, parameters["limit"])
    return pa.table({"total": pa.array([total], pa.int64())})


def _state(question: Question) -> bytes:
    """Names all that the files' part of an answer comes from."""
    digest = blake2b(statement(question.query, question.parameters, "duckdb").encode("utf-8", "surrogatepass"))
    digest.update(repr([file.path for file in question.files]).encode())
    for name, table in sorted(question.tables.items()):
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as stream:
            stream.write_table(table)
        digest.update(name.encode())
        digest.update(sink.getvalue())
    return digest.digest()


@contextmanager
def _place() -> Iterator[None]:
    """One of the AT_ONCE places of this process. Raises StoreUnavailable where none gets free."""
    if not _places.acquire(timeout=WAIT_SECONDS):
        raise StoreUnavailable("Others are looking through archived runs.", hint="Try again in some seconds.")
    try:
        yield
    finally:
        _places.release()


def streamed(question: Question, archive: Archive, rows: int) -> Iterator[pa.RecordBatch]:
    """The whole answer, about `rows` at a time, however many there are. Raises StoreUnavailable."""
    with _opened(question, archive) as database:
        yield from database.execute(_statement(question, question.parameters)).to_arrow_reader(rows)


@contextmanager
def _opened(question: Question, archive: Archive) -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB with PostgreSQL's rows and the files as its views."""
    with tempfile.TemporaryDirectory(prefix="cicd-health-") as folder:
        try:
            with duckdb.connect(
                config={"threads": THREADS, "memory_limit": MEMORY, "temp_directory": folder}
            ) as database:
                _fill(database, question, archive)
                yield database
        except duckdb.Error as error:
            raise StoreUnavailable("Archived runs can't be read.", hint=first_line(error)) from None


def _fill(database: duckdb.DuckDBPyConnection, question: Question, archive: Archive) -> None:
    database.execute("SET TimeZone = 'UTC'")
    empty = {name: schema.empty_table() for name, schema in _EMPTY.items()}
    for name, table in (empty | question.tables | {"live": question.live}).items():
        database.register(name, table)
    database.execute("SET allowed_directories = ?", [[f"{archive.folder}/"]])
    database.execute("SET enable_external_access = false")
    newest = newest_of(question.files)
    assert newest
    for kind in kinds_of(question.query):
        paths = [file.path for file in question.files if file.kind == kind]
        if question.query == "run_attempts":
            paths = _holding(database, archive, paths, str(question.parameters["id"]))
        rows = archived_rows(kind, parquet(archive, paths), newest)
        database.execute(f"CREATE TEMP VIEW {VIEWS[kind]} AS {rows}")
    if question.query in OVER_VIEWS:
        for view, text in _views().items():
            database.execute(f"CREATE TEMP VIEW {view} AS {text}")
    database.execute("SET lock_configuration = true")


def _holding(database: duckdb.DuckDBPyConnection, archive: Archive, paths: list[str], asked: str) -> list[str]:
    """The files that hold a run, named by its key or by an attempt: the query asks for whole rows by more than one way,
    for which all would be read. At least one file.
    """
    rows = database.execute(
        f"SELECT DISTINCT filename FROM {parquet(archive, paths)} WHERE run_key IN (?, ?)",  # noqa: S608 - our own paths
        [asked, key_in(asked)],
    ).fetchall()
    names = {name for (name,) in rows}
    return [path for path in paths if str(archive.place(path)) in names] or paths[:1]


def _statement(question: Question, parameters: Parameters) -> str:
    query = question.query
    archived = statement(query, question.parameters, "duckdb")
    if query in COUNTS:
        return archived
    if query == GROUPS:
        return _groups(question)
    if query in PAGES:
        order = ORDERS[str(parameters.get("sort", "newest"))]
        limit, offset = parameters["limit"], int(str(parameters.get("offset", 0))) - question.skipped
        end = "" if limit is None else f" LIMIT {limit:d} OFFSET {offset:d}"
        return f"SELECT * FROM (FROM live UNION ALL BY NAME FROM ({archived})) ORDER BY {order}{end}"  # noqa: S608
    key, order = ROWS[query]
    return f"""SELECT * FROM (FROM live UNION ALL BY NAME
        SELECT * FROM ({archived}) AS archived WHERE {key} NOT IN (SELECT {key} FROM live)) ORDER BY {order}"""  # noqa: S608


def _groups(question: Question) -> str:
    """The named query, with the rows of both sides in the place of those that it chooses."""
    tree, chosen = with_chosen(question.query, question.parameters, "duckdb")
    live = "SELECT status, duration_seconds, last_at, pipeline_id, name FROM live, range(runs)"
    archived = chosen.this.sql(dialect="duckdb")
    chosen.set("this", sqlglot.parse_one(f"{live} UNION ALL BY NAME {archived}", dialect="duckdb"))
    return tree.sql(dialect="duckdb")


@cache
def _views() -> dict[str, str]:
    """The documented views of runs, as the migrations define them."""
    with duckdb.connect() as database:
        migrate(database)
        rows = database.execute("SELECT view_name, sql FROM duckdb_views() WHERE NOT internal").fetchall()
    texts = {name: sql.partition(" AS ")[2].rstrip(";") for name, sql in rows}
    return {name: texts[name] for name in ("attempts", "runs")}
