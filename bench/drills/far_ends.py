"""GitHub, Slack and the mail server dead, then slow: webhooks don't notice, and every message arrives afterwards, once."""

import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from aiosmtpd.controller import Controller

from bench.drills import Report, deliveries, messages, problem
from bench.drills.weather import Mood, weather
from bench.load import Load, Outcome, generator, send
from bench.processes import ingest_environment, launch_ingest, stop, stopped_in_the_end
from core.store.duckdb_file import open_read_only
from core.store.reader import RemoteReader
from tests.conftest import wait_for
from tests.github_server import TOKEN, GitHubServer
from tests.github_truth import Repository
from tests.sinks import Mails, Sink

RUNS = 150
MOODS: tuple[Mood, ...] = ("fine", "dead", "slow")
STATES = (
    "SELECT channel, status, count(*) AS messages FROM notifications GROUP BY channel, status ORDER BY channel, status"
)
UNSENT = "SELECT count(*) AS messages FROM notifications WHERE status <> 'sent'"
POLLED = "SELECT count(*) AS repositories FROM poll_state WHERE last_success_at IS NOT NULL AND last_error IS NULL"
# A channel rests for up to five minutes after many failures; here there are few.
AFTERWARDS_SECONDS = 180


def dead_and_slow(runs: int = RUNS) -> Report:
    """The same load three times: all fine, all dead, all slow. Then everything works again."""
    sink, mails = Sink(), Mails()
    controller = Controller(mails, hostname="127.0.0.1", port=mails.port)
    controller.start()
    github = GitHubServer()
    github.add(Repository("acme/polled", 4242))
    try:
        with (
            github.running(),
            weather(sink.server.server_port, mails.port, github.port) as ends,
            tempfile.TemporaryDirectory(prefix="drill-ends-") as name,
            generator() as pool,
        ):
            slack, smtp, api = (end.port for end in ends)
            folder = Path(name)
            database = folder / "health.duckdb"
            environment = ingest_environment(database) | {
                "SLACK_WEBHOOK_URL": f"http://127.0.0.1:{slack}/services/T0/B0/secret",
                "SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(smtp), "SMTP_FROM": "health@example.org",
                "ALERT_EMAIL_TO": "team@example.org", "ALERT_GROUP_SECONDS": "0",
                "GITHUB_API_URL": f"http://127.0.0.1:{api}", "GITHUB_TOKEN": TOKEN,
                "GITHUB_REPOSITORIES": "acme/polled", "POLL_INTERVAL_SECONDS": "10",
            }  # fmt: skip
            with stopped_in_the_end(launch_ingest(environment, folder)) as service:
                reader = RemoteReader(
                    port=int(environment["QUACK_PORT"]),
                    token=None,
                    token_path=folder / "quack.token",
                    database=database,
                )
                outcomes = {}
                for number, mood in enumerate(MOODS):
                    for end in ends:
                        end.change(mood)
                    outcomes[mood] = _load(pool, service.port, number, runs)
                for end in ends:
                    end.change("fine")
                wait_for(lambda: not _number(reader, UNSENT), "all messages to be sent", AFTERWARDS_SECONDS)
                wait_for(lambda: _number(reader, POLLED) == 1, "GitHub to be polled again", AFTERWARDS_SECONDS)
                stop(service)
            return _report(outcomes, database, sink, mails, runs)
    finally:
        controller.stop()
        sink.server.shutdown()


def _load(pool: ProcessPoolExecutor, port: int, number: int, runs: int) -> Outcome:
    return pool.submit(send, Load(port, runs, first_run=1 + number * runs, connections=8)).result()


def _report(outcomes: dict[Mood, Outcome], database: Path, sink: Sink, mails: Mails, runs: int) -> Report:
    acknowledged = [delivery_id for outcome in outcomes.values() for delivery_id in outcome.acknowledged]
    lost = deliveries.missing(acknowledged, database)
    with open_read_only(database) as connection:
        states = connection.execute(STATES).fetchall()
        outbox = connection.execute(messages.KNOWN).fetchall()
    told = (
        messages.compared("slack", messages.slack_ids(sink.bodies), messages.slack_entries(sink.bodies), outbox),
        messages.compared("email", messages.mail_ids(mails.contents), None, outbox),
    )
    figures = {
        f"{mood}: acknowledged, 95 % within": f"{len(outcome.acknowledged):,}, {outcome.percentile(95) * 1000:,.0f} ms"
        for mood, outcome in outcomes.items()
    }
    figures |= {
        "acknowledged and missing": str(lost),
        "outbox in the end": ", ".join(f"{count} {status} by {channel}" for channel, status, count in states),
    }
    return Report(
        figures | told[0].figures | told[1].figures,
        (
            *problem(f"{lost} acknowledged deliveries are missing", if_=lost > 0),
            *problem("webhooks were disturbed", if_=len(acknowledged) < len(outcomes) * 9 * runs),
            *told[0].problems,
            *told[1].problems,
        ),
    )


def _number(reader: RemoteReader, statement: str) -> int:
    return int(reader.sql(statement).iloc[0, 0])
