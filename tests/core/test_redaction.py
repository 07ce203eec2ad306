"""What is taken out of a text, to the letter."""

from typing import Any

import pytest
from pydantic import SecretStr

from core.redaction import Redactor, masked, redactor, secrets_of
from core.settings import load_settings


@pytest.mark.parametrize(("secret", "shown"), [("", "***"), ("x" * 11, "***"), ("12345678abcd", "***abcd")])
def test_a_long_secret_shows_its_last_four_and_a_short_one_nothing(secret: str, shown: str) -> None:
    assert masked(secret) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Authorization: Bearer abc.DEF-123_", "Authorization: Bearer ***"),
        ("basic dXNlcjpwYXNz", "basic ***"),
        ("Bearer short", "Bearer short"),
        ("https://ana:hunter2@host/x", "https://ana:***@host/x"),
        ("ghp_12345678 and glpat-12345678", "ghp_*** and glpat-***"),
        ("https://hooks.slack.com/services/T0/B0/x", "https://hooks.slack.com/services/***"),
        ("eyJhbGciOiJI.eyJzdWIiOiJh.c2ln", "***"),
        ("nothing secret here", "nothing secret here"),
    ],
)
def test_what_looks_like_a_credential_goes_and_what_stood_around_it_stays(text: str, shown: str) -> None:
    assert Redactor().text(text) == shown


def test_the_longest_of_two_secrets_that_begin_alike_is_taken_out_whole() -> None:
    clean = Redactor(["planted-secret", "planted-secret-and-more", "a.b"])
    assert clean.text("planted-secret-and-more, planted-secret, a.b, axb") == "***more, ***cret, ***, axb"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, None),
        (True, True),
        (7, 7),
        (1.5, 1.5),
        ("a planted-secret-1", "a ***et-1"),
        (b"a planted-secret-1 \xff", "a ***et-1 \N{REPLACEMENT CHARACTER}"),
        (SecretStr("another-long-one"), "***-one"),
        (OSError("planted-secret-1"), "***et-1"),
        (("planted-secret-1", 1), ["***et-1", 1]),
        ({"planted-secret-1"}, ["***et-1"]),
        ({"planted-secret-1": 1, 2: ["x"]}, {"***et-1": 1, "2": ["x"]}),
        ({"X-Api-Key": "not-known-before"}, {"X-Api-Key": "***fore"}),
        ({"password": "***fore", "cookie": 5}, {"password": "***fore", "cookie": 5}),
        ({"token": "not-known-before", "next-token": "a page", "tokens": "3"},
         {"token": "***fore", "next-token": "a page", "tokens": "3"}),
    ],
)  # fmt: skip
def test_secrets_go_out_of_everything_and_what_holds_none_stays(value: Any, shown: Any) -> None:
    assert Redactor(["planted-secret-1"]).anything(value) == shown


def test_the_secrets_of_settings_are_known_in_every_form_that_an_address_gives_them() -> None:
    found = secrets_of(
        load_settings(
            api_write_key="k%20ey/with+signs",
            database_url="postgresql://ana:p%40ss@db/health",
            notify_urls="json://u:first@h, json://u:second@h",
        )
    )
    assert found == {
        "k%20ey/with+signs", "k ey/with+signs", "k%2520ey%2Fwith%2Bsigns",
        "p%40ss", "p@ss", "p%2540ss", "first", "second",
        "json://u:first@h, json://u:second@h", "json%3A%2F%2Fu%3Afirst%40h%2C%20json%3A%2F%2Fu%3Asecond%40h",
        "json://u:first@h", "json%3A%2F%2Fu%3Afirst%40h", "json://u:second@h", "json%3A%2F%2Fu%3Asecond%40h",
    }  # fmt: skip
    assert secrets_of(load_settings()) == frozenset()


def test_the_redactor_of_this_process_is_that_of_its_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_WRITE_KEY", "planted-write-key-1")
    assert redactor().text("a planted-write-key-1") == "a ***ey-1"
    assert redactor() is redactor()


def test_an_address_that_is_none_has_no_password() -> None:
    assert secrets_of(load_settings(api_write_key="http://[half-an-address")) == {
        "http://[half-an-address", "http%3A%2F%2F%5Bhalf-an-address"
    }  # fmt: skip
