"""`python -m ingest <command>`: the service itself, and what an operator does around it."""

import argparse
import shutil
import socket
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import uvicorn

from core.access import ROLES, Role, sign
from core.errors import BadSetting, DashboardError
from core.settings import Settings, settings
from core.store import copies
from core.store.database import open_database
from core.store.digest import read_digest
from core.store.duckdb_file import StoreLocked
from core.store.writer import Writer
from ingest import moving, worker
from ingest.alerting.digest_message import as_text
from ingest.api.frames import records
from ingest.backfill import backfill
from ingest.protocol import DeadlineProtocol
from ingest.remote import ask
from ingest.replay import replay


def main(arguments: list[str] | None = None) -> int:
    """Run one command; an expected failure ends with one line on standard error and exit code 1."""
    parsed = _parser().parse_args(arguments)
    try:
        parsed.run(settings(), parsed)
    except DashboardError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ingest", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    commands.add_parser("serve", help="run the ingest service").set_defaults(run=_serve)
    commands.add_parser(
        "worker", help="poll, evaluate alerts and send messages only, without HTTP (needs PostgreSQL)"
    ).set_defaults(run=worker.run)
    moving.add_parsers(commands)
    backup = commands.add_parser("backup", help="copy the database to a new file, also while the service runs")
    backup.add_argument("target", type=Path)
    backup.set_defaults(run=_backup)
    restore = commands.add_parser("restore", help="put a backup in the database's place (the service must be stopped)")
    restore.add_argument("backup", type=Path)
    restore.set_defaults(run=_restore)
    commands.add_parser(
        "compact", help="rewrite the database without dead space (the service must be stopped)"
    ).set_defaults(run=_compact)
    again = commands.add_parser("replay", help="process failed deliveries, or the one named, again")
    again.add_argument("delivery_id", nargs="?")
    again.set_defaults(run=_replay)
    history = commands.add_parser(
        "backfill", help="read the history of a repository, also while the service runs; goes on where it was stopped"
    )
    history.add_argument("--repo", required=True, metavar="owner/name")
    history.add_argument("--days", type=int, default=None, help="days back from now (default: BACKFILL_DAYS)")
    history.add_argument("--provider", default="github-actions", help="the CI system (default: github-actions)")
    history.set_defaults(run=_backfill)
    token = commands.add_parser("token", help="print a token for a person or a program (needs JWT_SECRET)")
    token.add_argument("--sub", required=True, help="whom it is for; shown where he acts")
    token.add_argument("--role", choices=list(ROLES), default=Role.VIEWER.word)
    token.add_argument("--days", type=int, default=30, choices=range(1, 3651), metavar="1-3650")
    token.set_defaults(run=_token)
    weekly = commands.add_parser("digest", help="print the weekly digest as it would be now, or send it")
    weekly.add_argument("--send", action="store_true", help="send it to the channels, through the running service")
    weekly.set_defaults(run=_digest)
    demo = commands.add_parser("demo", help="fill an empty database with a simulated history")
    demo.add_argument("--days", type=int, default=60)
    demo.set_defaults(run=_demo)
    return parser


def _serve(chosen: Settings, _: argparse.Namespace) -> None:
    chosen.check_exposure(chosen.ingest_host)
    _check_port_free(chosen.ingest_host, chosen.ingest_port, "INGEST_PORT")
    if not chosen.is_shared:
        _check_port_free("127.0.0.1", chosen.quack_port, "QUACK_PORT")
    uvicorn.run(
        "ingest.app:app",
        http=DeadlineProtocol,
        proxy_headers=False,  # whose word counts is for TRUSTED_PROXIES to say
        server_header=False,
        host=chosen.ingest_host,
        port=chosen.ingest_port,
        log_level=chosen.log_level.lower(),
        access_log=False,
        timeout_graceful_shutdown=10,
    )


def _check_port_free(host: str, port: int, name: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise DashboardError(
                f"{name}={port} can't be used on {host}: {error.strerror}.", hint=f"Stop what uses it, or set {name}."
            ) from None


def _backup(chosen: Settings, parsed: argparse.Namespace) -> None:
    target: Path = parsed.target
    _check_file(chosen)
    if target.exists():
        raise DashboardError(f"{target} exists already.", hint="Name a new file; nothing was overwritten.")
    try:
        copies.backup_stopped(chosen.database_path, target)
    except StoreLocked:
        answer = ask(chosen, "POST", "/api/v1/backup", timeout=3600)
        shutil.move(answer["path"], target)
    print(f"Backup written: {target} ({target.stat().st_size:,} bytes)")


def _check_file(chosen: Settings) -> None:
    if chosen.is_shared:
        raise DashboardError(
            "The data lives in PostgreSQL, whose own tools do this.", hint="Use pg_dump, pg_restore and VACUUM."
        )


def _restore(chosen: Settings, parsed: argparse.Namespace) -> None:
    _check_file(chosen)
    kept = copies.restore(parsed.backup, chosen.database_path)
    print(f"Restored {chosen.database_path}" + (f"; the old database is kept as {kept}" if kept else ""))


def _compact(chosen: Settings, _: argparse.Namespace) -> None:
    _check_file(chosen)
    before, after = copies.compact(chosen.database_path)
    print(f"Compacted {chosen.database_path}: {before:,} to {after:,} bytes")


def _replay(chosen: Settings, parsed: argparse.Namespace) -> None:
    """Through the running service where there is one, because only it may write."""
    try:
        database = open_database(chosen, wait_seconds=0)
    except StoreLocked:
        ids = (
            [parsed.delivery_id]
            if parsed.delivery_id
            else [
                row["delivery_id"]
                for row in ask(chosen, "GET", "/api/v1/deliveries?result=failed&limit=1000")["deliveries"]
            ]
        )
        _report([ask(chosen, "POST", f"/api/v1/deliveries/{delivery_id}/replay") for delivery_id in ids])
        return
    writer, reader = Writer(database.session()), database.reader
    try:
        failed = [
            row["delivery_id"]
            for row in records(reader.frame("delivery_list", result="failed", provider=None, limit=1_000_000, offset=0))
        ]
        _report(
            [
                replay(reader, writer, delivery_id)
                for delivery_id in ([parsed.delivery_id] if parsed.delivery_id else failed)
            ]
        )
    finally:
        writer.close()
        database.close()


def _report(rows: list[dict[str, object]]) -> None:
    for row in rows:
        print(f"{row['delivery_id']}: {row['result']}" + (f" ({row['reason']})" if row["reason"] else ""))
    print(f"{len(rows)} deliveries replayed")


def _backfill(chosen: Settings, parsed: argparse.Namespace) -> None:
    days = chosen.backfill_days if parsed.days is None else parsed.days
    print(backfill(chosen, parsed.provider, parsed.repo, days))


def _token(chosen: Settings, parsed: argparse.Namespace) -> None:
    if not chosen.jwt_secret:
        raise BadSetting(
            "JWT_SECRET is not set.", hint="Set it to a long random text for every process of this service."
        )
    lifetime = timedelta(days=parsed.days)
    print(sign(chosen.jwt_secret.get_secret_value(), parsed.sub, ROLES[parsed.role], lifetime, datetime.now(UTC)))


def _digest(chosen: Settings, parsed: argparse.Namespace) -> None:
    """Through the running service where there is one: only it has the channels, and the file."""
    if parsed.send:
        print(f"Sent to {', '.join(ask(chosen, 'POST', '/api/v1/insights/digest')['sent'])}")
        return
    try:
        database = open_database(chosen, wait_seconds=0)
    except StoreLocked:
        print(as_text(ask(chosen, "GET", "/api/v1/insights/digest")))
        return
    try:
        print(as_text(read_digest(database.reader.frame, datetime.now(UTC), chosen.digest_timezone).facts()))
    finally:
        database.close()


def _demo(chosen: Settings, parsed: argparse.Namespace) -> None:
    from ingest.simulation.fill import fill  # the simulation is no part of the service

    fill(chosen, days=parsed.days)


if __name__ == "__main__":
    sys.exit(main())
