"""`make mutation`: mutants of `core`, a group of modules at a time with the tests that belong to it.

Writes the scores into docs/mutation.md, and each survivor as a diff into test-artifacts/mutation/survivors.txt. With
names of groups only those are run, and nothing is written into the docs. See docs/mutation.md.
"""

import json
import os
import platform
import re
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parent.parent
PLACE = ROOT / "test-artifacts" / "mutation"
DOCS = ROOT / "docs" / "mutation.md"
FIGURES = re.compile(r"(?<=<!-- figures -->\n).*?(?=<!-- /figures -->)", re.DOTALL)
# What the tests read besides `core`, which mutmut copies itself, and `tests`.
NEEDED = ("ingest", "dashboard", "bench", "docs", "ops", "data", ".env.example")
# How a mutant ended, by mutmut's exit codes (-9, ±24, 152 and 255 are its own signals). One that hangs is noticed too.
# https://github.com/boxed/mutmut/blob/main/src/mutmut/stats.py
ENDINGS = {1: "killed", 3: "killed", 0: "survived", 5: "not covered", 33: "not covered"} | dict.fromkeys(
    (36, -24, 24, 152, 255, -9), "timed out"
)
COLUMNS = ("killed", "timed out", "survived", "not covered", "unclear")


@dataclass(frozen=True, slots=True)
class Group:
    """Modules of `core`, the tests that hold them, and the tests among those that take too long or start a page."""

    modules: tuple[str, ...]
    tests: tuple[str, ...]
    without: tuple[str, ...] = ()

    def options(self) -> list[str]:
        return ["-k", " and ".join(f"not {word}" for word in self.without)] if self.without else []


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
        ("insights/*",),
        ("core/insights/test_cost", "core/insights/test_digest", "core/insights/test_digest_words",
         "core/insights/test_dora", "core/insights/test_stored",
         "core/insights/test_failures", "core/insights/test_flaky", "core/insights/test_regressions"),
        without=("simulated",),
    ),
    "small": Group(
        ("model", "critical_path", "csv_cells", "access", "key_hash", "nul", "errors", "redaction",
         "documented_views", "settings", "settings_docs", "queries"),
        ("core/test_critical_path", "core/test_documented_views", "core/test_settings", "core/test_queries",
         "core/test_access", "core/test_model", "core/test_key_hash", "core/test_nul", "core/test_redaction",
         "core/test_errors", "ingest/test_github_parse", "ingest/test_redaction", "dashboard/test_csv_export",
         "dashboard/test_sign_in"),
        without=("page", "exposed", "reaches"),
    ),
    "store": Group(
        ("store/rows", "store/writer", "store/alerts", "store/alert_actions", "store/telling", "store/outbox",
         "store/retention", "store/polling", "store/duplicates", "store/digest", "store/archive", "store/silences",
         "store/believable", "store/stored_settings", "store/providers", "store/job_logs", "store/migrations"),
        ("core/test_writer", "core/insights/test_digest", "core/test_store_rows", "core/test_store_tables",
         "core/test_alert_tables", "core/test_clock", "core/test_archive", "ingest/test_alert_life",
         "ingest/test_message_life"),
        without=("simulated",),
    ),
}  # fmt: skip


def main(names: list[str]) -> int:
    unknown = set(names) - set(GROUPS)
    if unknown:
        sys.exit(f"No such group: {', '.join(sorted(unknown))}. Known: {', '.join(GROUPS)}.")
    begun = datetime.now(UTC)
    endings: dict[str, Counter[str]] = {}
    survivors: list[str] = []
    for name in names or GROUPS:
        folder = PLACE / name
        _prepare(folder, GROUPS[name])
        _mutmut(folder, "run", "--max-children", str(os.cpu_count() or 1))
        for module, ends in _endings(folder).items():
            counted = Counter(ends.values())
            endings[module] = counted
            sys.stdout.write(f"{module}: {', '.join(f'{counted[column]} {column}' for column in COLUMNS)}\n")
            survivors += [_mutmut(folder, "show", mutant) for mutant, end in ends.items() if end not in COLUMNS[:2]]
    (PLACE / "survivors.txt").write_text("\n".join(survivors))
    table = _table(endings, begun)
    sys.stdout.write(f"\n{table}\nSurvivors: {PLACE / 'survivors.txt'}\n")
    if not names:
        DOCS.write_text(FIGURES.sub(lambda _: table, DOCS.read_text()))
    return 0


def _prepare(folder: Path, group: Group) -> None:
    """A copy of the repository with settings of mutmut, so that nothing is made in the repository itself."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in ("core", "tests", "pyproject.toml", *NEEDED):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, folder / name)
    settings = {
        "source_paths": ["core"],
        "only_mutate": [f"core/{module}.py" for module in group.modules],
        "also_copy": NEEDED,
        "process_isolation": ["forkserver"],
        "use_git_change_detection": ["false"],
        "pytest_add_cli_args_test_selection": [f"tests/{test}.py" for test in group.tests],
        "pytest_add_cli_args": ["-p", "no:cacheprovider", *group.options()],
    }
    lines = ["[mutmut]"]
    for name, values in settings.items():
        lines += [f"{name} =" + (f" {values[0]}" if len(values) == 1 else "")]
        lines += [f"    {value}" for value in values if len(values) > 1]
    (folder / "setup.cfg").write_text("\n".join(lines) + "\n")


def _mutmut(folder: Path, *arguments: str) -> str:
    """What mutmut prints. Its progress is one line of thousands of redrawings, so it goes into a file."""
    command = [str(Path(sys.executable).with_name("mutmut")), *arguments]
    # Recordings that only some have would make other figures.
    variables = {name: value for name, value in os.environ.items() if name != "RECORDED_PAYLOADS"}
    done = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, check=False)
    if done.returncode or "failed to collect stats" in done.stdout:
        (folder / "mutmut.log").write_text(done.stdout + done.stderr)
        sys.exit(f"mutmut {' '.join(arguments)} failed: {folder / 'mutmut.log'}")
    return done.stdout


def _endings(folder: Path) -> dict[str, dict[str, str]]:
    """How each mutant of each module ended, as mutmut notes it beside the mutated module."""
    found: dict[str, dict[str, str]] = {}
    for path in sorted((folder / "mutants").rglob("*.py.meta")):
        module = str(path.relative_to(folder / "mutants")).removesuffix(".meta")
        codes: dict[str, int] = json.loads(path.read_text())["exit_code_by_key"]
        if codes:
            found[module] = {mutant: ENDINGS.get(code, "unclear") for mutant, code in codes.items()}
    return found


def _table(endings: dict[str, Counter[str]], begun: datetime) -> str:
    rows = [f"| module | mutants | {' | '.join(COLUMNS)} | score |", "|---|--:|--:|--:|--:|--:|--:|--:|"]

    rows += [_row(f"`{module}`", endings[module]) for module in sorted(endings)]
    rows.append(_row("**all**", sum(endings.values(), Counter())))
    minutes = (datetime.now(UTC) - begun).total_seconds() / 60
    words = (
        f"{begun:%Y-%m-%d}, mutmut {version('mutmut')}, Python {platform.python_version()}, "
        f"{os.cpu_count()} cores, {minutes:.0f} min."
    )
    return f"{words}\n\n" + "\n".join(rows) + "\n"


def _row(name: str, counted: Counter[str]) -> str:
    noticed = counted["killed"] + counted["timed out"]
    cells = [name, counted.total(), *(counted[column] for column in COLUMNS), f"{noticed / counted.total():.1%}"]
    return f"| {' | '.join(str(cell) for cell in cells)} |"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
