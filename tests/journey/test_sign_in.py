"""Signing in to the dashboard at a real OpenID Connect provider on loopback, in a real browser."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import oidc_provider_mock
import pytest
from oidc_provider_mock import User
from playwright.sync_api import Browser, Page, expect
from playwright.sync_api import TimeoutError as NotYet

from core.access import Role, sign
from tests.conftest import ROOT, IngestProcess, free_port, wait_for
from tests.journey.test_browser import browser, run

__all__ = ["browser"]  # a fixture

JWT_SECRET = "a-token-secret-of-the-tests-0123456789"
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

    def ask(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        token = sign(JWT_SECRET, "root", Role.ADMIN, timedelta(minutes=5), datetime.now(UTC))
        headers = {"Authorization": f"Bearer {token}"}
        answer = httpx.request(method, f"{self.ingest.url}/api/v1{path}", headers=headers, json=body)
        found: dict[str, Any] = answer.raise_for_status().json()
        return found

    def acknowledged_by(self) -> list[str]:
        return [alert["acknowledged_by"] for alert in self.ask("GET", "/alerts?status=acknowledged")["alerts"]]

    def give_roles(self, roles: dict[str, str]) -> None:
        self.ask("PUT", "/settings", {"roles": roles})


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
            "JWT_SECRET": JWT_SECRET,
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
        yield Company(ingest, address)
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


def reloaded_with(page: Page, text: str) -> bool:
    """Roles of the settings table are looked up every few seconds."""
    page.reload()
    page.get_by_role("heading").first.wait_for()
    try:
        page.get_by_text(text).wait_for(timeout=2_000)
    except NotYet:
        return False
    return True


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
    expect(page.get_by_placeholder("Your name")).to_have_count(0)
    [cookie] = [cookie for cookie in page.context.cookies() if cookie["name"] == "_streamlit_user"]
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Lax")


def test_an_operator_acknowledges_in_the_name_that_he_signed_in_with_and_signs_out(
    company: Company, page: Page
) -> None:
    company.ingest.send("workflow_run", run(1, 900, conclusion="failure"))
    sign_in(page, company, "otto")
    page.get_by_role("button", name="Acknowledge").first.click()
    expect(page.get_by_role("button", name="Acknowledge")).to_have_count(0)
    assert company.acknowledged_by() == ["otto@example.org"]

    page.get_by_text("otto@").first.click()
    page.get_by_text("Sign out").click()
    page.get_by_role("button", name="End session").click()  # the provider's own page
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    page.goto(company.address)
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()


def test_a_role_given_in_the_settings_counts_and_an_unverified_address_gives_none(company: Company, page: Page) -> None:
    sign_in(page, company, "nemo")
    expect(page.get_by_text("has no role here")).to_be_visible()
    expect(page.get_by_test_id("stMetric")).to_have_count(0)
    company.give_roles({"nemo@example.org": "viewer", "otto@example.org": "admin"})
    wait_for(lambda: reloaded_with(page, "Total pipelines"), "the role to count")
    page.context.clear_cookies()
    sign_in(page, company, "fake")  # says to be otto@example.org, unverified
    expect(page.get_by_text("has no role here")).to_be_visible()


def test_the_settings_page_is_for_all_to_see_and_for_admins_to_change(company: Company, page: Page) -> None:
    company.give_roles({"vera": "admin"})
    sign_in(page, company, "vera")
    wait_for(lambda: reloaded_with(page, "Total pipelines"), "the pages")
    page.goto(f"{company.address}/settings")
    page.get_by_role("textbox", name="New key").fill("a-new-write-key-of-the-tests")
    page.get_by_role("button", name="Change the key").click()
    expect(page.get_by_text("The key before it is good until")).to_be_visible()
    [changed_by] = [company.ask("GET", "/settings")["write_key"]["changed_by"]]
    assert changed_by == "vera@example.org"
    expect(page.get_by_role("button", name="Save roles")).to_be_visible()

    company.give_roles({"vera": "viewer"})
    wait_for(lambda: reloaded_with(page, "Kept as a hash"), "the page")
    wait_for(lambda: not reloaded_with(page, "Save roles"), "the role to count")
    expect(page.get_by_role("button", name="Change the key")).to_have_count(0)


def test_a_forged_cookie_is_no_identity(company: Company, page: Page) -> None:
    page.context.add_cookies(
        [{"name": "_streamlit_user", "value": "eyJpc19sb2dnZWRfaW4iOnRydWV9.x.y", "url": company.address}]
    )
    page.goto(company.address)
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()


def test_answers_of_the_dashboard_carry_safe_headers(company: Company) -> None:
    headers = httpx.get(company.address).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "frame-ancestors 'self'" in headers["Content-Security-Policy"]
