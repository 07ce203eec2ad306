"""Signing in to the dashboard at a real OpenID Connect provider on loopback, in a real browser."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import oidc_provider_mock
import pytest
from oidc_provider_mock import User
from playwright.sync_api import Browser, Page, expect

from tests.conftest import ROOT, IngestProcess, free_port, wait_for
from tests.journey.test_browser import browser, run

__all__ = ["browser"]  # a fixture

ISSUED = {"email_verified": True}
PEOPLE = [
    User(sub="vera", claims={"email": "vera@example.org", **ISSUED, "realm_access": {"roles": ["viewer"]}}),
    User(sub="otto", claims={"email": "otto@example.org", **ISSUED, "realm_access": {"roles": ["operator", "x"]}}),
    User(sub="nemo", claims={"email": "nemo@example.org", **ISSUED}),
    User(sub="fake", claims={"email": "otto@example.org", "email_verified": False}),
]


@dataclass
class Company:
    """The provider, the service and the dashboard, which wants people to sign in."""

    ingest: IngestProcess
    address: str
    token: str


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    folder, port = tmp_path_factory.mktemp("sign-in"), free_port()
    address = f"http://127.0.0.1:{port}"
    with oidc_provider_mock.run_server_in_thread(user_claims=PEOPLE) as provider:
        environment = {
            "OIDC_ISSUER": f"http://localhost:{provider.server_port}",
            "OIDC_CLIENT_ID": "cicd-health",
            "OIDC_CLIENT_SECRET": "a-client-secret-of-the-tests",
            "OIDC_ROLE_CLAIM": "realm_access.roles",
            "OIDC_DEFAULT_ROLE": "none",
            "JWT_SECRET": "a-token-secret-of-the-tests-0123456789",
            "FRONTEND_ORIGIN": address,
        }
        ingest = IngestProcess(folder, environment).start()
        with (folder / "web.log").open("wb") as log:
            web = subprocess.Popen(
                [sys.executable, "-m", "streamlit", "run", "dashboard/app.py", "--server.port", str(port)],
                cwd=ROOT, env=ingest.variables(), stdout=log, stderr=log,
            )  # fmt: skip
        wait_for(lambda: httpx.get(f"{address}/_stcore/health").status_code == 200, "the dashboard")
        ingest.send("workflow_run", run(1, 900, conclusion="failure"))
        yield Company(ingest, address, "")
        web.terminate()
        web.wait(timeout=20)
        ingest.stop()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(30_000)
    yield context.new_page()
    context.close()


def sign_in(page: Page, company: Company, who: str) -> None:
    page.goto(company.address)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/oauth2/authorize**")
    page.get_by_role("button", name=who, exact=True).click()
    page.wait_for_url(f"{company.address}/**")


def test_a_stranger_sees_nothing_but_the_way_in(company: Company, page: Page) -> None:
    for path in ("/", "/runs", "/setup", "/run?id=gh-10-1"):
        page.goto(company.address + path)
        expect(page.get_by_role("button", name="Sign in")).to_be_visible()
        expect(page.get_by_text("acme/web")).to_have_count(0)
        expect(page.get_by_test_id("stMetric")).to_have_count(0)


def test_a_viewer_sees_everything_and_may_not_acknowledge(company: Company, page: Page) -> None:
    sign_in(page, company, "vera")
    expect(page.get_by_text("CI failed on main")).to_be_visible()
    expect(page.get_by_role("button", name="Acknowledge")).to_have_count(0)
