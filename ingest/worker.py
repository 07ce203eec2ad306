"""`python -m ingest worker`: the duties of a leader without the HTTP service, for a PostgreSQL database."""

import argparse
import signal
import threading

from core.errors import DashboardError
from core.settings import Settings
from ingest.logs import configure_logs
from ingest.service import Service


def run(chosen: Settings, _: argparse.Namespace) -> None:
    """Lead, or wait to lead, until a signal ends it. Raises DashboardError on a DuckDB file, which has one owner."""
    if not chosen.is_shared:
        raise DashboardError(
            "A worker needs a database that several processes share.",
            hint="Set DATABASE_URL=postgresql://…; with DuckDB, `python -m ingest serve` does all the work.",
        )
    configure_logs(chosen)
    ended = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: ended.set())
    # A worker leads whatever RUN_SCHEDULER says to the replicas beside it.
    service = Service.start(chosen.model_copy(update={"run_scheduler": True}))
    try:
        ended.wait()
    finally:
        service.stop_now()
