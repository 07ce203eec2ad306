"""Any order and any repetition of a provider's deliveries gives the same rows, payload by payload of its fixtures."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.model import Delivery
from core.store.duckdb_file import open_owned
from core.store.writer import Writer
from ingest.providers import webhooks
from tests.ingest.providers.fixtures import payloads, recorded

TABLES = ("pipelines", "workflow_runs", "jobs", "steps")
# Which pipeline of a repository heard its newest name first is no fact about the repository.
LEFT_OUT = {"pipelines": "EXCLUDE (repository_version)"}
NOW = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)
# Where captures of each system's own calls lie, under RECORDED_PAYLOADS.
RECORDED_OF = {
    "gitlab": ("gitlab/webhooks_*/*.json",),
    "buildbot": ("buildbot/webhooks/*.json",),
    "azure-pipelines": ("azuredevops/webhook_*.json",),
    "bitbucket": ("bitbucket/webhook_*.json",),
}
PROVIDERS = sorted(set(webhooks()) - {"github-actions"})


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_owned(tmp_path_factory.mktemp("order") / "health.duckdb", memory_limit="1GB", threads=2) as connection:
        yield connection


def rows_after(
    connection: duckdb.DuckDBPyConnection,
    provider: str,
    sent: list[tuple[int, dict[str, Any]]],
    *,
    together: bool,
) -> list[object]:
    """All rows after the deliveries, committed in one group or each alone."""
    connection.execute("".join(f"DELETE FROM {table};" for table in (*TABLES, "deliveries")))
    with closing(Writer(connection)) as writer:  # one of its own: it remembers what it stored
        futures = []
        for number, payload in sent:
            changes = webhooks()[provider].parse("", payload)
            if changes is None:
                continue
            future = writer.submit_delivery(
                Delivery(provider, str(number), "", None, NOW, "processed", None, "{}", changes)
            )
            if not together:
                future.result()
            futures.append(future)
        for future in futures:
            future.result()
    return [
        connection.execute(f"SELECT * {LEFT_OUT.get(table, '')} FROM {table} ORDER BY ALL").fetchall()
        for table in TABLES
    ]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_any_order_and_any_repetition_gives_the_same_rows(database: duckdb.DuckDBPyConnection, provider: str) -> None:
    known = payloads(provider) + [sent for _, sent in recorded(*RECORDED_OF.get(provider, ()))]
    assert len(known) > 1, f"tests/fixtures/{provider} holds no sequence of payloads"

    @settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(data=st.data())
    def check(data: st.DataObject) -> None:
        chosen = data.draw(st.lists(st.sampled_from(range(len(known))), min_size=2, max_size=8))
        numbered = [(number, known[index]) for number, index in enumerate(chosen)]
        repeated = data.draw(st.lists(st.sampled_from(numbered), max_size=3))
        shuffled = data.draw(st.permutations(numbered + repeated))
        in_order = rows_after(database, provider, numbered, together=False)
        assert rows_after(database, provider, shuffled, together=False) == in_order
        assert rows_after(database, provider, shuffled, together=True) == in_order

    check()
