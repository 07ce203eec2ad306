"""What the documents tell people to send is understood, and nothing is left out of them."""

import re
import shutil
import subprocess
from pathlib import Path

import orjson
import pytest

from ingest.deliveries import body_text
from ingest.providers import webhooks
from ingest.providers.generic.parse import parse
from ingest.providers.generic.payloads import JobPart, RunPart, StepPart
from ingest.providers.proofs import is_hmac_hex
from tests.conftest import ROOT
from tests.ingest.providers.fixtures import only_run

DOCS = ROOT / "docs"


def test_the_curl_line_sends_what_is_understood() -> None:
    body = re.search(r"-d '(.*?)'", (DOCS / "generic.md").read_text(), re.DOTALL)
    assert body
    assert only_run(parse("", orjson.loads(body[1]))).status == "success"


def test_every_field_of_the_plain_format_is_documented() -> None:
    text = (DOCS / "generic.md").read_text()
    for model in (RunPart, JobPart, StepPart):
        assert [name for name in model.model_fields if f"{name}`" not in text] == []


def test_every_system_is_in_the_table() -> None:
    text = (DOCS / "providers.md").read_text()
    assert [name for name in webhooks() if f"| `{name}` |" not in text] == []


@pytest.mark.skipif(not shutil.which("openssl"), reason="the step needs openssl")
def test_jenkins_step_signs_as_it_is_checked(tmp_path: Path) -> None:
    line = re.search(r"signature=\$\((.*)\)\n", (DOCS / "providers.md").read_text())
    assert line
    (tmp_path / ".health.json").write_text('{"name": "é"}')
    answer = subprocess.run(
        ["sh", "-c", line[1]], cwd=tmp_path, env={"SECRET": "a secret", "PATH": "/usr/bin:/bin"}, capture_output=True
    )
    assert is_hmac_hex("sha256=" + answer.stdout.decode(), (tmp_path / ".health.json").read_bytes(), "a secret")


def test_json_that_curl_calls_a_form_is_read_as_json() -> None:
    assert body_text(b'{"a": "b=c&d"}', "application/x-www-form-urlencoded") == '{"a": "b=c&d"}'
