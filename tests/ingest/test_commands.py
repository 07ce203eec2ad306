"""Commands that can't do what they are asked say why in one sentence; a backfill shows how far it is."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from core.errors import DashboardError
from core.settings import load_settings
from ingest import backfill
from ingest.__main__ import main
from ingest.polling.progress import Progress
from ingest.remote import ask
from tests.builders import NOON
from tests.ports import free_port

NOWHERE = "postgresql://health:a-password@127.0.0.1:1/none"


@contextmanager
def answering(status: int, body: str) -> Iterator[str]:
    """Something that answers all calls so; gives its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()


@pytest.mark.parametrize(
    ("status", "body", "sentence"),
    [
        (409, json.dumps({"error": {"message": "Somebody was first."}}), "Somebody was first."),
        (200, "<html>Sign in</html>", "is no ingest service (200). Check INGEST_URL."),
        (502, "", "is no ingest service (502). Check INGEST_URL."),
    ],
)
def test_a_command_tells_what_the_service_said_or_that_it_is_none(status: int, body: str, sentence: str) -> None:
    with answering(status, body) as address, pytest.raises(DashboardError) as caught:
        ask(load_settings(ingest_url=address), "GET", "/api/v1/deliveries")
    assert sentence in str(caught.value)


def test_a_command_whose_service_is_away_says_where_it_looked() -> None:
    address = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(DashboardError) as caught:
        ask(load_settings(ingest_url=address), "GET", "/api/v1/deliveries")
    assert f"The ingest service at {address} doesn't answer" in str(caught.value)


@pytest.mark.parametrize(
    ("database", "arguments", "sentence"),
    [
        (None, ["import", "{folder}/other.duckdb"], "DATABASE_URL names no PostgreSQL database."),
        (None, ["export", "{folder}/new.duckdb"], "DATABASE_URL names no PostgreSQL database."),
        (NOWHERE, ["import", "{folder}/none.duckdb"], "There is no database at {folder}/none.duckdb."),
        (NOWHERE, ["export", "{folder}/other.duckdb"], "{folder}/other.duckdb exists already."),
        (NOWHERE, ["backup", "{folder}/new.duckdb"], "The data lives in PostgreSQL"),
        (NOWHERE, ["compact"], "The data lives in PostgreSQL"),
        (None, ["backup", "{folder}/other.duckdb"], "{folder}/other.duckdb exists already."),
        (None, ["worker"], "A worker needs a database that several processes share."),
        (None, ["token", "--sub", "ana"], "JWT_SECRET is not set."),
    ],
)
def test_a_command_that_cannot_be_says_why_and_touches_nothing(
    database: str | None,
    arguments: list[str],
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    other = tmp_path / "other.duckdb"
    other.write_text("something of somebody's")
    if database:
        monkeypatch.setenv("DATABASE_URL", database)
    assert main([part.format(folder=tmp_path) for part in arguments]) == 1
    told = capsys.readouterr()
    [line] = told.err.strip().splitlines()
    assert line.startswith("Error: ")
    assert sentence.format(folder=tmp_path) in line
    assert "a-password" not in line
    assert (told.out, other.read_text()) == ("", "something of somebody's")
    assert [path.name for path in tmp_path.iterdir()] == ["other.duckdb"]


START = Progress(
    "github-actions", "acme/web", NOON, None, 0.0, 0, 0, 0, 0, 10, 4, 900, 1000, None, None, None, done=False
)  # fmt: skip
HALF = replace(START, listed=0.5, runs=40, attempts=50, attempts_left=20, jobs=60, requests=40, points=34)
DONE = replace(HALF, listed=1.0, runs=1080, attempts=1100, attempts_left=0, jobs=2200, requests=1200, done=True)


def test_a_backfill_shows_how_far_it_is_where_nobody_watches_a_bar(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(backfill, "PACE", 0)
    monkeypatch.setattr(backfill, "QUIET_PACE", -1)
    waiting = replace(HALF, waits_until=NOON + timedelta(minutes=5))
    looks = iter([START, HALF, waiting, DONE])
    assert backfill._follow(lambda: next(looks)) == (
        "acme/web: 1,080 runs, 1,100 attempts and 2,200 jobs are stored since 2026-03-02. "
        "1,190 requests, 30 points of the limit, 0 s."
    )
    shown = " ".join(capsys.readouterr().err.split())
    assert "50% of the time, 30 of 50 attempts; 900 of 1,000 requests left this hour" in shown
    assert "waiting until 12:05:00 UTC" in shown


def test_a_backfill_that_is_refused_says_that_nothing_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backfill, "PACE", 0)
    looks = iter([START, replace(HALF, error="GitHub knows no acme/web.")])
    with pytest.raises(DashboardError, match=r"GitHub knows no acme/web. What was read is stored"):
        backfill._follow(lambda: next(looks))


@pytest.mark.parametrize(("seconds", "text"), [(89, "89 s"), (90, "2 min"), (5399, "90 min"), (5400, "1.5 h")])
def test_what_is_left_is_told_in_words_that_people_use(seconds: float, text: str) -> None:
    assert backfill._note(START, seconds).startswith(f"about {text} left")
