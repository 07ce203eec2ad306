"""A real Buildbot, master and worker as processes of their own, builds, fails and sends; its runs arrive.

Once more they are asked for after the fact, by polling alone: both ways give the same rows.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import IngestProcess, free_port, wait_for

SCRIPTS = Path(sys.executable).parent
PASSWORD = "a-password-of-the-tests"

# Two builders that a timer starts once, at the start; `broken` fails in its second step.
MASTER = """
from buildbot.plugins import reporters, schedulers, steps, util, worker

def factory(*commands):
    return util.BuildFactory([steps.ShellCommand(name=name, command=command) for name, command in commands])

python = {python!r}
BuildmasterConfig = {{
    "workers": [worker.Worker("worker-1", "a-worker-password")],
    "protocols": {{"pb": {{"port": "tcp:{pb}:interface=127.0.0.1"}}}},
    "schedulers": [
        schedulers.Periodic(name="once", builderNames=["shop", "broken"], periodicBuildTimer=86400,
                            codebases={{"": {{"repository": "https://git.example/acme/shop.git", "branch": "main"}}}}),
    ],
    "builders": [
        util.BuilderConfig(name="shop", workernames=["worker-1"], factory=factory(
            ("test", [python, "-c", "print(1)"]))),
        util.BuilderConfig(name="broken", workernames=["worker-1"], factory=factory(
            ("prepare", [python, "-c", "print(1)"]), ("test", [python, "-c", "raise SystemExit(3)"]))),
    ],
    "services": [reporters.HttpStatusPush("{url}", auth=("buildbot", "{password}"), generators=[
        reporters.BuildStartEndStatusGenerator(
            start_formatter=reporters.MessageFormatterFunction(
                lambda context: context["build"], "json", want_properties=True),
            end_formatter=reporters.MessageFormatterFunction(
                lambda context: context["build"], "json", want_properties=True, want_steps=True))])],
    "buildbotURL": "http://buildbot.example/",
    "www": {{"port": "tcp:{www}:interface=127.0.0.1"}},
    "db": {{"db_url": "sqlite:///state.sqlite"}},
    "buildbotNetUsageData": None,
}}
"""


def quietly(folder: Path, *command: str) -> None:
    subprocess.run([SCRIPTS / command[0], *command[1:]], cwd=folder, check=True, capture_output=True, timeout=120)


def running(folder: Path, log: str, *command: str) -> subprocess.Popen[bytes]:
    with (folder / log).open("ab") as output:
        return subprocess.Popen([SCRIPTS / command[0], *command[1:]], cwd=folder, stdout=output, stderr=output)


@pytest.fixture
def www() -> int:
    """The port of Buildbot's web page and REST API."""
    return free_port()


@pytest.fixture
def receiver(tmp_path: Path, www: int) -> Iterator[IngestProcess]:
    """Gets the webhooks, and polls too."""
    settings = {"BUILDBOT_WEBHOOK_SECRET": PASSWORD, "BUILDBOT_URL": f"http://127.0.0.1:{www}"}
    process = IngestProcess(tmp_path, settings | {"POLL_INTERVAL_SECONDS": "1"}).start()
    yield process
    process.end()


@pytest.fixture
def buildbot(tmp_path: Path, receiver: IngestProcess, www: int) -> Iterator[Path]:
    """A master and a worker that were just started."""
    pb = free_port()
    quietly(tmp_path, "buildbot", "create-master", "--quiet", "master")
    url = f"{receiver.url}/api/v1/webhook/buildbot"
    config = MASTER.format(python=sys.executable, pb=pb, www=www, url=url, password=PASSWORD)
    (tmp_path / "master" / "master.cfg").write_text(config)
    quietly(tmp_path, "buildbot-worker", "create-worker", "worker", f"127.0.0.1:{pb}", "worker-1", "a-worker-password")
    processes = [
        running(tmp_path, "master.log", "buildbot", "start", "--nodaemon", "master"),
        running(tmp_path, "worker.log", "buildbot-worker", "start", "--nodaemon", "worker"),
    ]
    yield tmp_path
    for process in processes:
        process.terminate()
    for process in processes:
        process.wait(timeout=30)


@pytest.fixture
def latecomer(tmp_path: Path, www: int) -> Iterator[IngestProcess]:
    """Knows Buildbot's address only; the test starts it."""
    folder = tmp_path / "late"
    folder.mkdir()
    process = IngestProcess(folder, {"BUILDBOT_URL": f"http://127.0.0.1:{www}"})
    yield process
    process.end()


def builds(receiver: IngestProcess) -> dict[str, dict[str, Any]]:
    answer = httpx.get(f"{receiver.url}/api/v1/builds", params={"provider": "buildbot"}).json()
    assert len(answer["builds"]) <= 2, "two ways, but one row for each build"
    return {build["pipeline"]: build for build in answer["builds"]}


def wait_for_both(receiver: IngestProcess, log: Path) -> None:
    wait_for(
        lambda: sorted(build["status"] for build in builds(receiver).values()) == ["failed", "success"],
        f"both builds to finish; see {log}",
        seconds=90,
    )


def details(receiver: IngestProcess, pipeline: str) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{receiver.url}/api/v1/builds/{builds(receiver)[pipeline]['id']}").json()
    return found


def test_what_a_real_buildbot_builds_arrives(buildbot: Path, receiver: IngestProcess, latecomer: IngestProcess) -> None:
    wait_for_both(receiver, buildbot / "master.log")
    broken = details(receiver, "broken")
    assert (broken["conclusion"], broken["metadata"]["head_branch"]) == ("failure", "main")
    assert broken["pipeline"]["repository"] == "acme/shop"
    [job] = broken["jobs"]
    assert (job["name"], job["status"], job["runner_name"]) == ("broken", "failed", "worker-1")
    # Buildbot puts the preparation of the worker before the steps of the builder.
    steps = [(step["name"], step["conclusion"]) for step in job["steps"]]
    assert steps[-2:] == [("prepare", "success"), ("test", "failure")]
    alerts = httpx.get(f"{receiver.url}/api/v1/alerts").json()["alerts"]
    assert [(alert["type"], alert["severity"]) for alert in alerts] == [("pipeline_failure", "critical")]

    latecomer.start()
    wait_for_both(latecomer, buildbot / "master.log")
    for pipeline in ("broken", "shop"):
        assert details(latecomer, pipeline) == details(receiver, pipeline)
    log = httpx.get(f"{latecomer.url}/api/v1/builds/{broken['id']}/logs").text
    assert "##[group]test · stdio\n" in log
    assert "raise SystemExit(3)" in log
