"""A person's own SQL on PostgreSQL: the same answers as on DuckDB, and nothing but one SELECT over the open views."""

from collections.abc import Iterator
from typing import Any

import duckdb
import pytest

from core.documented_views import EXAMPLES, VIEWS
from core.errors import BadRequest
from core.store import asking as duckdb_asking
from core.store.postgres import asking
from core.store.postgres.connection import PostgresCursor
from core.store.postgres.reader import PostgresReader
from core.store.quack import AUTHORISATION
from core.store.writer import Writer
from tests.builders import job_payload, run_payload
from tests.postgres.test_replicas import delivery


@pytest.fixture
def reader(postgres_url: str, replicas: list[Writer], writer: Writer) -> Iterator[PostgresReader]:
    """Both databases hold the same few runs."""
    ends = ("success", "failure")
    events = [
        ("workflow_run", run_payload(run_id=number, conclusion=ends[number % 2], updated=60 + number))
        for number in range(1, 8)
    ]
    events.append(("workflow_job", job_payload(run_id=2)))
    for target in (replicas[0], writer):
        for number, (event, payload) in enumerate(events):
            target.submit_delivery(delivery(number, event, payload)).result()
    reader = PostgresReader(postgres_url, size=4)
    yield reader
    reader.close()


def ask(reader: PostgresReader, query: str, limit: int = 100, seconds: float = 5) -> list[list[Any]]:
    return asking.ask(reader, query, limit=limit, seconds=seconds).rows


SAME = [
    *EXAMPLES.values(),
    *(f"SELECT * FROM {view} ORDER BY 1, 2" for view in VIEWS if view != "daily_pipeline_stats"),
    "FROM runs SELECT status, count(*) GROUP BY ALL ORDER BY 1",
    "WITH bad AS (SELECT repository, count_if(status = 'failed') AS n FROM Runs GROUP BY 1) SELECT bad.n FROM bad",
    "WITH runs AS (SELECT * FROM runs WHERE status = 'failed') SELECT count(*) FROM runs",
    "SELECT run_number / 2, run_number // 2, strftime(begun_at, '%Y-%m') FROM runs ORDER BY run_id",
    "SELECT id, row_number() OVER (ORDER BY run_id) AS n FROM runs QUALIFY n < 3 ORDER BY n",
    "SELECT max(run_id) FILTER (WHERE branch ILIKE 'MA%' AND contains(title, 'a')), median(duration_seconds) FROM runs",
    "SELECT range FROM range(3) AS t(range) UNION ALL SELECT 7 ORDER BY 1",
]


@pytest.mark.parametrize("query", SAME)
def test_a_question_is_answered_as_on_duckdb(
    query: str, reader: PostgresReader, database: duckdb.DuckDBPyConnection
) -> None:
    database.execute(AUTHORISATION)
    database.execute("SET TimeZone = 'UTC'")
    expected = duckdb_asking.ask(database, query, limit=100, seconds=5)
    answer = asking.ask(reader, query, limit=100, seconds=5)
    assert sorted(answer.rows, key=str) == sorted(expected.rows, key=str)
    assert len(answer.columns) == len(expected.columns)


HOSTILE = [
    "SELECT 1; SELECT 2",
    "DELETE FROM jobs",
    "DROP TABLE jobs",
    "",
    "   ;",
    "nonsense",
    "SET statement_timeout = 0",
    "WITH gone AS (DELETE FROM jobs RETURNING *) SELECT * FROM gone",
    "SELECT 1 INTO copied",
    "EXPLAIN ANALYZE SELECT 1",
    "COPY runs TO '/tmp/x'",
    "COPY (SELECT 1) TO PROGRAM 'touch /tmp/x'",
    "DO $$ BEGIN END $$",
    "CALL pg_sleep(1)",
    "SELECT pg_sleep(9)",
    "SELECT PG_SLEEP(9)",
    'SELECT "pg_sleep"(9)',
    "SELECT pg_catalog.pg_sleep(9)",
    "SELECT * FROM pg_sleep(9)",
    'SELECT 1 AS "pg_sleep"(9)',
    'SELECT U&"pg\\005fsleep"(9)',
    "SELECT pg_sleep/**/(9)",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT * FROM pg_ls_dir('/')",
    "SELECT lo_import('/etc/passwd')",
    "SELECT lo_from_bytea(0, 'x')",
    "SELECT * FROM dblink('host=127.0.0.1', 'SELECT 1') AS t(a int)",
    "SELECT query_to_xml('SELECT * FROM settings', true, true, '')",
    "SELECT table_to_xml('settings', true, true, '')",
    "SELECT set_config('statement_timeout', '0', false)",
    "SELECT current_setting('data_directory')",
    "SELECT pg_advisory_lock(7461002)",
    "SELECT pg_terminate_backend(1)",
    "SELECT pg_notify('cicd_finished', '{}')",
    "SELECT nextval('x')",
    "SELECT repeat('x', 1000000000)",
    "SELECT lpad('x', 1000000000)",
    "SELECT random()",
    "SELECT * FROM settings",
    "SELECT payload FROM deliveries",
    "SELECT * FROM public.settings",
    'SELECT * FROM "settings"',
    "SELECT * FROM 'settings'",
    "SELECT * FROM pg_class",
    "SELECT * FROM pg_catalog.pg_authid",
    "SELECT * FROM pg_shadow",
    "SELECT * FROM information_schema.tables",
    "TABLE settings",
    "SELECT * FROM (SELECT 1) AS a JOIN notifications ON TRUE",
    "SELECT (WITH settings AS (SELECT 1 AS value) SELECT value FROM settings), (SELECT max(value) FROM settings)",
    "SELECT 'settings'::regclass",
    "SELECT CAST('pg_authid' AS \"regclass\")",
    "SELECT '<x/>'::xml",
    "SELECT ARRAY[1]::oid[]",
    "SELECT 1) AS asked; DROP TABLE jobs; --",
    "SELECT 1) AS a UNION ALL (SELECT value FROM settings",
    "SELECT * FROM runs FOR UPDATE",
    "SELECT 1 OPERATOR(pg_catalog.+) 1",
    "SELECT $1",
    "SELECT ?",
    "SELECT %s",
    "SELECT '\\' || pg_sleep(9) || '\\'",
    "SELECT $x$'$x$ || pg_sleep(9)",
    "SELECT E'\\'', pg_sleep(9) --'",
    "SELECT * FROM runs TABLESAMPLE SYSTEM (1)",
    "SELECT * FROM ROWS FROM (pg_sleep(9))",
    "SELECT runs.pg_sleep FROM runs",
    "SELECT (r).query_to_xml FROM runs AS r",
    "SELECT r.lo_unlink FROM runs AS r",
    "SELECT xmlelement(name x)",
    "SELECT json_agg(r) FROM runs AS r",
    "SELECT array_fill(1, ARRAY[100000000])",
    "SELECT " + "(" * 4000 + "1" + ")" * 4000,
    "SELECT " + "-" * 2001 + "1",
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT 1\0, pg_sleep(9)",
    "PRAGMA database_list",
]


@pytest.mark.parametrize("query", HOSTILE)
def test_anything_but_one_select_over_the_data_is_refused(
    query: str, reader: PostgresReader, target: PostgresCursor
) -> None:
    with pytest.raises(BadRequest) as refused:
        ask(reader, query)
    assert refused.value.message
    assert target.execute("SELECT count(*) FROM jobs").fetchone() == (1,)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT $$pg_sleep(9)$$",
        "SELECT 'it''s \\'",
        'SELECT \'x\' AS "a""b"',
        "SELECT '%s %d %%'",
        "SELECT 1 -- pg_sleep(9)",
    ],
)
def test_text_stays_text(query: str, reader: PostgresReader) -> None:
    try:
        [[value]] = ask(reader, query)
    except BadRequest:
        return
    assert str(value) in query.replace("''", "'")


def test_an_endless_question_is_stopped_and_leaves_its_connection_as_it_was(reader: PostgresReader) -> None:
    with pytest.raises(BadRequest, match=r"stopped after 0\.3 s"):
        ask(reader, "SELECT count(*) FROM range(100000) AS a, range(100000) AS b, range(1000) AS c", seconds=0.3)
    for _ in range(4):
        with reader.connection() as connection:
            assert connection.execute("SHOW statement_timeout").fetchone() == ("1min",)


def test_long_texts_and_long_answers_are_cut(reader: PostgresReader) -> None:
    answer = asking.ask(reader, "SELECT string_agg('abcdefghij', '') AS long FROM range(5000)", limit=10, seconds=5)
    assert len(answer.rows[0][0]) < 2100
    answer = asking.ask(reader, "FROM range(500)", limit=10, seconds=5)
    assert (len(answer.rows), answer.is_cut) == (10, True)


def test_the_server_says_what_is_wrong(reader: PostgresReader) -> None:
    with pytest.raises(BadRequest, match='column "statsu" does not exist'):
        ask(reader, "SELECT statsu FROM runs")
