"""A Jenkins of our own: what it knows, in the words of its API. `tests/jenkins_server.py` has its rules."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

Json = dict[str, Any]
HOST = "https://jenkins.example"
CLASSES = {
    "folder": "com.cloudbees.hudson.plugins.folder.Folder",
    "multibranch": "org.jenkinsci.plugins.workflow.multibranch.WorkflowMultiBranchProject",
    "workflow": "org.jenkinsci.plugins.workflow.job.WorkflowJob",
    "freestyle": "hudson.model.FreeStyleProject",
    "matrix": "hudson.matrix.MatrixProject",
}
PRIMARY = "jenkins.scm.api.metadata.PrimaryInstanceMetadataAction"


def milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)


@dataclass
class Build:
    number: int
    begun: datetime
    result: str | None = "SUCCESS"
    seconds: float = 60.5
    stages: list[tuple[int, str, str]] = field(default_factory=list)
    paused: bool = False
    log: bytes = b""

    @property
    def building(self) -> bool:
        return self.result is None


@dataclass
class Item:
    """A folder or a job. `name` is escaped once, as the job of a branch has it."""

    name: str
    kind: str = "freestyle"
    items: list["Item"] = field(default_factory=list)
    builds: dict[int, Build] = field(default_factory=dict)
    axes: tuple[str, ...] = ()
    is_primary: bool = False
    path: str = ""

    def add(self, item: "Item") -> "Item":
        item.path = f"{self.path}job/{quote(item.name, safe='')}/"
        self.items.append(item)
        return item

    def build(self, number: int, begun: datetime, result: str | None = "SUCCESS", **more: Any) -> Build:
        if self.kind == "workflow" and "stages" not in more:
            more["stages"] = [(6, "Checkout", "SUCCESS"), (13, "Test", result or "IN_PROGRESS")]
        self.builds[number] = Build(number, begun, result, **more)
        return self.builds[number]

    def body(self) -> Json:
        """All that Jenkins would tell of it; the server lets through what was asked for."""
        body: Json = {"_class": CLASSES.get(self.kind, "hudson.model.Hudson"), "name": self.name}
        body |= {"url": f"{HOST}/{self.path}", "fullName": self.name, "color": "blue", "actions": self._actions()}
        if self.kind in ("folder", "multibranch", "root"):
            return body | {"jobs": [item.body() for item in self.items]}
        newest = sorted(self.builds.values(), key=lambda build: build.number, reverse=True)
        bodies = [self.build_body(build) for build in newest]
        return body | {"allBuilds": bodies, "builds": bodies[:100], "lastBuild": bodies[0] if bodies else None}

    def _actions(self) -> list[Json]:
        return [{}, {"_class": PRIMARY}] if self.is_primary else [{}]

    def build_body(self, build: Build) -> Json:
        workflow = self.kind == "workflow"
        sort = "org.jenkinsci.plugins.workflow.job.WorkflowRun" if workflow else "hudson.model.FreeStyleBuild"
        change = {
            "_class": "hudson.plugins.git.GitChangeSetList",
            "items": [{"commitId": "a" * 40, "msg": "A change", "author": {"fullName": "Ana Example"}}],
            "kind": "git",
        }
        body = {
            "_class": sort,
            "number": build.number,
            "url": f"{HOST}/{self.path}{build.number}/",
            "result": build.result,
            "building": build.building,
            "timestamp": milliseconds(build.begun),
            "duration": 0 if build.building else int(build.seconds * 1000),
            "estimatedDuration": 60000,
            "displayName": f"#{build.number}",
            "fullDisplayName": f"{self.name} #{build.number}",
            "actions": [
                {"_class": "hudson.model.CauseAction", "causes": [_cause()]},
                {},
                _checkout("library", "b" * 40),
                _checkout(f"refs/remotes/origin/{self.name.replace('%2F', '/')}", "a" * 40),
            ],
            **({"changeSets": [change]} if workflow else {"changeSet": change}),
        }
        if self.axes:
            body["runs"] = [self._configuration(build, axes, build.number) for axes in self.axes]
            # An older build of a configuration stands for one that the filter left out.
            body["runs"].append(self._configuration(build, "jdk=8", build.number - 1))
        return body

    def _configuration(self, build: Build, axes: str, number: int) -> Json:
        url = f"{HOST}/{self.path}{axes}/{number}/"
        parent = {"number": number, "url": url, "result": build.result, "building": build.building}
        return parent | {"timestamp": milliseconds(build.begun), "duration": 1000, "_class": "hudson.matrix.MatrixRun"}

    def stages(self, build: Build) -> Json:
        begun = milliseconds(build.begun)
        word = "PAUSED_PENDING_INPUT" if build.paused else build.result or "IN_PROGRESS"
        return {
            "id": str(build.number),
            "name": f"#{build.number}",
            "status": word,
            "startTimeMillis": begun,
            "durationMillis": int(build.seconds * 1000),
            "stages": [
                {
                    "id": str(number),
                    "name": name,
                    "execNode": "",
                    "status": status,
                    "startTimeMillis": begun + number,
                    "durationMillis": 1000,
                    "pauseDurationMillis": 0,
                }
                for number, name, status in build.stages
            ],
        }

    def truth(self) -> set[tuple[int, str | None]]:
        return {(build.number, build.result) for build in self.builds.values()}


def _cause() -> Json:
    return {"_class": "hudson.model.Cause$UserIdCause", "userId": "ana", "userName": "Ana Example"}


def _checkout(branch: str, revision: str) -> Json:
    return {
        "_class": "hudson.plugins.git.util.BuildData",
        "lastBuiltRevision": {"SHA1": revision, "branch": [{"SHA1": revision, "name": branch}]},
        "remoteUrls": ["https://git.example/acme/shop.git"],
    }


def full_of_builds(item: Item, number: int, now: datetime) -> Item:
    """Builds of the last 25 days, with a gap where some were deleted."""
    words = ("SUCCESS", "SUCCESS", "FAILURE", "UNSTABLE", "ABORTED", "NOT_BUILT")
    for place in range(1, number + 1):
        if place % 50 != 7:
            item.build(place, now - timedelta(days=25) * (1 - place / number), words[place % 6])
    return item
