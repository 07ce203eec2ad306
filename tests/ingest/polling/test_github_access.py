"""Who we are to GitHub: a GitHub App's key in every form, its refusals, and the renewal of its tokens."""

from collections.abc import Callable
from pathlib import Path

import duckdb
import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from core.errors import BadSetting
from core.settings import load_settings
from ingest.providers.github.access import AppAccess, access_of
from tests.github_server import GitHubServer, now_to_the_second
from tests.github_truth import Repository
from tests.ingest.polling.conftest import Start, all_read, stored
from tests.ports import free_port

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
).decode()
PUBLIC = KEY.public_key()
APP = {"github_token": None, "github_app_id": "12", "github_app_private_key": PEM, "github_app_installation_id": "77"}


@pytest.fixture
def web(github: GitHubServer) -> Repository:
    """A repository that an installation of the App may read."""
    kind = serialization.PublicFormat.SubjectPublicKeyInfo
    github.app_key = PUBLIC.public_bytes(serialization.Encoding.PEM, kind).decode()
    web = github.add(Repository("acme/web", 1))
    web.add_run(1, now_to_the_second())
    return web


@pytest.mark.parametrize(
    "given",
    [
        lambda _: PEM,
        lambda _: PEM.replace("\n", "\\n"),
        lambda folder: str(folder / "key.pem"),
    ],
    ids=["text", "text in one line", "file"],
)
def test_the_key_of_an_app_is_taken_in_every_form(
    web: Repository, start: Start, database: duckdb.DuckDBPyConnection, tmp_path: Path, given: Callable[[Path], str]
) -> None:
    (tmp_path / "key.pem").write_text(PEM)
    all_read(start("acme/web", **APP | {"github_app_private_key": given(tmp_path)}))
    assert stored(database, "acme/web") == web.truth()


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"github_app_installation_id": None}, "GITHUB_APP_INSTALLATION_ID together"),
        ({"github_app_private_key": None}, "GITHUB_APP_PRIVATE_KEY and"),
        ({"github_app_id": None}, "A GitHub App needs GITHUB_APP_ID"),
        ({"github_app_private_key": "/nowhere/key.pem"}, "the file can't be read: No such file or directory"),
        ({"github_app_private_key": "-----BEGIN RSA PRIVATE KEY-----\nAAAA"}, "this is no RSA key in PEM format"),
    ],
)
def test_an_app_that_is_set_up_by_half_is_refused_at_the_start(changed: dict[str, str | None], sentence: str) -> None:
    with pytest.raises(BadSetting, match=sentence):
        access_of(load_settings(**APP | changed), httpx.AsyncClient())


def test_an_app_that_gets_no_token_says_what_to_check(web: Repository, start: Start) -> None:
    polling = all_read(start("acme/web", **APP | {"github_app_installation_id": "78"}))
    error = polling.book("github-actions", "acme/web").state.last_error or ""
    assert "gives the App no token" in error
    assert "Check GITHUB_APP_ID" in error


def test_an_app_whose_github_is_away_says_so(start: Start) -> None:
    away = f"http://127.0.0.1:{free_port()}"
    polling = all_read(start("acme/web", **APP | {"github_api_url": away}))
    assert "GitHub can't be reached" in (polling.book("github-actions", "acme/web").state.last_error or "")


def test_a_token_that_was_revoked_is_made_anew_after_a_minute(
    github: GitHubServer, web: Repository, start: Start, database: duckdb.DuckDBPyConnection
) -> None:
    polling = all_read(start("acme/web", **APP))
    github.app_tokens.clear()
    web.add_run(2, now_to_the_second())
    access = polling.sources["github-actions"].access  # type: ignore[attr-defined]
    assert isinstance(access, AppAccess)
    access._renewed_at -= 61
    all_read(polling)
    assert stored(database, "acme/web") == web.truth()
    assert len(github.app_tokens) == 1


def test_without_a_token_we_come_as_nobody(github: GitHubServer, web: Repository, start: Start) -> None:
    polling = all_read(start("acme/web", github_token=None))
    assert "doesn't accept the token (401)" in (polling.book("github-actions", "acme/web").state.last_error or "")
    assert set(github.statuses) == {401}
