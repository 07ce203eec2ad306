"""The files that run the product elsewhere fit together, and fit the settings there are."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from core.settings import Settings
from ingest.app import api
from tests.conftest import ROOT

KNOWN = {name.upper() for name in Settings.model_fields}
# What the compose file itself asks for.
OF_COMPOSE = {"SITE_ADDRESS", "POSTGRES_PASSWORD"}
COMPOSE_FILES = ("docker-compose.dev.yml", "docker-compose.prod.yml")
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


@pytest.mark.parametrize("name", COMPOSE_FILES)
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


DOCKERFILE = ROOT / "ops" / "docker" / "health.Dockerfile"
STAGES = {"ingest": 8000, "dashboard": 8501}


def stage(name: str) -> str:
    """The part of the Dockerfile that makes one image."""
    return DOCKERFILE.read_text().split(f" AS {name}\n", 1)[1].split("\nFROM ", 1)[0]


def command_exists(command: list[str]) -> bool:
    """Whether `command` is understood by the program that it starts."""
    if command[:3] == ["python", "-m", "ingest"]:
        done = subprocess.run([sys.executable, *command[1:], "--help"], cwd=ROOT, capture_output=True, check=False)
        return done.returncode == 0
    return command[:2] == ["streamlit", "run"] and (ROOT / command[2]).exists()


def paths_asked(name: str) -> set[str]:
    """Where health checks and probes of a service look, in all files."""
    found = set(re.findall(rf"http://127\.0\.0\.1:{STAGES[name]}(/[^']*)'", stage(name)))
    [deployment] = [part for part in rendered() if part["kind"] == "Deployment" and part["metadata"]["name"] == name]
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    probes = [container[kind] for kind in ("readinessProbe", "livenessProbe")]
    assert {probe["httpGet"]["port"] for probe in probes} == {"http"}
    assert [port["containerPort"] for port in container["ports"]] == [STAGES[name]]
    return found | {probe["httpGet"]["path"] for probe in probes}


def test_every_command_that_is_started_exists() -> None:
    commands = [json.loads(found) for found in re.findall(r"^CMD (\[.*\])$", DOCKERFILE.read_text(), re.MULTILINE)]
    services = [part for name in COMPOSE_FILES for part in compose(name)["services"].values()]
    commands += [part["command"] for part in services if "build" in part and "command" in part]
    deployments = [part for part in rendered() if part["kind"] == "Deployment"]
    for part in deployments:
        [container] = part["spec"]["template"]["spec"]["containers"]
        commands += [container["command"]] if "command" in container else []
    assert len(commands) == 4
    assert all(map(command_exists, commands)), commands


def test_health_checks_and_probes_look_where_something_answers() -> None:
    routes = set(api.openapi()["paths"])
    assert paths_asked("ingest") == {"/health/ready", "/health/live"} <= routes
    assert paths_asked("dashboard") == {"/_stcore/health"}


def test_the_proxy_sends_each_path_to_the_port_that_its_service_listens_on() -> None:
    text = (ROOT / "ops" / "caddy" / "Caddyfile").read_text()
    assert dict(re.findall(r"name (\w+)\s+port (\d+)", text)) == {name: str(port) for name, port in STAGES.items()}
    for name, port in STAGES.items():
        assert f"EXPOSE {port}" in stage(name)
    [paths] = re.findall(r"@service path (.*)", text)
    [service] = [part for part in rendered() if part["kind"] == "Ingress" and part["metadata"]["name"] == "service"]
    in_ingress = {path["path"] for rule in service["spec"]["rules"] for path in rule["http"]["paths"]}
    assert {path.removesuffix("/*") for path in paths.split()} - {"/health"} == in_ingress


@pytest.mark.parametrize("name", COMPOSE_FILES)
def test_what_a_compose_file_names_exists(name: str) -> None:
    read = compose(name)
    for part in read["services"].values():
        if "build" in part:
            assert (ROOT / part["build"]["dockerfile"]).exists()
            assert f" AS {part['build']['target']}\n" in DOCKERFILE.read_text()
        for needed in part.get("depends_on", ()):
            assert needed in read["services"]
        for volume in part.get("volumes", ()):
            place = volume.split(":")[0]
            assert (ROOT / place).exists() if place.startswith(".") else place in read["volumes"]
    asked = set(re.findall(r"\$\{([A-Z_]+)", (ROOT / name).read_text()))
    assert asked <= KNOWN | OF_COMPOSE
