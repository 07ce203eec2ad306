"""Who may see the dashboard, by the claims and settings; and what a page shows to a stranger."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core.access import Role
from core.settings import Settings, load_settings
from core.store.duckdb_file import open_owned
from dashboard import server
from dashboard.visitor import Visitor, visitor_of
from tests.conftest import ROOT, free_port

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
SIGN_IN = {
    "oidc_issuer": "https://login.example.org",
    "oidc_client_id": "cicd-health",
    "oidc_client_secret": "a-client-secret-of-the-tests",
    "jwt_secret": "a-token-secret-of-the-tests-0123456789",
}
LOOPBACK, EVERYWHERE = "127.0.0.1", "0.0.0.0"
ANA = {
    "is_logged_in": True,
    "sub": "u-1",
    "email": "ana@example.org",
    "email_verified": True,
    "iat": NOW.timestamp() - 60,
}


def looks(claims: dict[str, Any], address: str = EVERYWHERE, roles: dict[str, Role] | None = None, **words: Any) -> Any:
    if "iat" in claims:
        claims = claims | {"iat": int(claims["iat"])}
    return visitor_of(claims, load_settings(**words), lambda: roles or {}, address, NOW)


def test_whoever_signed_in_has_the_role_of_his_claim_and_his_verified_name() -> None:
    found: Visitor = looks(ANA | {"roles": ["operator"]}, **SIGN_IN)
    assert (found.name, found.role, found.subject) == ("ana@example.org", Role.OPERATOR, "u-1")
    assert found.may(Role.VIEWER)
    assert not found.may(Role.ADMIN)


def test_the_settings_table_is_stronger_than_the_claim() -> None:
    for name in ("u-1", "ana@example.org"):
        assert looks(ANA | {"roles": "admin"}, roles={name: Role.VIEWER}, **SIGN_IN).role is Role.VIEWER


def test_an_unverified_address_is_no_name() -> None:
    found = looks(ANA | {"email_verified": False}, roles={"ana@example.org": Role.ADMIN}, **SIGN_IN)
    assert (found.name, found.role) == ("u-1", Role.VIEWER)


def test_whom_nothing_names_has_the_default_role_or_none() -> None:
    assert looks(ANA, **SIGN_IN).role is Role.VIEWER
    nobody = looks(ANA, **SIGN_IN, oidc_default_role="none")
    assert nobody.role is None
    assert not nobody.may(Role.VIEWER)


@pytest.mark.parametrize(
    "change", [{"is_logged_in": False}, {"is_logged_in": "true"}, {"iat": NOW.timestamp() - 13 * 3600}, {"iat": 0}]
)
def test_who_is_signed_out_or_signed_in_too_long_ago_is_a_stranger(change: dict[str, Any]) -> None:
    assert looks(ANA | change, **SIGN_IN) is None


def test_claims_count_for_nothing_where_no_sign_in_is_configured() -> None:
    assert looks(ANA | {"roles": "admin"}) is None


@pytest.mark.parametrize(
    ("words", "address", "role"),
    [
        ({}, LOOPBACK, Role.ADMIN),
        ({}, "localhost", Role.ADMIN),
        ({}, EVERYWHERE, None),
        ({}, "", None),
        ({"frontend_origin": "https://ci.example.org"}, LOOPBACK, None),
        ({"demo_mode": True}, EVERYWHERE, Role.ADMIN),
        ({"dashboard_anonymous_role": "viewer"}, EVERYWHERE, Role.VIEWER),
        ({"dashboard_anonymous_role": "operator"}, LOOPBACK, Role.OPERATOR),
        (SIGN_IN, LOOPBACK, None),
        (SIGN_IN | {"demo_mode": True}, LOOPBACK, None),
        (SIGN_IN | {"dashboard_anonymous_role": "viewer"}, EVERYWHERE, Role.VIEWER),
    ],
)
def test_what_a_stranger_may(words: dict[str, Any], address: str, role: Role | None) -> None:
    found = looks({}, address, **words)
    assert (found and found.role) == role


def test_streamlits_section_is_made_of_our_settings_and_its_secret_is_another_one() -> None:
    chosen = load_settings(**SIGN_IN, frontend_origin="https://ci.example.org")
    auth = server.secrets_of(chosen)["auth"]
    assert auth["redirect_uri"] == "https://ci.example.org/oauth2callback"
    assert auth["server_metadata_url"] == "https://login.example.org/.well-known/openid-configuration"
    assert len(auth["cookie_secret"]) == 64
    other = load_settings(**SIGN_IN | {"oidc_client_id": "another"})
    assert server.secrets_of(other)["auth"]["cookie_secret"] != auth["cookie_secret"]
    assert server.secrets_of(Settings()) == {}


def test_an_exposed_dashboard_says_how_to_configure_it_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    open_owned(tmp_path / "health.duckdb", memory_limit="1GB", threads=1).close()
    monkeypatch.setenv("FRONTEND_ORIGIN", "https://ci.example.org")
    monkeypatch.setenv("QUACK_PORT", str(free_port()))
    st.cache_resource.clear()
    test = AppTest.from_file(str(ROOT / "dashboard" / "app.py"), default_timeout=60)
    test.run()
    assert not test.exception
    assert "OIDC_CLIENT_ID" in " ".join(str(code.value) for code in test.code)
    assert "webhook" not in " ".join(str(part.value) for part in [*test.code, *test.markdown])
    assert not test.metric


def test_the_settings_page_says_that_the_service_is_away(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    open_owned(tmp_path / "health.duckdb", memory_limit="1GB", threads=1).close()
    monkeypatch.setenv("QUACK_PORT", str(free_port()))
    st.cache_resource.clear()
    test = AppTest.from_file(str(ROOT / "dashboard" / "app.py"), default_timeout=60)
    test.switch_page("views/settings.py").run()
    assert not test.exception
    assert "isn't running" in " ".join(str(part.value) for part in test.warning)
