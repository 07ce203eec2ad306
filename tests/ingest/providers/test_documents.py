"""What the documents tell people to send is understood, and nothing is left out of them."""

import re
import subprocess
from pathlib import Path

import orjson
import pytest
from streamlit.material_icon_names import ALL_MATERIAL_ICONS

from core.errors import BadSetting
from core.redaction import Redactor, secrets_of
from core.settings import Settings, load_settings
from core.store.providers import ProviderRow
from ingest.deliveries import body_text
from ingest.providers import poll_modules, webhooks
from ingest.providers.about import provider_rows
from ingest.providers.generic.parse import parse
from ingest.providers.generic.payloads import JobPart, RunPart, StepPart
from ingest.providers.proofs import is_hmac_hex, named_secret
from tests.conftest import ROOT
from tests.ingest.providers.fixtures import only_run

DOCS = ROOT / "docs"
PROVIDERS = ROOT / "ingest" / "providers"


def test_the_curl_line_sends_what_is_understood() -> None:
    body = re.search(r"-d '(.*?)'", (DOCS / "generic.md").read_text(), re.DOTALL)
    assert body
    assert only_run(parse("", orjson.loads(body[1]))).status == "success"


def test_every_field_of_the_plain_format_is_documented() -> None:
    text = (DOCS / "generic.md").read_text()
    for model in (RunPart, JobPart, StepPart):
        assert [name for name in model.model_fields if f"{name}`" not in text] == []


@pytest.mark.parametrize(
    "excerpt", re.findall(r"```\w+\n(.*?)```", (DOCS / "adding-a-provider.md").read_text(), re.DOTALL)
)
def test_the_guide_shows_what_is_really_in_the_folder(excerpt: str) -> None:
    folders = (PROVIDERS / "drone", ROOT / "tests" / "fixtures" / "drone")
    texts = [path.read_text() for folder in folders for path in folder.iterdir() if path.suffix in (".py", ".toml")]
    assert any(excerpt in text or excerpt.rstrip() in text for text in texts) or _lines_of_one(excerpt, texts)


def _lines_of_one(excerpt: str, texts: list[str]) -> bool:
    return any(all(line in text.splitlines() for line in excerpt.splitlines()) for text in texts)


@pytest.mark.parametrize("row", provider_rows(load_settings(), ()), ids=lambda row: row.provider)
def test_every_system_says_how_it_is_set_up_in_its_own_folder(row: ProviderRow) -> None:
    assert row.icon in ALL_MATERIAL_ICONS
    assert len(row.steps) > 80
    wanted = [*row.settings.split(","), *(row.polling_settings or "").split(",")]
    fields = {name.upper() for name in Settings.model_fields} | {""}
    assert [name for name in wanted if name.partition("__")[0] not in fields] == []
    assert all(name in (row.polling_steps or "") for name in (row.polling_settings or "").split(","))


def test_the_place_of_the_polling_steps_is_where_polling_is() -> None:
    polled = {module.__name__.split(".")[-2] for module in poll_modules()}
    assert polled == {path.parent.name for path in PROVIDERS.glob("*/polling.md")}


def test_a_system_without_a_setting_of_its_own_has_a_secret_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEBHOOK_SECRETS__A_NEW_ONE", "a-secret-of-the-tests")
    settings = load_settings()
    assert named_secret(settings, "a-new-one") == "a-secret-of-the-tests"
    assert named_secret(settings, "another") is None
    assert len({settings, load_settings()}) == 1, "settings are used as a key"
    assert Redactor(secrets_of(settings)).text("it is a-secret-of-the-tests") == "it is ***ests"
    monkeypatch.setenv("WEBHOOK_SECRETS__A_NEW_ONE", "short")
    with pytest.raises(BadSetting, match="a_new_one must have at least 8"):
        load_settings()


def test_every_system_is_in_the_table() -> None:
    text = (DOCS / "providers.md").read_text()
    assert [name for name in webhooks() if f"| `{name}` |" not in text] == []


def test_jenkins_step_signs_as_it_is_checked(tmp_path: Path) -> None:
    line = re.search(r"signature=\$\((.*)\)\n", (PROVIDERS / "jenkins" / "setup.md").read_text())
    assert line
    (tmp_path / ".health.json").write_text('{"name": "é"}')
    answer = subprocess.run(
        ["sh", "-c", line[1]], cwd=tmp_path, env={"SECRET": "a secret", "PATH": "/usr/bin:/bin"}, capture_output=True
    )
    assert is_hmac_hex("sha256=" + answer.stdout.decode(), (tmp_path / ".health.json").read_bytes(), "a secret")


def test_json_that_curl_calls_a_form_is_read_as_json() -> None:
    assert body_text(b'{"a": "b=c&d"}', "application/x-www-form-urlencoded") == '{"a": "b=c&d"}'
