"""DuckDB's SQL in PostgreSQL's words, statement by statement; that both answer alike is held in tests/postgres."""

from collections.abc import Sequence

import pytest
import sqlglot

from core.errors import BadRequest
from core.store.postgres.admitting import admitted
from core.store.postgres.dialect import translated, with_marks


def as_written(text: str) -> Sequence[str]:
    """One spelling of what means the same, so that only words count."""
    return sqlglot.transpile(text, read="postgres", write="postgres", identify=True)


@pytest.mark.parametrize(
    ("duckdb", "postgres"),
    [
        ("SELECT a FROM (SELECT 1 AS a)", "SELECT a FROM (SELECT 1 AS a) AS unnamed"),
        ("SELECT a FROM (SELECT 1) AS b, (SELECT 2)", "SELECT a FROM (SELECT 1) AS b, (SELECT 2) AS unnamed"),
        ("SELECT * FROM t JOIN (SELECT 1) ON TRUE", "SELECT * FROM t JOIN (SELECT 1) AS unnamed ON TRUE"),
        ("SELECT (SELECT 1)", "SELECT (SELECT 1)"),
        ("SELECT 1 WHERE (a, b) IN (SELECT (c, d) FROM t)", "SELECT 1 WHERE (a, b) IN (SELECT c, d FROM t)"),
        ("SELECT 1 WHERE a IN (SELECT c FROM t)", "SELECT 1 WHERE a IN (SELECT c FROM t)"),
        ("SELECT 1 WHERE (a, b) IN (SELECT c, d FROM t)", "SELECT 1 WHERE (a, b) IN (SELECT c, d FROM t)"),
        (
            "SELECT 1 WHERE a IN (SELECT b FROM (SELECT (c, d) AS b FROM t) AS u)",
            "SELECT 1 WHERE a IN (SELECT b FROM (SELECT (c, d) AS b FROM t) AS u)",
        ),
        (
            "SELECT a, b + 1 AS c, count(*) AS n, max(d) FROM t GROUP BY ALL",
            "SELECT a, b + 1 AS c, count(*) AS n, max(d) FROM t GROUP BY a, b + 1",
        ),
        ("SELECT a, count(*) FROM t GROUP BY a, b", "SELECT a, count(*) FROM t GROUP BY a, b"),
        (
            "INSERT INTO t VALUES (1) ON CONFLICT (i) DO UPDATE SET a = a + excluded.a, b = u.b WHERE c < d",
            "INSERT INTO t VALUES (1) ON CONFLICT (i) DO UPDATE SET a = t.a + excluded.a, b = u.b WHERE t.c < t.d",
        ),
        (
            "INSERT INTO t VALUES (1) ON CONFLICT (i) DO UPDATE SET a = a",
            "INSERT INTO t VALUES (1) ON CONFLICT (i) DO UPDATE SET a = t.a",
        ),
        ("INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING", "INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING"),
        ("SELECT list_contains(a, b)", "SELECT b = ANY(CAST(a AS TEXT[]))"),
        ("SELECT unnest(generate_series(1, 3))", "SELECT generate_series(CAST(1 AS BIGINT), 3)"),
        ("SELECT * FROM generate_series(1, 3)", "SELECT * FROM generate_series(1, 3)"),
        ("SELECT any_value(a)", "SELECT min(a)"),
        (
            "SELECT arg_max(a, b)",
            """SELECT (array_agg(a ORDER BY b DESC NULLS LAST)
                FILTER (WHERE TRUE AND NOT a IS NULL AND NOT b IS NULL))[1]""",
        ),
        (
            "SELECT arg_min(a, b) FILTER (WHERE c OR d)",
            "SELECT (array_agg(a ORDER BY b ASC) FILTER (WHERE (c OR d) AND NOT a IS NULL AND NOT b IS NULL))[1]",
        ),
        ("CREATE TABLE t (a VARCHAR, c INTEGER)", 'CREATE TABLE t (a TEXT COLLATE "C", c INTEGER)'),
        ("ALTER TABLE t ADD COLUMN e VARCHAR", 'ALTER TABLE t ADD COLUMN e TEXT COLLATE "C"'),
        ("SELECT epoch(a)", "SELECT EXTRACT(EPOCH FROM a)"),
        ("SELECT extract(epoch FROM a)", "SELECT EXTRACT(epoch FROM a)"),
        ("SELECT extract(hour FROM a)", "SELECT CAST(EXTRACT(hour FROM a) AS BIGINT)"),
        ("SELECT extract(hour FROM a)::INT", "SELECT CAST(EXTRACT(hour FROM a) AS INT)"),
        ("SELECT a / b", "SELECT CAST(a AS DOUBLE PRECISION) / NULLIF(b, 0)"),
        ("SELECT sum(a)", "SELECT CAST(sum(a) AS DOUBLE PRECISION)"),
        (
            "SELECT sum(a) FILTER (WHERE b) OVER (ORDER BY c)",
            "SELECT CAST(sum(a) FILTER (WHERE b) OVER (ORDER BY c) AS DOUBLE PRECISION)",
        ),
        ("SELECT max(a) OVER (ORDER BY sum(b))", "SELECT max(a) OVER (ORDER BY CAST(sum(b) AS DOUBLE PRECISION))"),
        ("SELECT max(a) FILTER (WHERE b), max(a) OVER ()", "SELECT max(a) FILTER (WHERE b), max(a) OVER ()"),
        ("SELECT round(a, 2), round(a)", "SELECT round(CAST(a AS DECIMAL), 2), round(a)"),
    ],
)
def test_a_statement_means_the_same_on_both_databases(duckdb: str, postgres: str) -> None:
    assert as_written(translated(duckdb)) == as_written(postgres)


def test_several_statements_stay_apart_and_remarks_are_left_out() -> None:
    assert translated("SELECT 1 /* one */; SELECT 2 -- two") == "SELECT 1;\nSELECT 2"
    assert with_marks("SELECT 1 /* one */; SELECT ? -- two") == "SELECT 1;\nSELECT %s"


def test_values_have_psycopgs_marks_and_its_sign_is_doubled_elsewhere() -> None:
    marked = with_marks("SELECT a LIKE '%x', b / 2 FROM (SELECT ? AS a) WHERE list_contains(?, c)")
    assert marked == (
        "SELECT a LIKE '%%x', CAST(b AS DOUBLE PRECISION) / NULLIF(2, 0) FROM (SELECT %s AS a) AS unnamed "
        "WHERE c = ANY(CAST(%s AS TEXT[]))"
    )


PARTS = {
    "hour": "hour", "minute": "minute", "second": "second", "quarter": "quarter", "week": "week", "weekofyear": "week",
    "dayofyear": "doy", "dayofweek": "dow", "isodow": "isodow", "dayofmonth": "day", "day": "day", "month": "month",
    "year": "year",
}  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ('SELECT Status, "Status" FROM RUNS', 'SELECT "status", "Status" FROM "runs"'),
        ("FROM runs;", 'SELECT * FROM "runs"'),
        ("VALUES (1)", "VALUES (1)"),
        ("SELECT 1 UNION ALL SELECT 2 -- more", "SELECT 1 UNION ALL SELECT 2"),
        (
            "WITH a AS (SELECT 1 AS n), b AS (SELECT n FROM a) SELECT a.n FROM a, b AS c",
            """WITH "asked_a" AS (SELECT 1 AS "n"), "asked_b" AS (SELECT "n" FROM "asked_a" AS "a")
            SELECT "a"."n" FROM "asked_a" AS "a", "asked_b" AS "c" """,
        ),
        (
            "WITH a(n) AS (SELECT 1) SELECT n FROM a",
            'WITH "asked_a"("n") AS (SELECT 1) SELECT "n" FROM "asked_a" AS "a"',
        ),
        (
            "WITH RECURSIVE a(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM a) SELECT n FROM a",
            """WITH RECURSIVE "asked_a"("n") AS (SELECT 1 UNION ALL SELECT "n" + 1 FROM "asked_a" AS "a")
            SELECT "n" FROM "asked_a" AS "a" """,
        ),
        ("WITH runs AS (SELECT 1 AS n) SELECT n FROM runs", 'WITH "runs" AS (SELECT 1 AS "n") SELECT "n" FROM "runs"'),
        *(
            (f"SELECT {word}(a) FROM runs", f'SELECT CAST(EXTRACT({part} FROM "a") AS BIGINT) FROM "runs"')
            for word, part in PARTS.items()
        ),
        ("SELECT dayname(a), monthname(a)", "SELECT to_char(\"a\", 'FMDay'), to_char(\"a\", 'FMMonth')"),
        ("SELECT count_if(a) FROM runs", 'SELECT count(*) FILTER (WHERE "a") FROM "runs"'),
        ("SELECT contains(a, 'x')", "SELECT POSITION('x' IN \"a\") > 0"),
        ("SELECT quantile(a, 0.9)", 'SELECT percentile_cont(0.9) WITHIN GROUP (ORDER BY "a")'),
        ("SELECT mean(a), MEAN(b)", 'SELECT avg("a"), avg("b")'),
        ("SELECT range FROM range(3) AS t(range)", 'SELECT "range" FROM generate_series(0, 3 - 1) AS "t"("range")'),
        ("SELECT a::VARCHAR, b / 2", 'SELECT CAST("a" AS TEXT), CAST("b" AS DOUBLE PRECISION) / NULLIF(2, 0)'),
        ("SELECT 'a\0b'", "SELECT 'a\ufffdb'"),
    ],
)
def test_a_question_is_said_in_the_servers_words(asked: str, answered: str) -> None:
    assert as_written(admitted(asked)) == as_written(answered)


def test_every_name_of_a_question_is_in_quotes_and_its_remarks_are_left_out() -> None:
    assert admitted("SELECT a /* b */ FROM runs") == 'SELECT "a" FROM "runs"'


LISTED = "The views are listed beside the query."


@pytest.mark.parametrize(
    ("asked", "message", "hint"),
    [
        ("SELECT 1; SELECT 2", "Only one SELECT is answered here.", ""),
        ("DELETE FROM jobs", "Only one SELECT is answered here.", ""),
        ("", "Only one SELECT is answered here.", ""),
        ("SELECT a b c", "Invalid expression / Unexpected token. Line 1, Col: 12.\n  SELECT a b c", ""),
        ("SELECT " + "(" * 3000 + "1" + ")" * 3000, "The query is nested too deeply.", ""),
        ("SELECT a::BLOB", "Only plain types can be cast to, not BLOB.", ""),
        ("SELECT * FROM settings", "settings can't be read here.", LISTED),
        ("SELECT (SELECT max(a) FROM pg_class)", "pg_class can't be read here.", LISTED),
        ("SELECT * FROM main.runs", "Views are named without a schema here.", "They are listed beside the query."),
        (
            "WITH bad AS (SELECT 1 AS n) SELECT n FROM main.bad",
            "Views are named without a schema here.",
            "They are listed beside the query.",
        ),
        ("SELECT pg_sleep(9)", "The function pg_sleep can't be used here on PostgreSQL.", ""),
        ("SELECT f1(9)", "The function f1 can't be used here on PostgreSQL.", ""),
        ('SELECT "PG_sleep"(9)', "The function pg_sleep can't be used here.", ""),
        ("SELECT {'a': 1}", "a := 1 can't be used here on PostgreSQL.", ""),
        ("SELECT a COLLATE b", "a COLLATE b can't be used here on PostgreSQL.", ""),
        ("SELECT * FROM runs FOR UPDATE", "Lock can't be used here on PostgreSQL.", ""),
        ("SELECT '" + "x" * 100 + "' COLLATE b", "'" + "x" * 79 + " can't be used here on PostgreSQL.", ""),
    ],
)
def test_a_refused_question_is_told_why(asked: str, message: str, hint: str) -> None:
    with pytest.raises(BadRequest) as refused:
        admitted(asked)
    assert (refused.value.message, refused.value.hint) == (message, hint)
