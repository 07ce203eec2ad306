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


@pytest.mark.parametrize(
    ("name", "bad", "sentence"),
    [
        ("database_url", "sqlite:///x", "must look like duckdb:///data/health.duckdb"),
        ("archive_after_days", 189, "must be 0, or 190 at least"),
        ("redis_url", "127.0.0.1:6379", "must look like redis://:password@host:6379/0"),
        ("webhook_secrets", {"drone": "hunter2"}, "the secret of drone must have at least 8 characters"),
        ("gitlab_webhook_signing_token", "a-signing-token-without-its-prefix", "must be the whole token"),
        ("ingest_url", "http://127.0.0.1:8000/api", "without a path"),
        ("frontend_origin", "localhost:8501", "must be an address such as http://127.0.0.1:8000"),
        ("oidc_issuer", "http://login.example.org", "must be an https address (http only on loopback)"),
        ("trusted_proxies", "10.0.0.0/8, proxy", "proxy is no address and no network"),
        ("archive_folder", "gs://bucket/x", "must be a folder, or a bucket such as s3://my-bucket/ci-archive"),
        ("archive_folder", "s3://UPPER/x", "must be a folder, or a bucket"),
        ("aws_endpoint_url", "https://user:secret@minio.example.org", "without a path"),
        ("github_api_url", "https://token@api.github.com", "must be an address such as https://ci.example.org"),
        ("jenkins_url", "https://ci.example.org?job=1", "must be an address"),
        ("github_repositories", "acme/web, acme", "'acme' is no repository"),
        ("gitlab_projects", "acme", "'acme' is no project"),
        ("digest_timezone", "Europe/Nowhere", "is no time zone such as Europe/Berlin"),
    ],
)
def test_a_value_of_another_kind_is_refused_by_the_name_of_its_setting(name: str, bad: object, sentence: str) -> None:
    with pytest.raises(BadSetting) as caught:
        load_settings(**{name: bad})
    assert f"{name.upper()}: " in str(caught.value)
    assert sentence in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "good", "kept"),
    [
        ("database_url", "postgresql+psycopg://u:p@db:5432/health", None),
        ("archive_after_days", 0, None),
        ("archive_after_days", 190, None),
        ("redis_url", "rediss://:p@cache:6380/1", None),
        ("ingest_url", "http://127.0.0.1:8000/", "http://127.0.0.1:8000"),
        ("trusted_proxies", "10.1.2.3/8, 2001:db8::/32", None),
        ("archive_folder", "s3://my-bucket/ci-archive", None),
        ("archive_folder", "/var/lib/archive", None),
        ("aws_endpoint_url", "https://minio.example.org:9000/", "https://minio.example.org:9000"),
        ("github_api_url", "https://github.example.org/api/v3/", "https://github.example.org/api/v3"),
        ("gitlab_projects", "acme/deep/api, acme/*", None),
        ("log_level", "debug", "DEBUG"),
    ],
)
def test_a_value_that_is_right_is_kept_as_it_is_used(name: str, good: object, kept: object) -> None:
    assert getattr(load_settings(**{name: good}), name) == (good if kept is None else kept)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"oidc_issuer": "https://login.example.org"}, "OIDC_ISSUER: needs OIDC_AUDIENCE"),
        ({"aws_access_key_id": "AKIA"}, "AWS_ACCESS_KEY_ID: needs AWS_SECRET_ACCESS_KEY too"),
        ({"aws_secret_access_key": "a-secret-of-the-tests"}, "AWS_ACCESS_KEY_ID: needs AWS_SECRET_ACCESS_KEY too"),
    ],
)
def test_settings_that_need_each_other_say_so(given: dict[str, str], sentence: str) -> None:
    with pytest.raises(BadSetting) as caught:
        load_settings(**given)  # type: ignore[arg-type]
    assert sentence in str(caught.value)
    assert "a-secret-of-the-tests" not in str(caught.value)


def test_an_issuer_on_loopback_needs_no_encryption() -> None:
    for address in ("http://127.0.0.1:9000", "http://localhost:9000/realm", "http://[::1]:9000", "https://x.example"):
        assert load_settings(oidc_issuer=address, oidc_audience="dashboard").oidc_issuer == address
