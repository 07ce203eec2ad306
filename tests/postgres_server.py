"""A real PostgreSQL server of the tests' own: a throw-away data folder, a free port, nothing flushed to disk."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import psycopg

from core.store.postgres.connection import connect
from core.store.postgres.migrations import migrate_postgres
from tests.ports import free_port

# Where Debian keeps what it doesn't put on the path.
PLACES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200", "deadlock_timeout=200ms")


def program(name: str) -> str:
    """A program of PostgreSQL. Raises FileNotFoundError; `make test` installs them (tests/services.sh)."""
    found = shutil.which(name) or next((str(place / name) for place in PLACES if (place / name).exists()), None)
    if not found:
        raise FileNotFoundError(f"{name} is not installed: sh tests/services.sh")
    return found


def _migrate(url: str) -> None:
    with connect(url, "test") as connection:
        migrate_postgres(connection, url)


@dataclass
class PostgresServer:
    """`start`, then `database()` gives the address of a fresh, empty database each time.

    Of one that runs already (`port`), processes that don't know of each other may ask for databases.
    """

    settings: tuple[str, ...] = FAST
    port: int = field(default_factory=free_port)
    folder: Path = field(default_factory=lambda: Path(tempfile.gettempdir(), f"cicd-health-postgres-{uuid4().hex}"))
    databases: int = 0
    log_file_megabytes: int = 16

    @property
    def url(self) -> str:
        return f"postgresql://tester@127.0.0.1:{self.port}"

    def start(self) -> "PostgresServer":
        self.folder.mkdir(mode=0o700, exist_ok=True)
        # PostgreSQL refuses to run as root.
        if os.getuid() == 0:
            postgres = pwd.getpwnam("postgres")
            os.chown(self.folder, postgres.pw_uid, postgres.pw_gid)
        self.run(
            "initdb",
            "-U",
            "tester",
            "--auth=trust",
            "--no-sync",
            f"--wal-segsize={self.log_file_megabytes}",
            "-D",
            f"{self.folder}/data",
        )
        self.launch()
        return self

    def launch(self) -> None:
        options = " ".join(f"-c {setting}" for setting in self.settings)
        self.run(
            "pg_ctl", "-D", f"{self.folder}/data", "-w", "-l", f"{self.folder}/log",
            "-o", f"-h 127.0.0.1 -p {self.port} -k {self.folder} {options}", "start",
        )  # fmt: skip

    @property
    def process_id(self) -> int | None:
        """Of the process that all others are children of; None where the server doesn't run."""
        with suppress(FileNotFoundError):
            process_id = int((self.folder / "data" / "postmaster.pid").read_text().split()[0])
            if Path(f"/proc/{process_id}").exists():
                return process_id
        return None

    def halt(self) -> None:
        self.run("pg_ctl", "-D", f"{self.folder}/data", "-w", "-m", "immediate", "stop")

    def stop(self) -> None:
        if (self.folder / "data" / "postmaster.pid").exists():
            self.halt()
        shutil.rmtree(self.folder, ignore_errors=True)

    def database(self) -> str:
        return self._made("")

    def migrated(self) -> str:
        """The address of a fresh database with the newest schema, copied from one that is migrated once."""
        return self.copied(self.once("migrated", _migrate))

    def once(self, name: str, make: Callable[[str], object], how: str = "") -> str:
        """The address of a database that all who ask share; the first one makes it."""
        with psycopg.connect(f"{self.url}/postgres", autocommit=True) as connection:
            connection.execute("SELECT pg_advisory_lock(1)")
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
                connection.execute(f"CREATE DATABASE {name} {how}")  # type: ignore[call-overload]
                make(f"{self.url}/{name}")
        return f"{self.url}/{name}"

    def copied(self, url: str) -> str:
        """The address of a copy of a database that nothing is connected to."""
        return self._made(f"TEMPLATE {url.rsplit('/', 1)[1]}")

    def _made(self, how: str) -> str:
        self.databases += 1
        name = f"test_{os.getpid()}_{self.databases}"
        with psycopg.connect(f"{self.url}/postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} {how}")  # type: ignore[call-overload]
        return f"{self.url}/{name}"

    def drop(self, url: str) -> None:
        """Remove a database that nothing is connected to any more."""
        with psycopg.connect(f"{self.url}/postgres", autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {url.rsplit('/', 1)[1]} WITH (FORCE)")  # type: ignore[call-overload]

    def version(self) -> str:
        with psycopg.connect(f"{self.url}/postgres") as connection:
            return str(connection.info.server_version // 10000)

    def run(self, name: str, *arguments: str) -> None:
        """A program as the user whose server this is. Raises RuntimeError with what it said."""
        who: tuple[str, ...] = ("setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups")
        command = [*(who if os.getuid() == 0 else ()), program(name), *arguments]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{name}: {done.stdout}{done.stderr}")
