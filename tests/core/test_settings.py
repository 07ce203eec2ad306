from pathlib import Path

import pytest

from core.errors import BadSetting
from core.settings import load_settings
from core.settings_docs import example, guide

ROOT = Path(__file__).parent.parent.parent


def test_a_bad_value_is_named_with_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INGEST_PORT", "eighty")
    with pytest.raises(BadSetting, match="INGEST_PORT: input should be a valid integer"):
        load_settings()


def test_every_bad_value_is_named_at_once_on_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUACK_PORT", "0")
    monkeypatch.setenv("DATABASE_URL", "mysql://x")
    with pytest.raises(BadSetting) as caught:
        load_settings()
    assert "QUACK_PORT" in str(caught.value)
    assert "DATABASE_URL" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_bad_secret_is_not_repeated_in_the_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_WRITE_KEY", "hunter2")
    with pytest.raises(BadSetting) as caught:
        load_settings()
    assert "API_WRITE_KEY" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_an_empty_value_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_WEBHOOK_SECRET", "")
    assert load_settings().github_webhook_secret is None


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.4", "::", "example.org"])
def test_listening_beyond_loopback_needs_a_write_key(host: str) -> None:
    with pytest.raises(BadSetting, match="API_WRITE_KEY"):
        load_settings().check_exposure(host)
    load_settings(api_write_key="x" * 16).check_exposure(host)
    load_settings(demo_mode=True).check_exposure(host)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.8.8.8"])
def test_loopback_needs_nothing(host: str) -> None:
    load_settings().check_exposure(host)


def test_the_example_file_and_the_guide_are_those_of_the_settings() -> None:
    assert (ROOT / ".env.example").read_text() == example()
    assert (ROOT / "docs" / "settings.md").read_text() == guide()


def test_a_rule_about_several_settings_names_them_itself() -> None:
    with pytest.raises(BadSetting) as caught:
        load_settings(oidc_client_id="x")
    assert str(caught.value) == (
        "Bad setting: OIDC_CLIENT_ID: needs OIDC_ISSUER, OIDC_CLIENT_SECRET, JWT_SECRET too (see docs/security.md)."
    )


def test_a_rule_of_ours_about_one_setting_is_told_after_its_name() -> None:
    with pytest.raises(BadSetting) as caught:
        load_settings(github_repositories="no/repo/at all", digest_timezone="Mars")
    assert str(caught.value) == (
        "Bad setting: GITHUB_REPOSITORIES: 'no/repo/at all' is no repository; write owner/name or owner/*, separated "
        "by commas; DIGEST_TIMEZONE: 'Mars' is no time zone such as Europe/Berlin."
    )


def test_an_exposed_service_says_what_to_do() -> None:
    with pytest.raises(BadSetting) as caught:
        load_settings().check_exposure("0.0.0.0")
    assert str(caught.value) == (
        "INGEST_HOST=0.0.0.0 is reachable from other machines, but no API_WRITE_KEY is set. "
        "Set API_WRITE_KEY, listen on 127.0.0.1, or set DEMO_MODE=true to allow it anyway."
    )


def test_during_a_rotation_the_previous_secrets_stand_in_the_places_of_the_new_ones() -> None:
    chosen = load_settings(
        github_webhook_secret="new-secret-of-16-chars", github_webhook_secret_previous="old-secret-of-16-chars",
        api_write_key="a-key-of-16-characters",
    )  # fmt: skip
    before = chosen.before_rotation()
    assert before.github_webhook_secret
    assert before.github_webhook_secret.get_secret_value() == "old-secret-of-16-chars"
    assert before.api_write_key == chosen.api_write_key
