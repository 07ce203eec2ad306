"""docker-compose.prod.yml without containers: Caddy, two replicas, two dashboards, PostgreSQL and Redis."""

import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass

import httpx
import orjson
import psycopg
import pytest
from playwright.sync_api import expect, sync_playwright

from ingest.providers.github.signature import signature
from tests.builders import run_payload
from tests.conftest import SECRET, IngestProcess, dashboard
from tests.journey.test_browser import CHROMIUM, FLAGS, run
from tests.ops.caddy import CADDYFILE, Proxy, program, proxy
from tests.ports import free_port
from tests.postgres_server import PostgresServer
from tests.redis_server import RedisServer

BODY = 2_000_000


@dataclass(frozen=True)
class Site:
    proxy: Proxy
    replicas: list[IngestProcess]
    dashboards: list["subprocess.Popen[bytes]"]
    database: str


@pytest.fixture(scope="module")
def site(postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    port, folder = free_port(), tmp_path_factory.mktemp("site")
    with ExitStack() as stack:
        redis = RedisServer().start()
        stack.callback(redis.kill)
        url = postgres_server.database()
        told = {
            "DATABASE_URL": url, "REDIS_URL": redis.url, "TRUSTED_PROXIES": "127.0.0.1/32", "MAX_BODY_BYTES": str(BODY),
            "FRONTEND_ORIGIN": f"https://localhost:{port}", "RATE_LIMIT_PER_MINUTE": "100",
        }  # fmt: skip
        replicas, dashboards, addresses = [], [], []
        for number in range(2):
            own = folder / str(number)
            own.mkdir()
            replicas.append(IngestProcess(own, told).start())
            stack.callback(_ended, replicas[-1])
            web, address = stack.enter_context(dashboard(replicas[-1]))
            dashboards.append(web)
            addresses.append(address.removeprefix("http://"))
        upstreams = {"ingest": [f"127.0.0.1:{each.port}" for each in replicas], "dashboard": addresses}
        yield Site(stack.enter_context(proxy(folder, port, upstreams)), replicas, dashboards, url)


def _ended(process: IngestProcess) -> None:
    if process.process and process.process.poll() is None:
        process.stop(signal.SIGKILL)


def send(client: httpx.Client, number: int, size: int = 0) -> httpx.Response:
    """A signed webhook whose body has `size` bytes at least."""
    payload = run_payload(run_id=number, workflow_id=number % 20)
    body = orjson.dumps(payload).ljust(size)
    headers = {
        "Content-Type": "application/json", "X-GitHub-Event": "workflow_run", "X-GitHub-Delivery": f"d{number}",
        "X-Hub-Signature-256": signature(body, SECRET),
    }  # fmt: skip
    return client.post("/api/v1/webhook/github-actions", content=body, headers=headers)


def test_the_file_of_the_proxy_is_valid_as_it_is() -> None:
    command = [program(), "validate", "--config", str(CADDYFILE), "--adapter", "caddyfile"]
    done = subprocess.run(
        command, env={"SITE_ADDRESS": "ci.example.org", "HOME": "/tmp"}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert '"level":"warn"' not in done.stderr, done.stderr


def test_what_is_for_others_passes_and_metrics_do_not(site: Site) -> None:
    with site.proxy.client() as client:
        assert client.get("/health/ready").json()["status"] == "ok"
        assert client.get("/openapi.json").status_code == 200
        assert client.get("/metrics").status_code == 404
        answer = client.get("/")
        assert "streamlit" in answer.text.lower()
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"


def test_bodies_up_to_the_limit_pass_and_larger_ones_are_told_so(site: Site) -> None:
    with site.proxy.client() as client:
        assert send(client, 1, BODY).json() == {"status": "processed"}
        assert send(client, 2, BODY + 1).status_code == 413
        assert {send(client, 3, 3 * BODY).status_code for _ in range(10)} == {413}
        chunks = client.post("/api/v1/webhook/github-actions", content=iter([b" " * 100_000] * 60))
        assert chunks.status_code in (401, 413)  # of unknown length: refused by whoever notices first
        assert send(client, 4).json() == {"status": "processed"}


def test_callers_count_by_their_own_address_whatever_they_claim(site: Site) -> None:
    def left(address: str, claimed: str) -> int:
        with site.proxy.client(address) as client:
            return int(
                client.get("/api/v1/alerts", headers={"X-Forwarded-For": claimed}).headers["RateLimit-Remaining"]
            )

    first = left("127.0.0.5", "9.9.9.1")
    assert left("127.0.0.5", "9.9.9.2") == first - 1
    assert left("127.0.0.6", "9.9.9.1") == first


def test_a_browser_stays_with_its_dashboard_and_finds_the_other_when_that_one_is_gone(site: Site) -> None:
    """Over TLS and a WebSocket, which only works where all requests of a session meet the same process."""
    site.replicas[0].send("workflow_run", run(77, 900, conclusion="failure"), "seen")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        context = browser.new_context(ignore_https_errors=True)
        context.set_default_timeout(40_000)
        page = context.new_page()
        page.goto(site.proxy.url)
        expect(page.get_by_text("acme/web").first).to_be_visible(timeout=40_000)
        [cookie] = [each for each in context.cookies() if each["name"] == "cicd_health_dashboard"]
        for _ in range(3):
            page.reload()
            expect(page.get_by_text("acme/web").first).to_be_visible(timeout=40_000)
        assert [each["value"] for each in context.cookies() if each["name"] == "cicd_health_dashboard"] == [
            cookie["value"]
        ]
        # One of two is gone: whoever was there goes on with the other.
        site.dashboards[0].kill()
        site.dashboards[0].wait()
        page.goto(f"{site.proxy.url}/runs")
        expect(page.get_by_role("heading", name="Runs").first).to_be_visible(timeout=40_000)
        browser.close()


def test_a_replica_killed_under_load_loses_nothing_that_was_acknowledged(site: Site) -> None:
    taken: list[int] = []

    def sender(who: int) -> None:
        with site.proxy.client() as client:
            for number in range(1000 + who * 100, 1000 + who * 100 + 40):
                for _ in range(20):  # as a CI system does: again, with the same id, until it is taken
                    try:
                        if send(client, number).status_code == 200:
                            taken.append(number)
                            break
                    except httpx.TransportError:
                        continue
                if number == 1010:
                    site.replicas[1].stop(signal.SIGKILL)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(sender, range(8)))
    assert len(taken) == 320
    with psycopg.connect(site.database) as connection:
        rows = connection.execute("SELECT CAST(run_id AS BIGINT) FROM workflow_runs").fetchall()
    assert set(taken) <= {run_id for (run_id,) in rows}
