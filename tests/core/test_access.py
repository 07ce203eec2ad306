"""What claims and the settings table say about a caller, and the tokens that the service signs itself."""

from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest

from core.access import AUDIENCE, Role, own_headers, role_in, role_named, role_of, shown_name, sign, stored_roles
from core.errors import BadRequest
from core.settings import load_settings
from tests.builders import NOON

SECRET = "a-token-secret-of-the-tests-0123456789"


def test_a_role_is_named_in_any_case_and_with_spaces_around() -> None:
    assert [role_named(word) for word in ("viewer", " Operator", "ADMIN ")] == list(Role)
    assert [role.word for role in Role] == ["viewer", "operator", "admin"]
    with pytest.raises(BadRequest) as caught:
        role_named("root")
    assert str(caught.value) == "'root' is no role. Roles are viewer, operator and admin."


def test_what_the_settings_table_says_of_roles_is_read_and_nonsense_is_left_out() -> None:
    assert stored_roles({}) == {}
    table = {"roles": '{"ana": "admin", "bo": "root", "cy": "viewer"}', "other": "{}"}
    assert stored_roles(table) == {"ana": Role.ADMIN, "cy": Role.VIEWER}


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({"email": "a@x.org", "email_verified": True, "preferred_username": "ana", "sub": "7"}, "a@x.org"),
        ({"email": "a@x.org", "email_verified": "true", "preferred_username": "ana", "sub": "7"}, "ana"),
        ({"email": ["a@x.org"], "email_verified": True, "preferred_username": "ana", "sub": "7"}, "ana"),
        ({"email": "a@x.org", "preferred_username": 5, "sub": "7"}, "7"),
        ({"sub": "x" * 300}, "x" * 200),
    ],
)
def test_people_are_called_by_what_is_verified_else_by_their_name_else_by_their_subject(
    claims: dict[str, Any], name: str
) -> None:
    assert shown_name(claims) == name


@pytest.mark.parametrize(
    ("claims", "path", "role"),
    [
        ({}, "roles", None),
        ({"role": "operator"}, "roles", Role.OPERATOR),
        ({"role": "viewer", "roles": ["operator", "admin", 7, "root"]}, "roles", Role.ADMIN),
        ({"realm": {"access": {"roles": ["operator"]}}}, "realm.access.roles", Role.OPERATOR),
        ({"https://x.org/roles": "viewer"}, "https://x.org/roles", Role.VIEWER),
        ({"realm": {"access": "admin"}}, "realm.access.roles", None),
        ({"realm": ["admin"]}, "realm.access", None),
    ],
)
def test_the_highest_role_that_a_claim_names_counts(claims: dict[str, Any], path: str, role: Role | None) -> None:
    assert role_in(claims, path) == role


def test_the_settings_table_by_subject_is_stronger_than_by_address_and_both_than_claims() -> None:
    chosen = load_settings(oidc_default_role="viewer")
    claims = {"sub": "7", "email": "a@x.org", "email_verified": True, "role": "operator"}
    assert role_of(claims, {"7": Role.VIEWER, "a@x.org": Role.ADMIN}, chosen) is Role.VIEWER
    assert role_of(claims, {"a@x.org": Role.ADMIN}, chosen) is Role.ADMIN
    assert role_of(claims, {}, chosen) is Role.OPERATOR
    assert role_of({"sub": 7}, {"7": Role.ADMIN}, chosen) is Role.VIEWER
    assert role_of({"sub": "7"}, {}, load_settings(oidc_default_role="none")) is None


def test_a_token_says_who_may_what_and_until_when() -> None:
    token = sign(SECRET, "ana", Role.OPERATOR, timedelta(hours=1), NOON, {"email": "a@x.org", "sub": "forged"})
    claims = jwt.decode(token, SECRET, algorithms=["HS256"], audience=AUDIENCE, options={"verify_exp": False})
    begin = int(NOON.timestamp())
    assert claims == {
        "email": "a@x.org",
        "iss": "cicd-health-dashboard",
        "aud": "cicd-health-dashboard",
        "sub": "ana",
        "role": "operator",
        "iat": begin,
        "nbf": begin,
        "exp": begin + 3600,
    }
    assert sign(SECRET, "ana", Role.VIEWER, timedelta(hours=1), NOON)


def test_the_programs_own_calls_carry_the_strongest_credential_that_is_set() -> None:
    assert own_headers(load_settings(), "ana", Role.VIEWER) == {}
    keyed = load_settings(api_write_key="k" * 16)
    assert own_headers(keyed, "ana", Role.VIEWER) == {"X-API-KEY": "k" * 16}
    both = load_settings(api_write_key="k" * 16, jwt_secret=SECRET)
    headers = own_headers(both, "ana", Role.ADMIN, {"email": "a@x.org"})
    kind, token = headers.pop("Authorization").split(" ")
    assert (kind, headers) == ("Bearer", {})
    claims = jwt.decode(token, SECRET, algorithms=["HS256"], audience=AUDIENCE)
    assert (claims["sub"], claims["role"], claims["email"]) == ("ana", "admin", "a@x.org")
    assert claims["exp"] - claims["iat"] == 60
    assert abs(claims["iat"] - datetime.now(UTC).timestamp()) < 60


@pytest.mark.usefixtures("in_tokyo")
def test_a_call_of_our_own_is_valid_now_on_a_machine_in_any_zone() -> None:
    token = own_headers(load_settings(jwt_secret=SECRET), "ana", Role.ADMIN)["Authorization"].removeprefix("Bearer ")
    assert jwt.decode(token, SECRET, algorithms=["HS256"], audience=AUDIENCE)["sub"] == "ana"
