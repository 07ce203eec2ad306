"""A GitHub of our own: what each address answers, written from GitHub's documentation. The weather is in github_server.

https://docs.github.com/en/rest/actions/workflow-runs, /workflow-jobs, /repos/repos, /apps
"""

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from tests.github_truth import Repository, Run, text_of

MOST_RESULTS = 1000
PAGED = {"per_page", "page"}
FILTERS = {"actor", "branch", "event", "status", "created", "exclude_pull_requests", "check_suite_id", "head_sha"}


@dataclass
class Said:
    """An answer before the weather: `next_page` becomes a Link."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    next_page: int | None = None


@dataclass
class Asked:
    path: str
    query: Mapping[str, str]


@dataclass
class Routes:
    """`violations` collects requests that GitHub's documentation doesn't know.

    `instead` holds other answers than the true ones, by path; `endless` listings name a next page after the last.
    """

    repositories: dict[str, Repository]
    storage: str
    base: str = ""
    organizations: set[str] = field(default_factory=set)
    private_of: str | None = None
    refuse: dict[str, int] = field(default_factory=dict)
    renamed: dict[str, str] = field(default_factory=dict)
    refuse_page: int | None = None
    hidden: int | None = None
    instead: dict[str, Said] = field(default_factory=dict)
    endless: bool = False
    violations: list[str] = field(default_factory=list)

    def answer(self, asked: Asked) -> Said:
        if not asked.path.startswith(f"{self.base}/"):
            return error(404, "Not Found")
        if asked.path in self.instead:
            return self.instead[asked.path]
        parts = asked.path.removeprefix(self.base).strip("/").split("/")
        match parts:
            case ["orgs", owner, "repos"]:
                return self._owned(asked, owner) if owner in self.organizations else error(404, "Not Found")
            case ["users", owner, "repos"]:
                return self._owned(asked, owner)
            case ["user", "repos"]:
                return self._page(asked, [one.body() for one in self._owned_by(self.private_of or "-", private=True)])
            case ["installation", "repositories"]:
                return self._page(asked, [one.body() for one in self.repositories.values()], "repositories")
            case ["repositories", number, *rest]:
                found = [one for one in self.repositories.values() if str(one.id) == number]
                return self._repository(asked, found[0], rest) if found else error(404, "Not Found")
            case ["repos", owner, name, *rest]:
                return self._named(asked, f"{owner}/{name}", rest)
        self.violations.append(asked.path)
        return error(404, "Not Found")

    def _named(self, asked: Asked, name: str, rest: list[str]) -> Said:
        if name in self.refuse:
            return error(self.refuse[name], "Resource not accessible by personal access token")
        if name in self.renamed:
            number = self.repositories[self.renamed[name]].id
            query = "&".join(f"{key}={value}" for key, value in asked.query.items())
            place = "/".join([self.base + "/repositories", str(number), *rest]) + (f"?{query}" if query else "")
            return Said(301, b'{"message": "Moved Permanently"}', {"Location": place})
        found = {one.lower(): repository for one, repository in self.repositories.items()}.get(name.lower())
        return self._repository(asked, found, rest) if found else error(404, "Not Found")

    def _repository(self, asked: Asked, repository: Repository, rest: list[str]) -> Said:
        match rest:
            case []:
                return json(repository.body())
            case ["actions", "runs"]:
                return self._runs(asked, repository)
            case ["actions", "jobs", job_id, "logs"]:
                return self._log(repository, job_id)
            case ["actions", "runs", run_id, *more]:
                run = repository.runs.get(int(run_id))
                return self._run(asked, repository, run, more) if run else error(404, "Not Found")
        self.violations.append(asked.path)
        return error(404, "Not Found")

    def _owned_by(self, owner: str, *, private: bool) -> list[Repository]:
        own = [one for one in self.repositories.values() if one.name.split("/")[0].lower() == owner.lower()]
        return [one for one in own if private or not one.private]

    def _owned(self, asked: Asked, owner: str) -> Said:
        found = self._owned_by(owner, private=owner in self.organizations)
        return self._page(asked, [one.body() for one in found]) if found else error(404, "Not Found")

    def _runs(self, asked: Asked, repository: Repository) -> Said:
        """Newest first; a filtered listing ends after 1,000 results, whatever its total says."""
        self._check(asked, PAGED | FILTERS)
        if self.refuse_page and asked.query.get("page") == str(self.refuse_page):
            return error(500, "Server Error")
        runs = sorted(repository.runs.values(), key=lambda run: (run.created, run.id), reverse=True)
        span = asked.query.get("created")
        if span:
            start, end = span.split("..")
            runs = [run for run in runs if start <= text_of(run.created) <= end]
        shown = runs[:MOST_RESULTS] if FILTERS & set(asked.query) else runs
        return self._page(asked, shown, "workflow_runs", len(runs), lambda run: repository.run_body(run, run.latest))

    def _run(self, asked: Asked, repository: Repository, run: Run, rest: list[str]) -> Said:
        match rest:
            case []:
                return json(repository.run_body(run, run.latest))
            case ["jobs"]:
                self._check(asked, PAGED | {"filter"})
                every = asked.query.get("filter") == "all"
                return self._page(
                    asked, [j for one in (run.attempts if every else run.attempts[-1:]) for j in one.jobs], "jobs"
                )
            case ["logs"]:
                return self._zip(repository, run, len(run.attempts))
            case ["attempts", number, *more] if 1 <= int(number) <= len(run.attempts):
                attempt = run.attempts[int(number) - 1]
                match more:
                    case []:
                        return json(repository.run_body(run, attempt))
                    case ["jobs"]:
                        self._check(asked, PAGED)
                        return self._page(asked, attempt.jobs, "jobs")
                    case ["logs"]:
                        return self._zip(repository, run, int(number))
        return error(404, "Not Found")

    def _page(
        self, asked: Asked, items: list[Any], name: str | None = None, total: int | None = None, body: Any = None
    ) -> Said:
        size = min(100, int(asked.query.get("per_page", "30")))
        number = int(asked.query.get("page", "1"))
        shown = [body(one) if body else one for one in items[(number - 1) * size : number * size]]
        said = json({"total_count": len(items) if total is None else total, name: shown} if name else shown)
        if self.hidden and name == "workflow_runs":
            left = [one for one in shown if one["id"] != self.hidden]
            said.body = json({"total_count": len(items), name: left}).body
        said.next_page = number + 1 if number * size < len(items) or self.endless else None
        return said

    def _log(self, repository: Repository, job_id: str) -> Said:
        log = repository.logs.get(int(job_id), 404)
        if isinstance(log, int):
            return error(log, "Gone" if log == 410 else "Not Found")
        return Said(302, b"", {"Location": f"{self.storage}/{repository.name}/{job_id}?sig=secret"})

    def _zip(self, repository: Repository, run: Run, attempt: int) -> Said:
        log = repository.zips.get((run.id, attempt), 404)
        if isinstance(log, int):
            return error(log, "Gone" if log == 410 else "Not Found")
        return Said(302, b"", {"Location": f"{self.storage}/{repository.name}/{run.id}-{attempt}.zip?sig=secret"})

    def stored(self, path: str) -> bytes:
        """What lies on the other host."""
        owner, name, what = path.strip("/").split("/")
        repository = self.repositories[f"{owner}/{name}"]
        if what.endswith(".zip"):
            run_id, attempt = what.removesuffix(".zip").split("-")
            files = repository.zips[int(run_id), int(attempt)]
            assert isinstance(files, dict)
            return zipped(files)
        log = repository.logs[int(what)]
        assert isinstance(log, bytes)
        return log

    def _check(self, asked: Asked, known: set[str]) -> None:
        if unknown := set(asked.query) - known:
            self.violations.append(f"{asked.path}: {sorted(unknown)}")


def zipped(files: Mapping[str, bytes]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return held.getvalue()


def json(body: Any) -> Said:
    return Said(200, orjson.dumps(body))


def error(status: int, message: str, **headers: str) -> Said:
    body = {"message": message, "documentation_url": "https://docs.github.com/rest", "status": str(status)}
    return Said(status, orjson.dumps(body), {name.replace("_", "-"): value for name, value in headers.items()})
