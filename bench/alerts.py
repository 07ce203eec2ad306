"""`python -m bench.alerts`: how fast alerts reach Slack, a burst, an outage, and a preview of the rules.

Nothing is sent anywhere: a sink on this machine takes what Slack would take.
"""

import json
import statistics
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeAlias

import httpx
import orjson

from bench.processes import SECRET, ingest_environment, launch_ingest, stopped_in_the_end
from bench.report import Report, Table, parser
from core.alert_preview import preview, read_history
from core.pipeline_rules import Rules, Thresholds
from core.settings import load_settings
from core.store.duckdb_file import open_owned
from core.store.reader import OwnerReader
from core.store.telling import Policy
from core.store.writer import Writer
from ingest.alerting import sender as sending
from ingest.alerting.channels.slack import Slack
from ingest.alerting.evaluator import Evaluator
from ingest.providers.github.parse import parse
from ingest.providers.github.signature import signature
from ingest.simulation.fill import fill

WEBHOOKS, BURST, PIPELINES, FAIL_EVERY = 200, 10_000, 100, 4
# The outage and the pauses between attempts are 30 times shorter than in life: 10 minutes are 20 seconds.
SHORTENED = 30
OUTAGE_SECONDS = 600 / SHORTENED


class Sink:
    """Answers with `status`; `taken` holds the bodies that it took, with the moment of each."""

    def __init__(self) -> None:
        self.status = 200
        self.taken: list[tuple[float, dict[str, Any]]] = []
        self.calls = 0
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                at = time.perf_counter()
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                sink.calls += 1
                if sink.status == 200:
                    sink.taken.append((at, body))
                self.send_response(sink.status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/services/x"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def payload(run_id: int, conclusion: str, *, pipeline: int, repository: int, ago: int = 0) -> dict[str, Any]:
    """A run of a minute that ended `ago` seconds before now."""
    now = datetime.now(UTC)
    begun, ended = ((now - timedelta(seconds=ago + s)).strftime("%Y-%m-%dT%H:%M:%SZ") for s in (60, 0))
    place = {
        "id": 1000 + repository,
        "full_name": f"bench/app{repository}",
        "html_url": "https://github.com/bench/app",
        "default_branch": "main",
        "private": False,
    }
    return {
        "action": "completed",
        "workflow_run": {
            "id": run_id,
            "name": f"CI {pipeline}",
            "path": "ci.yml",
            "display_title": "x",
            "workflow_id": 5000 + pipeline,
            "run_number": run_id,
            "run_attempt": 1,
            "event": "push",
            "status": "completed",
            "conclusion": conclusion,
            "head_branch": "main",
            "head_sha": "a" * 40,
            "head_commit": {"message": "x", "author": {"name": "Ana"}},
            "head_repository": {"id": place["id"], "full_name": place["full_name"]},
            "pull_requests": [],
            "actor": {"login": "ana"},
            "html_url": "https://github.com/bench/app",
            "created_at": begun,
            "run_started_at": begun,
            "updated_at": ended,
        },
        "workflow": {"id": 5000 + pipeline, "name": f"CI {pipeline}", "path": "ci.yml"},
        "repository": place,
    }


Figure: TypeAlias = tuple[str, str]


def latency(folder: Path, webhooks: int) -> Figure:
    """Webhook sent → Slack called, one at a time, each of a pipeline that was well. Nothing is gathered."""
    sink = Sink()
    environment = ingest_environment(folder / "latency.duckdb") | {
        "SLACK_WEBHOOK_URL": sink.url,
        "ALERT_GROUP_SECONDS": "0",
        "RATE_LIMIT_PER_MINUTE": "1000000",
    }
    seconds: list[float] = []
    with stopped_in_the_end(launch_ingest(environment, folder)) as running, httpx.Client() as client:
        for number in range(webhooks):
            body = orjson.dumps(payload(number + 1, "failure", pipeline=number, repository=number))
            headers = {
                "X-GitHub-Event": "workflow_run",
                "X-GitHub-Delivery": str(number),
                "Content-Type": "application/json",
                "X-Hub-Signature-256": signature(body, SECRET),
            }
            begun = time.perf_counter()
            client.post(
                f"{running.url}/api/v1/webhook/github-actions", content=body, headers=headers
            ).raise_for_status()
            while len(sink.taken) <= number:
                time.sleep(0.002)
            seconds.append(sink.taken[number][0] - begun)
    ordered = sorted(seconds)
    return (
        f"webhook to Slack, {webhooks} one at a time",
        (
            f"median {statistics.median(ordered) * 1000:.0f} ms, p95 {ordered[int(0.95 * webhooks) - 1] * 1000:.0f} ms, "
            f"slowest {ordered[-1] * 1000:.0f} ms"
        ),
    )


@contextmanager
def parts(path: Path, sink: Sink, gather: timedelta) -> Iterator[tuple[Writer, Evaluator, Any]]:
    """The writer, the evaluator and the sender as the service has them, in this process."""
    connection = open_owned(path, memory_limit="2GB", threads=2)
    sender = sending.Sender([Slack(sink.url)], "http://localhost:8501", gather)
    evaluator = Evaluator(Policy(("slack",), "warning"), sender.wake)
    writer = Writer(connection, on_runs=evaluator.notice)
    sender.start(writer)
    evaluator.start(writer)
    yield writer, evaluator, connection
    evaluator.stop()
    sender.stop()
    writer.close()
    connection.close()


def wait_until_sent(connection: Any, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            waiting = cursor.execute("SELECT count(*) FROM notifications WHERE status <> 'sent'").fetchone()[0]
        if not waiting:
            return
        time.sleep(0.2)
    print(f"after {seconds} s {waiting} messages still wait")


def burst(folder: Path, runs: int) -> Figure:
    """Ten thousand finished runs at once: of 100 pipelines in 20 repositories, every fourth failed."""
    sink = Sink()
    with parts(folder / "burst.duckdb", sink, timedelta(seconds=2)) as (writer, evaluator, connection):
        before = evaluator.evaluations
        begun = time.perf_counter()
        futures = []
        for number in range(runs):
            pipeline = number % PIPELINES
            ends = "failure" if (number // PIPELINES) % FAIL_EVERY == 3 else "success"
            changes = parse("workflow_run", payload(number + 1, ends, pipeline=pipeline, repository=pipeline % 20))
            futures.append(writer.submit_changes(changes))
        for future in futures:
            future.result()
        stored = time.perf_counter() - begun
        time.sleep(1)
        evaluator.evaluate_all()
        wait_until_sent(connection)
        with connection.cursor() as cursor:
            alerts = cursor.execute(
                "SELECT count(*), count(*) FILTER (WHERE status <> 'resolved') FROM alerts"
            ).fetchone()
            twice = cursor.execute("""SELECT count(*) FROM (SELECT dedup_key FROM alerts WHERE status <> 'resolved'
                GROUP BY 1 HAVING count(*) > 1)""").fetchone()[0]
            told = cursor.execute("SELECT count(*) FROM notifications").fetchone()[0]
            told_twice = cursor.execute("""SELECT count(*) FROM (SELECT alert_id, kind FROM notifications
                GROUP BY 1, 2 HAVING count(*) > 1)""").fetchone()[0]
        return (
            f"{runs:,} finished runs of {PIPELINES} pipelines, stored in {stored:.1f} s",
            (
                f"{evaluator.evaluations - before} evaluations, "
                f"{alerts[0]} alerts ({alerts[1]} open), {told} alerts and recoveries told in {len(sink.taken)} messages; "
                f"twice: {twice} alerts, {told_twice} messages"
            ),
        )


def outage(folder: Path) -> Figure:
    """The sink refuses for ten shortened minutes while pipelines fail and recover; then it is back."""
    sending.FIRST_WAIT, sending.LONGEST_WAIT = 2.0 / SHORTENED, 300.0 / SHORTENED  # type: ignore[misc]
    sink = Sink()
    with parts(folder / "outage.duckdb", sink, timedelta()) as (writer, _, connection):
        sink.status = 503
        begun = time.monotonic()
        for step in range(40):
            pipeline = step // 2
            ends = "failure" if step % 2 == 0 else "success"
            ago = 2 if ends == "failure" else 0  # times are whole seconds: the repair must lie after the failure
            changes = parse("workflow_run", payload(step + 1, ends, pipeline=pipeline, repository=pipeline, ago=ago))
            writer.submit_changes(changes).result()
            time.sleep(max(0.0, OUTAGE_SECONDS * (step + 1) / 40 - (time.monotonic() - begun)))
        refused, sink.status = sink.calls, 200
        back = time.monotonic()
        wait_until_sent(connection)
        took = time.monotonic() - back
        with connection.cursor() as cursor:
            queued = Counter(dict(cursor.execute("SELECT kind, count(*) FROM notifications GROUP BY kind").fetchall()))
        heard: dict[str, list[str]] = defaultdict(list)
        for _, body in sink.taken:
            kind = "resolved" if "[RESOLVED]" in body["text"] else "raised"
            for attachment in body["attachments"]:
                places = [field["value"] for field in attachment.get("fields", []) if field["title"] == "Repository"]
                lines = attachment.get("text", "").split("\n") if not places else []
                for place in [*places, *(line.rsplit("(", 1)[-1].rstrip(")") for line in lines if line)]:
                    heard[place].append(kind)
        in_order = all(kinds == ["raised", "resolved"] for kinds in heard.values())
        return (
            f"outage of 10 min, shortened {SHORTENED} times",
            (
                f"{refused} attempts refused, then {sum(queued.values())} "
                f"({queued['raised']} alerts, {queued['resolved']} recoveries) delivered in {len(sink.taken)} messages "
                f"within {took:.1f} s; each recovery after its alert: {in_order}, pipelines heard of: {len(heard)}"
            ),
        )


def rules_preview(folder: Path, days: int) -> list[Figure]:
    """The demo's history of 60 days, with the thresholds of the program and with others."""
    path = folder / "preview.duckdb"
    fill(load_settings(database_url=f"duckdb:///{path}"), days=2 * days)
    connection = open_owned(path, memory_limit="2GB", threads=2)
    now = datetime.now(UTC)
    figures = []
    for name, rules in (("as they are", Rules()), ("40 % failed, 48 h down", Rules(Thresholds(None, 48, 0.4, 5)))):
        begun = time.perf_counter()
        history = read_history(OwnerReader(connection).frame, None, days=days, now=now)
        found = preview(history, rules, now - timedelta(days=days), now)
        took = time.perf_counter() - begun
        kinds = ", ".join(f"{kind} {number}" for kind, number in Counter(alert.type for alert in found).most_common())
        runs = sum(map(len, history.runs.values()))
        figures.append(
            (f"preview of {days} days ({runs:,} runs), rules {name}", f"{len(found)} alerts ({kinds}) in {took:.2f} s")
        )
    connection.close()
    return figures


def main() -> None:
    chosen = parser("alerts", __doc__).parse_args()
    report = Report("alerts", chosen)
    with tempfile.TemporaryDirectory(prefix="bench-alerts-") as name:
        folder = Path(name)
        rows = [
            latency(folder, 10 if chosen.quick else WEBHOOKS),
            burst(folder, 400 if chosen.quick else BURST),
            outage(folder),
            *rules_preview(folder, 5 if chosen.quick else 30),
        ]
    report.keep({"figures": Table(("what", "found"), rows)})


if __name__ == "__main__":
    main()
