"""A large, plausible history, made inside DuckDB by one set-based statement a table and kept for the next benchmark.

`python -m bench.history --runs 10000000` makes it; the other modules call `history_database`.
"""

import argparse
import hashlib
import os
import shutil
import tempfile
import time
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path

import duckdb

from core.store.duckdb_file import open_owned

RUNS = 1_000_000
DAYS = 120
STEPS_OF_RUNS = 250_000
# A history that ends too long ago would leave the last day, which the overview reads, empty.
MAX_AGE = timedelta(hours=6)

PIPELINES = """
INSERT INTO pipelines
SELECT
    format('gh-{}-{}', 1 + i % 60, i), 'github-actions', 1 + i % 60, format('acme/service-{:02d}', 1 + i % 60),
    format('https://github.com/acme/service-{:02d}', 1 + i % 60), i,
    ['CI', 'Release', 'Nightly', 'Lint', 'Deploy'][1 + i // 60], format('.github/workflows/w{}.yml', i // 60),
    'main', '0|00000|2026', '0|00000|2026'
FROM range(300) AS t(i)"""

# Small numbers drawn from hashes of the run's number: the same history every time. Attempt 2 is what 2 % of runs have.
RUN_ROWS = """
INSERT INTO workflow_runs
WITH drawn AS (
    SELECT
        i, attempt, CAST(hash(i * 2 + attempt) >> 1 AS BIGINT) AS h, CAST(hash(i) % 300 AS BIGINT) AS p, i % 50 = 0 AND i < $runs * 0.999 AS was_rerun,
        $until - to_microseconds(CAST(($runs - i) * ($days * 86400e6 / $runs) AS BIGINT)) AS created_at
    FROM range($runs) AS t(i), (VALUES (1), (2)) AS a(attempt)
    WHERE attempt = 1 OR (i % 50 = 0 AND i < $runs * 0.999)
),
timed AS (
    SELECT
        *, created_at + to_seconds(h % 40) + CASE attempt WHEN 2 THEN to_seconds(1800) ELSE to_seconds(0) END AS started_at,
        60 + (h >> 8) % 400 + CASE WHEN (h >> 20) % 20 = 0 THEN 900 ELSE 0 END AS seconds
    FROM drawn
),
ended AS (
    SELECT
        *, started_at + to_seconds(seconds) AS finished_at,
        CASE
            WHEN started_at > $until THEN 'queued'
            WHEN started_at + to_seconds(seconds) > $until THEN 'running'
            WHEN attempt = 1 AND was_rerun THEN 'failed'
            WHEN (h >> 28) % 100 < 81 THEN 'success'
            WHEN (h >> 28) % 100 < 92 THEN 'failed'
            WHEN (h >> 28) % 100 < 97 THEN 'cancelled'
            ELSE 'skipped'
        END AS status
    FROM timed
)
SELECT
    format('gh-{}-{}-{}', 1 + p % 60, 9000000000 + i, attempt), format('gh-{}-{}', 1 + p % 60, 9000000000 + i),
    format('gh-{}-{}', 1 + p % 60, p), 'github-actions', 9000000000 + i, attempt, i // 300,
    NOT (attempt = 1 AND was_rerun), status,
    CASE status WHEN 'failed' THEN 'failure' WHEN 'queued' THEN NULL WHEN 'running' THEN NULL ELSE status END,
    ['push', 'pull_request', 'schedule'][1 + (h >> 36) % 3], format('Change number {} of the checkout', i),
    CASE WHEN (h >> 40) % 10 < 6 THEN 'main' ELSE format('feature/{}', i // 400 % 200) END,
    NULL, md5(i::VARCHAR) || left(md5((i + 1)::VARCHAR), 8), format('acme/service-{:02d}', 1 + p % 60),
    (h >> 44) % 50 = 0, format('Change number {} of the checkout\n\nBecause it was slow for {} people.', i, h % 1000),
    format('Person {}', h % 80), format('person{}', h % 80),
    format('https://github.com/acme/service-{:02d}/actions/runs/{}', 1 + p % 60, 9000000000 + i),
    created_at, started_at, CASE WHEN status IN ('queued', 'running') THEN NULL ELSE finished_at END,
    least(finished_at, $until), CASE WHEN status IN ('queued', 'running') THEN NULL ELSE seconds END,
    format('2|00000|{}|{:016x}', strftime(least(finished_at, $until), '%Y-%m-%dT%H:%M:%S.%fZ'), h),
    started_at, CASE WHEN status IN ('queued', 'running') THEN started_at ELSE finished_at END
FROM ended
ORDER BY started_at, i"""

# Two jobs of each attempt, one after the other; steps are kept for the newest quarter million runs only, as a retention time would.
JOB_ROWS = """
INSERT INTO jobs
WITH part AS (
    SELECT r.*, j.n, j.name, started_at + to_milliseconds(CAST(j.begun * 1000 * duration_seconds AS BIGINT)) AS job_started_at,
        started_at + to_milliseconds(CAST(j.ended * 1000 * duration_seconds AS BIGINT)) AS job_finished_at
    FROM workflow_runs AS r, (VALUES (1, 'build', 0.0, 0.4), (2, 'test', 0.42, 1.0)) AS j(n, name, begun, ended)
    WHERE r.finished_at IS NOT NULL AND r.status <> 'skipped'
)
SELECT
    format('{}-{}', id, n), id, provider, format('{}{}', run_id, n), name, CASE n WHEN 1 THEN 'success' ELSE status END, NULL,
    format('runner-{}', hash(id) % 20), 'ubuntu-latest', NULL,
    job_started_at - to_seconds(CAST(hash(id, n) % 25 AS BIGINT)), job_started_at, job_finished_at,
    date_diff('second', job_started_at, job_finished_at), CAST(hash(id, n) % 25 AS BIGINT), version
FROM part
ORDER BY finished_at, n"""

STEP_ROWS = """
INSERT INTO steps
SELECT
    j.id, s.n, s.name, CASE WHEN s.n = 2 THEN j.status ELSE 'success' END, NULL, j.started_at, j.finished_at,
    CASE WHEN s.n = 2 THEN j.duration_seconds ELSE 5 END, j.version
FROM jobs AS j, (VALUES (1, 'Check out'), (2, 'Work'), (3, 'Clean up')) AS s(n, name)
WHERE j.finished_at > $since"""

DELIVERIES = """
INSERT INTO deliveries
SELECT
    'github-actions', md5(i::VARCHAR), 'workflow_run', 'completed', $until - to_seconds(($count - i) * 7 * 86400 // $count),
    'processed', NULL, '{}'
FROM range($count) AS t(i)"""

ALERTS = """
INSERT INTO alerts (id, type, severity, status, pipeline_id, branch, attempt_id, message, dedup_key, occurrences,
    created_at, last_seen_at)
SELECT
    md5(id), 'pipeline_failure', CASE WHEN branch = 'main' THEN 'critical' ELSE 'info' END,
    CASE WHEN row_number() OVER (ORDER BY finished_at DESC) % 4 = 0 THEN 'acknowledged' ELSE 'active' END,
    pipeline_id, branch, id, format('{} failed on {}', pipeline_id, branch), pipeline_id || branch, 1,
    finished_at, finished_at
FROM workflow_runs
WHERE status = 'failed' AND is_latest AND NOT is_fork
ORDER BY finished_at DESC
LIMIT 24"""

STATEMENTS = (PIPELINES, RUN_ROWS, JOB_ROWS, STEP_ROWS, DELIVERIES, ALERTS)


def history_database(runs: int = RUNS, folder: Path | None = None, max_age: timedelta | None = MAX_AGE) -> Path:
    """Path of a database with `runs` workflow runs of 120 days, made anew once it is older than `max_age` (None: never).

    Whoever accepts an old one asks it as of `ends_at`. A changed schema or a changed history makes another file.
    """
    path = kept(folder) / f"history-{runs}-{_version()}.duckdb"
    if path.exists() and (max_age is None or time.time() - path.stat().st_mtime < max_age.total_seconds()):
        return path
    fresh = path.with_suffix(f".{os.getpid()}.new")
    connection = open_owned(fresh, memory_limit="8GB", threads=2)
    try:
        fill(connection, runs, datetime.now(UTC))
        connection.execute("CHECKPOINT")
    finally:
        connection.close()
    return fresh.rename(path)


def kept(folder: Path | None = None) -> Path:
    """The folder of what is made once for many benchmarks."""
    folder = folder or Path(tempfile.gettempdir()) / "cicd-health-bench"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def ends_at(connection: duckdb.DuckDBPyConnection) -> datetime:
    """The moment at which a history ends (UTC): "now" for whoever asks an old one."""
    row = connection.execute("SELECT max(updated_at) FROM workflow_runs").fetchone()
    assert row
    return row[0].astimezone(UTC)


def _version() -> str:
    """What the files depend on: the migrations, and the statements that fill the tables."""
    migrations = sorted((files("core") / "sql" / "migrations").iterdir(), key=lambda file: file.name)
    texts = [file.read_text() for file in migrations] + list(STATEMENTS)
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:10]


def own_copy(runs: int, folder: Path) -> Path:
    """A copy of the history in `folder`, for a service that will write to it."""
    return Path(shutil.copyfile(history_database(runs), folder / "health.duckdb"))


def fill(connection: duckdb.DuckDBPyConnection, runs: int, until: datetime) -> None:
    """Fill an empty, migrated database with `runs` runs that end at `until`, their jobs, a week of deliveries and 24 alerts."""
    connection.execute(PIPELINES)
    connection.execute(RUN_ROWS, {"runs": runs, "days": DAYS, "until": until})
    connection.execute(JOB_ROWS)
    connection.execute(STEP_ROWS, {"since": until - timedelta(days=min(DAYS, DAYS * STEPS_OF_RUNS / runs))})
    connection.execute(DELIVERIES, {"count": min(runs // 5, 200_000), "until": until})
    connection.execute(ALERTS)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.history", description=__doc__)
    parser.add_argument("--runs", type=int, default=RUNS)
    begun = time.perf_counter()
    path = history_database(parser.parse_args().runs)
    print(f"{path}: {path.stat().st_size:,} bytes, {time.perf_counter() - begun:.1f} s")


if __name__ == "__main__":
    main()
