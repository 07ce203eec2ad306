"""`make mutation`: mutants of `core`, a group of modules at a time with the tests that belong to it.

Writes the scores into docs/mutation.md, and the survivors of a group as diffs into
test-artifacts/mutation/<group>/survivors.txt. With names of groups only those are run, and the rows of the other
modules stay as they are; `--continue` keeps what was noticed before and runs the other mutants alone: those of changed
functions, those that no run reached, and, where a group's tests changed, the survivors. See docs/mutation.md.
"""

import json
import os
import platform
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatch
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

from tests import mutant_runs
from tests.postgres_server import PostgresServer
from tests.s3_server import s3_server

ROOT = Path(__file__).parent.parent
PLACE = ROOT / "test-artifacts" / "mutation"
DOCS = ROOT / "docs" / "mutation.md"
ROW = re.compile(r"^\| `(.+?)` \| \d+ \|((?: \d+ \|){4} \d+) \|", re.MULTILINE)
FIGURES = re.compile(r"(?<=<!-- figures -->\n).*?(?=<!-- /figures -->)", re.DOTALL)
# What the tests read besides `core`, which mutmut copies itself, and `tests`.
NEEDED = ("ingest", "dashboard", "bench", "docs", "ops", "data", ".env.example")
# How a mutant ended, by mutmut's exit codes (-9, ±24, 152 and 255 are its own signals). One that hangs is noticed too.
# https://github.com/boxed/mutmut/blob/main/src/mutmut/stats.py
ENDINGS = {
    None: "not run",
    1: "killed",
    3: "killed",
    0: "survived",
    5: "not covered",
    33: "not covered",
} | dict.fromkeys((36, -24, 24, 152, 255, -9), "timed out")
COLUMNS = ("killed", "timed out", "survived", "not covered", "unclear")
NOTICED = COLUMNS[:2]


@dataclass(frozen=True, slots=True)
class Group:
    """Modules of `core`, the tests that hold them, and the tests among those that take too long or start a page."""

    modules: tuple[str, ...]
    tests: tuple[str, ...]
    without: tuple[str, ...] = ()

    def options(self) -> list[str]:
        return ["-k", " and ".join(f"not {word}" for word in self.without)] if self.without else []

    def holds(self, module: str) -> bool:
        return any(fnmatch(module, f"core/{pattern}.py") for pattern in self.modules)

    def digest(self) -> str:
        """Of the tests' texts."""
        texts = [(ROOT / "tests" / f"{test}.py").read_bytes() for test in self.tests]
        return blake2b(b"".join(texts), digest_size=16).hexdigest()


GROUPS = {
    "rules": Group(
        ("alerts", "pipeline_rules", "silences", "alert_groups", "alert_routes"),
        ("core/test_alert_rules", "core/test_pipeline_rules", "core/test_silences", "core/test_alert_groups",
         "core/test_alert_routes"),
    ),
    "past": Group(("past_pipeline", "alert_preview"), ("core/test_past_pipeline", "core/test_alert_preview")),
    "logs": Group(
        ("logs/*",),
        ("core/test_log_excerpt", "core/test_log_lines", "core/test_open_log", "core/test_kept_log"),
    ),
    "insights": Group(
        ("insights/cost", "insights/digest", "insights/dora", "insights/flaky", "insights/stored"),
        ("core/insights/test_cost", "core/insights/test_digest", "core/insights/test_digest_words",
         "core/insights/test_dora", "core/insights/test_stored", "core/insights/test_flaky"),
        without=("simulated",),
    ),
    "series": Group(
        ("insights/failures", "insights/regressions"),
        ("core/insights/test_failures", "core/insights/test_regressions"),
        without=("simulated",),
    ),
    "small": Group(
        ("model", "critical_path", "csv_cells", "access", "key_hash", "nul", "errors", "redaction",
         "documented_views", "settings", "settings_docs", "queries"),
        ("core/test_critical_path", "core/test_documented_views", "core/test_settings", "core/test_queries",
         "core/test_access", "core/test_model", "core/test_key_hash", "core/test_nul", "core/test_redaction",
         "core/test_errors", "ingest/test_github_parse", "ingest/test_redaction", "dashboard/test_csv_export",
         "dashboard/test_sign_in"),
        without=("exposed_dashboard", "settings_page", "on_a_page", "reaches"),
    ),
    "rows": Group(
        ("store/rows", "store/writer", "store/session", "store/stored_steps", "store/proof"),
        ("core/test_store_rows", "core/test_writer", "core/test_stored_steps", "core/test_write_proof"),
    ),
    "tables": Group(
        ("store/alert_actions", "store/silences", "store/stored_settings", "store/providers", "store/job_logs",
         "store/polling", "store/retention", "store/duplicates", "store/believable"),
        ("core/test_store_tables", "core/test_alert_tables", "core/test_clock"),
    ),
    "told": Group(
        ("store/alerts", "store/telling", "store/outbox"),
        ("core/test_alert_evaluation", "core/test_alert_tables", "core/test_clock", "ingest/test_alert_life",
         "ingest/test_message_life"),
    ),
    "file": Group(
        ("store/migrations", "store/duckdb_file", "store/database", "store/copies"),
        ("core/test_database_file", "core/test_copies", "postgres/test_shared_database"),
    ),
    "archive": Group(
        ("store/archive", "store/archive_files", "store/archive_copies", "store/bucket"),
        ("core/test_archive", "core/test_archive_files", "ingest/test_archive_job", "postgres/test_archive_job"),
    ),
    "asked": Group(("store/quack", "store/reader", "store/extensions", "store/asking"), ("core/test_sql_endpoint",)),
    "found": Group(
        ("store/digest", "store/duration_changes", "store/failure_lines"),
        ("core/test_weekly_digest", "core/test_found_in_runs"),
    ),
    "shared": Group(("store/shared_memory", "store/kept_reader"), ("core/test_shared_memory",)),
    "postgres": Group(
        ("store/postgres/connection", "store/postgres/session", "store/postgres/rows", "store/postgres/frames",
         "store/postgres/asking", "store/cursor"),
        ("postgres/test_store", "postgres/test_shared_database"),
    ),
    "moved": Group(("store/postgres/transfer", "store/postgres/migrations"), ("postgres/test_schema_and_transfer",)),
    "archiving": Group(("store/postgres/archiving",), ("postgres/test_archiving", "postgres/test_archive_job")),
    "archived": Group(
        ("store/postgres/archived", "store/postgres/archived_answer", "store/postgres/archived_export",
         "store/postgres/reader"),
        ("postgres/test_archived", "postgres/test_store"),
    ),
    "said": Group(("store/postgres/dialect", "store/postgres/admitting"), ("core/test_said_for_postgres",)),
}  # fmt: skip


def main(arguments: list[str]) -> int:
    goes_on = "--continue" in arguments
    names = [argument for argument in arguments if argument != "--continue"]
    unknown = set(names) - set(GROUPS)
    if unknown:
        sys.exit(f"No such group: {', '.join(sorted(unknown))}. Known: {', '.join(GROUPS)}.")
    for name in names or GROUPS:
        if goes_on:
            _forget(PLACE / name, GROUPS[name])
        else:
            shutil.rmtree(PLACE / name, ignore_errors=True)
        _prepare(PLACE / name, GROUPS[name])
        _run(PLACE / name, GROUPS[name])
    tell()
    return 0


def _run(folder: Path, group: Group) -> None:
    """Run the mutants of a group, which share what takes long to make."""
    # Recordings that only some have would make other figures.
    os.environ.pop("RECORDED_PAYLOADS", None)
    tests = [f"tests/{test}.py" for test in group.tests]
    with ExitStack() as stack:
        stack.callback(mutant_runs.collect_verdicts, folder)
        stack.enter_context(_shared(group))
        try:
            mutant_runs.generate(folder)
            mutant_runs.run(folder, [*group.options(), *tests], int(os.environ.get("MUTATION_PROCESSES", "2")))
        except subprocess.CalledProcessError as error:
            sys.exit(f"{folder.name}: {error}")
    survivors: list[str] = []
    for module, ends in _endings(folder).items():
        counted = Counter(ends.values())
        sys.stdout.write(f"{module}: {', '.join(f'{counted[column]} {column}' for column in COLUMNS)}\n")
        sys.stdout.flush()
        survivors += [_shown(folder, mutant) for mutant, end in ends.items() if end == "survived"]
    (folder / "survivors.txt").write_text("\n".join(survivors))


@contextmanager
def _shared(group: Group) -> Iterator[None]:
    """Servers and databases to copy, named to the tests by the environment."""
    for name in ("TESTS_POSTGRES_PORT", "TESTS_S3"):  # those of the group before are gone
        os.environ.pop(name, None)
    with ExitStack() as stack:
        os.environ["TESTS_FILES"] = stack.enter_context(TemporaryDirectory())
        if any(test.startswith("postgres/") for test in group.tests):
            server = PostgresServer().start()
            stack.callback(server.stop)
            os.environ["TESTS_POSTGRES_PORT"] = str(server.port)
        if any("archive_job" in test for test in group.tests):
            os.environ["TESTS_S3"] = " ".join(stack.enter_context(s3_server()))
        yield


def tell() -> None:
    """Write what is known of all groups into docs/mutation.md; a module that wasn't run to its end keeps its row."""
    text = DOCS.read_text()
    known = {
        module: Counter(dict(zip(COLUMNS, map(int, cells.split("|")), strict=True)))
        for module, cells in ROW.findall(text)
        if (ROOT / module).exists()
    }
    for name in GROUPS:
        found = {module: Counter(ends.values()) for module, ends in _endings(PLACE / name).items()}
        known |= {module: counted for module, counted in found.items() if not counted["not run"]}
    DOCS.write_text(FIGURES.sub(lambda _: _table(known), text))


def _forget(folder: Path, group: Group) -> None:
    """Leave of an earlier run only how mutants ended, and of those that weren't noticed nothing if a test changed."""
    mutants = folder / "mutants"
    mutant_runs.collect_verdicts(folder)
    for path in mutants.rglob("*"):
        if path.is_file() and path.suffix != ".meta":
            path.unlink()
    same = folder.exists() and (folder / "tests.digest").read_text() == group.digest()
    for path in mutants.rglob("*.meta"):
        if not group.holds(str(path.relative_to(mutants)).removesuffix(".meta")):
            path.unlink()
            continue
        noted = json.loads(path.read_text())
        noted["exit_code_by_key"] = {
            mutant: code if ENDINGS.get(code) in NOTICED or (same and code == 0) else None
            for mutant, code in noted["exit_code_by_key"].items()
        }
        path.write_text(json.dumps(noted))


def _prepare(folder: Path, group: Group) -> None:
    """A copy of the repository with settings of mutmut, so that nothing is made in the repository itself."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tests.digest").write_text(group.digest())
    for name in ("core", "tests", "pyproject.toml", *NEEDED):
        shutil.rmtree(folder / name, ignore_errors=True)
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, folder / name)
    settings = {
        "source_paths": ["core"],
        "only_mutate": [f"core/{module}.py" for module in group.modules],
        "also_copy": NEEDED,
        "use_git_change_detection": ["false"],
    }
    lines = ["[mutmut]"]
    for name, values in settings.items():
        lines += [f"{name} =" + (f" {values[0]}" if len(values) == 1 else "")]
        lines += [f"    {value}" for value in values if len(values) > 1]
    (folder / "setup.cfg").write_text("\n".join(lines) + "\n")


def _shown(folder: Path, mutant: str) -> str:
    """A mutant as a diff."""
    command = [str(Path(sys.executable).with_name("mutmut")), "show", mutant]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout


def _endings(folder: Path) -> dict[str, dict[str, str]]:
    """How each mutant of each module ended, as mutmut notes it beside the mutated module."""
    found: dict[str, dict[str, str]] = {}
    for path in sorted((folder / "mutants").rglob("*.py.meta")):
        module = str(path.relative_to(folder / "mutants")).removesuffix(".meta")
        codes: dict[str, int | None] = json.loads(path.read_text())["exit_code_by_key"]
        if codes:
            found[module] = {mutant: ENDINGS.get(code, "unclear") for mutant, code in codes.items()}
    return found


def _table(endings: dict[str, Counter[str]]) -> str:
    rows = [f"| module | mutants | {' | '.join(COLUMNS)} | score |", "|---|--:|--:|--:|--:|--:|--:|--:|"]
    rows += [_row(f"`{module}`", endings[module]) for module in sorted(endings)]
    rows.append(_row("**all**", sum(endings.values(), Counter())))
    words = f"{datetime.now(UTC):%Y-%m-%d}, mutmut {version('mutmut')}, Python {platform.python_version()}."
    return f"{words}\n\n" + "\n".join(rows) + "\n"


def _row(name: str, counted: Counter[str]) -> str:
    noticed = counted["killed"] + counted["timed out"]
    cells = [name, counted.total(), *(counted[column] for column in COLUMNS), f"{noticed / counted.total():.1%}"]
    return f"| {' | '.join(str(cell) for cell in cells)} |"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
