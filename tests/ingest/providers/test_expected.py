"""A folder of fixtures may say itself what its payloads must give: `expected.toml`. Then no other test is needed."""

import tomllib
from typing import Any

import pytest

from core.model import Changes
from ingest.providers import webhooks
from tests.ingest.providers.fixtures import OWN, payload

KINDS = {"run": "runs", "pipeline": "pipelines"}


def expectations() -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path.parent.name, name, expected)
        for path in sorted(OWN.glob("*/expected.toml"))
        for name, expected in tomllib.loads(path.read_text()).items()
    ]


def named(rows: tuple[Any, ...], wanted: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of each row the fields that are wanted of it."""
    return [{name: getattr(row, name) for name in fields} for row, fields in zip(rows, wanted, strict=True)]


@pytest.mark.parametrize(
    ("provider", "name", "expected"),
    [one for one in expectations() if one[1] != "proof"],
    ids=lambda one: str(one)[:40],
)
def test_a_payload_gives_what_its_folder_says(provider: str, name: str, expected: dict[str, Any]) -> None:
    changes: Changes | None = webhooks()[provider].parse("", payload(provider, name))
    if expected.get("ignored"):
        assert changes is None
        return
    assert changes
    for kind, rows in expected.items():
        wanted = rows if isinstance(rows, list) else [rows]
        assert named(getattr(changes, KINDS.get(kind, kind)), wanted) == wanted


@pytest.mark.parametrize(
    ("provider", "proof"),
    [(one[0], one[2]) for one in expectations() if one[1] == "proof"],
    ids=lambda one: str(one)[:20],
)
def test_only_who_knows_the_secret_is_believed(provider: str, proof: dict[str, Any]) -> None:
    authentic = webhooks()[provider].is_authentic
    body, headers, secret = proof["body"].encode(), proof["headers"], proof["secret"]
    assert authentic(body, headers, secret)
    assert not authentic(body + b" ", headers, secret)
    assert not authentic(body, headers, secret + "x")
    assert not authentic(body, {}, secret)
    for name in headers:
        assert not authentic(body, {**headers, name: "é"}, secret) or name == "digest"
