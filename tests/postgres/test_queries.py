"""Every named query gives the same frame on both databases: columns, types, order, NULLs and values."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from core.settings import load_settings
from core.store.duckdb_file import open_owned
from core.store.postgres.connection import PostgresCursor, connect
from core.store.postgres.migrations import migrate_postgres
from core.store.postgres.reader import PostgresReader
from core.store.postgres.transfer import copy_into
from core.store.reader import OwnerReader, Reader
from ingest.simulation.fill import fill
from tests.conftest import wait_for
from tests.core.test_queries import EVERY, NAMES
from tests.postgres_server import PostgresServer


@dataclass(frozen=True)
class Both:
    """The same simulated history in both databases, and sets of parameters that find something in it."""

    duckdb: Reader
    postgres: Reader
    parameters: dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory, postgres_server: PostgresServer) -> Iterator[Both]:
    path = tmp_path_factory.mktemp("both") / "health.duckdb"
    fill(load_settings(database_url=f"duckdb:///{path}"), days=20)
    file = open_owned(path, memory_limit="1GB", threads=2)
    url = postgres_server.database()
    connection = connect(url, "test")
    migrate_postgres(connection, url)
    copy_into(PostgresCursor(connection), file, "test", lambda _: None)
    reader = PostgresReader(url, size=3)
    yield Both(OwnerReader(file), reader, _parameters(file))
    reader.close()
    connection.close()
    file.close()


def _parameters(file: Any) -> dict[str, dict[str, Any]]:
    now = datetime.now(UTC)
    attempt, run, pipeline, repository, repository_id = file.execute(
        """SELECT r.id, r.run_key, r.pipeline_id, p.repository, p.repository_id
        FROM workflow_runs AS r JOIN pipelines AS p ON p.id = r.pipeline_id
        WHERE r.run_attempt = 2 AND r.branch = 'main' ORDER BY r.id LIMIT 1"""
    ).fetchone()
    (job,) = file.execute("SELECT id FROM jobs ORDER BY status = 'failed' DESC, id LIMIT 1").fetchone()
    (alert,) = file.execute("SELECT alert_id FROM alert_events GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1").fetchone()
    (delivery,) = file.execute("SELECT min(delivery_id) FROM deliveries").fetchone()
    wide = EVERY | {
        "since": now - timedelta(days=14), "until": now, "limit": 300, "window_start": now - timedelta(days=7),
        "window_end": now, "previous_start": now - timedelta(days=14), "day_ago": now - timedelta(days=1),
        "chart_start": now - timedelta(days=7), "now": now, "attempt_id": attempt, "alert_id": alert,
        "delivery_id": delivery, "attempt_ids": (attempt, "unknown"), "provider": "github-actions",
        "repository_id": repository_id,
    }  # fmt: skip
    narrow = wide | {
        "repository": repository, "branch": "main", "pipeline_id": pipeline, "pipeline_ids": (pipeline,),
        "statuses": ("failed", "success", "resolved"), "result": "processed", "status": "success", "id": pipeline,
    }  # fmt: skip
    known = {**EVERY, "since": now - timedelta(days=14), "id": None}
    return {
        "of one provider": wide | {"id": run},
        "of everything": {name: known.get(name) if known.get(name) is None else value for name, value in wide.items()},
        "of one branch": narrow,
        "of one job": wide | {"id": job},
        "of nothing": EVERY,
    }


@pytest.mark.parametrize("name", NAMES)
def test_a_query_gives_the_same_frame_on_both_databases(name: str, both: Both) -> None:
    for what, parameters in both.parameters.items():
        expected = comparable(both.duckdb.frame(name, **parameters))
        found = comparable(both.postgres.frame(name, **parameters))
        # As real numbers, seconds since 1970 are exact to a fifth of a microsecond.
        pd.testing.assert_frame_equal(found, expected, rtol=1e-8, obj=f"{name} {what}")


def comparable(frame: pd.DataFrame) -> pd.DataFrame:
    """Lists stand in no order: they are compared as sorted texts."""
    for column in frame.columns:
        if any(isinstance(value, list | np.ndarray) for value in frame[column]):
            frame[column] = frame[column].map(lambda value: sorted(map(str, value)) if value is not None else None)
    return frame


def test_an_export_streams_the_same_rows(both: Both) -> None:
    parameters = both.parameters["of one provider"] | {"limit": None}
    pages = [list(reader.batches("run_export", 100, **parameters)) for reader in (both.duckdb, both.postgres)]  # type: ignore[attr-defined]
    expected, found = (pd.concat([batch.to_pandas() for batch in batches], ignore_index=True) for batches in pages)
    assert len(found) > 300
    pd.testing.assert_frame_equal(found, expected)


def test_reading_can_change_nothing(both: Both) -> None:
    with both.postgres._pool.connection() as connection, pytest.raises(Exception, match="read-only"):  # type: ignore[attr-defined]
        connection.execute("DELETE FROM settings")


def test_of_many_runs_the_server_s_own_count_is_told(target: PostgresCursor, postgres_url: str) -> None:
    """Counting a million rows for each look at a page would take longer than the page."""
    target.run(
        """INSERT INTO workflow_runs (id, run_key, pipeline_id, provider, run_id, run_attempt, is_latest, status,
            is_fork, created_at, updated_at, version)
        SELECT n, n, 'p', 'github-actions', n, 1, TRUE, 'success', FALSE, now(), now(), ''
        FROM generate_series(1, 10500) AS n"""
    )
    reader = PostgresReader(postgres_url, size=1)
    wait_for(lambda: int(reader.frame("freshness")["runs"].iloc[0]) == 10_500, "the server to know")
    reader.close()
