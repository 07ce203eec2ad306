"""The files that run the product elsewhere fit together, and fit the settings there are."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from core.settings import Settings
from tests.conftest import ROOT

KNOWN = {name.upper() for name in Settings.model_fields}
# What the compose file itself asks for.
OF_COMPOSE = {"SITE_ADDRESS", "POSTGRES_PASSWORD"}
SECRET = re.compile(r"SECRET|TOKEN|PASSWORD|KEY")


def compose(name: str) -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((ROOT / name).read_text())
    return read


def names_in(file: Path) -> set[str]:
    return set(re.findall(r"^([A-Z_]+)=", file.read_text(), re.MULTILINE))


def rendered() -> list[dict[str, Any]]:
    command = ["kubectl", "kustomize", str(ROOT / "ops" / "kubernetes")]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return list(yaml.safe_load_all(text))


def test_the_production_example_names_settings_that_exist() -> None:
    assert names_in(ROOT / ".env.production.example") <= KNOWN | OF_COMPOSE


def test_the_production_example_holds_no_secret() -> None:
    lines = (ROOT / ".env.production.example").read_text().splitlines()
    assert [line for line in lines if SECRET.search(line.split("=")[0]) and not line.startswith("#")] == [
        f"{line.split('=')[0]}=" for line in lines if SECRET.search(line.split("=")[0]) and not line.startswith("#")
    ]


@pytest.mark.parametrize("name", ["docker-compose.dev.yml", "docker-compose.prod.yml"])
def test_services_are_told_settings_that_exist(name: str) -> None:
    services = compose(name)["services"]
    own = {key: part for key, part in services.items() if key in ("ingest", "worker", "dashboard")}
    told = {variable for part in own.values() for variable in part.get("environment", {})}
    assert told
    assert told <= KNOWN


def test_the_image_has_what_its_commands_import_and_keeps_no_secret() -> None:
    text = (ROOT / "ops" / "docker" / "health.Dockerfile").read_text()
    for folder in re.findall(r"^COPY (?!--)(\S+) \S+$", text, re.MULTILINE):
        assert (ROOT / folder).exists(), folder
        assert f"!{folder}" in (ROOT / ".dockerignore").read_text()
    assert "USER 10001" in text
    assert not re.search(r"^(ENV|ARG).*(SECRET|TOKEN|PASSWORD|_KEY)", text, re.MULTILINE)


def test_the_kubernetes_base_renders_and_its_parts_find_each_other() -> None:
    parts = rendered()
    services = {part["metadata"]["name"] for part in parts if part["kind"] == "Service"}
    backends = {
        path["backend"]["service"]["name"]
        for part in parts
        if part["kind"] == "Ingress"
        for rule in part["spec"]["rules"]
        for path in rule["http"]["paths"]
    }
    assert backends == services == {"ingest", "dashboard"}
    [config] = [part for part in parts if part["kind"] == "ConfigMap"]
    assert set(config["data"]) <= KNOWN
    for part in (part for part in parts if part["kind"] == "Deployment"):
        [container] = part["spec"]["template"]["spec"]["containers"]
        assert container["securityContext"]["readOnlyRootFilesystem"]
        assert {"configMapRef": {"name": config["metadata"]["name"]}} in container["envFrom"]
