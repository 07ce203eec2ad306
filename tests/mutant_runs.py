"""Makes the mutants of a folder that tests/mutation.py prepared, and runs those that have no verdict yet.

mutmut itself starts pytest anew for each mutant, which takes 0.3 s of a core. Here the tests are collected once, and
each mutant is switched on in a fork that runs the tests of its function, the quickest first, until one fails.
"""

import ast
import gc
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import pytest
from _pytest.runner import runtestprotocol

# By mutmut's exit codes: killed, not covered, timed out.
KILLED, NOT_COVERED, TIMED_OUT = 1, 33, 36
# mutmut's functions read its settings from the folder in which they run, and keep them.
GENERATE = """
from mutmut import __main__ as mutmut
mutmut.set_mutant_under_test("mutant_generation")
mutmut.copy_src_dir()
mutmut.copy_also_copy_files()
mutmut.setup_source_paths()
mutmut.create_mutants(1)
"""
CASELESS = re.compile(
    r"^utf-8$|^\d+GB$|\b(SELECT|INSERT|UPDATE|DELETE|CREATE|DROP|ALTER|SET|FROM|WHERE|AND|AS|BEGIN|COMMIT|ROLLBACK|VACUUM"
    r"|LOCK|COPY|ISOLATION|ATTACH|DETACH|CHECKPOINT|DESCRIBE|LISTEN|NOTIFY)\b"
)
QUOTED = re.compile(r"'[^']*'|%s")
# A mutant hangs that takes so long, and ten times as long as its tests without it.
LEAST_SECONDS = 20.0


def generate(folder: Path) -> None:
    """Write the mutants of `folder` into `folder/mutants`; verdicts on functions that didn't change stay.

    Those that are the same program aren't noted, so that nobody runs or counts them.
    """
    (folder / "mutants").mkdir(exist_ok=True)
    subprocess.run([sys.executable, "-c", GENERATE], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    for path in (folder / "mutants").rglob("*.py.meta"):
        noted = json.loads(path.read_text())
        functions = _functions(path.with_suffix(""))
        for mutant in list(noted["exit_code_by_key"]):
            name = mutant.rpartition(".")[2]
            if _is_the_same(functions[f"{name.rpartition('__mutmut_')[0]}__mutmut_orig"], functions[name]):
                del noted["exit_code_by_key"][mutant]
        path.write_text(json.dumps(noted))


def _functions(path: Path) -> dict[str, ast.AST]:
    tree = ast.parse(path.read_text())
    return {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def _is_the_same(function: ast.AST, mutant: ast.AST) -> bool:
    """Whether nothing differs but the letters of SQL's words or of an encoding's name."""
    pairs = list(zip(_texts(function), _texts(mutant), strict=False))
    changed = [(before, after) for before, after in pairs if before != after]
    return bool(changed) and all(
        before.lower() == after.lower() and CASELESS.search(before) and QUOTED.findall(before) == QUOTED.findall(after)
        for before, after in changed
    )


def _texts(function: ast.AST) -> list[str]:
    return [node.value for node in ast.walk(function) if isinstance(node, ast.Constant) and isinstance(node.value, str)]


def run(folder: Path, arguments: Sequence[str], processes: int) -> None:
    """Run all mutants of `folder` that have no verdict, with the tests that the arguments of pytest choose.

    Raises CalledProcessError where the tests fail without a mutant.
    """
    parts = [
        subprocess.Popen([sys.executable, __file__, f"{part}/{processes}", *arguments], cwd=folder / "mutants")
        for part in range(processes)
    ]
    for part in parts:
        if part.wait():
            raise subprocess.CalledProcessError(part.returncode, part.args)


class Runs:
    """The plugin: instead of running the collected tests, runs every `parts`-th mutant."""

    def __init__(self, part: int, parts: int) -> None:
        self._part, self._parts = part, parts

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Literal[True]:
        items = {item.nodeid: item for item in session.items}
        tests, seconds = _reached(session.items)
        gc.freeze()  # what is shared with the forks stays shared
        for path, mutant in _without_verdict()[self._part :: self._parts]:
            function = mutant.rpartition("__mutmut_")[0]
            wanted = sorted(tests.get(function, ()), key=lambda test: seconds[test])
            limit = LEAST_SECONDS + 10 * sum(seconds[test] for test in wanted)
            chosen = [items[test] for test in wanted]
            code = _forked(lambda: _run(mutant, chosen), limit) if chosen else NOT_COVERED  # noqa: B023 - runs at once
            # Another part may have written meanwhile: each verdict has a line of its own.
            with path.with_suffix(f".{self._part}").open("a") as verdicts:
                verdicts.write(f"{json.dumps([mutant, code])}\n")
        return True


def collect_verdicts(folder: Path) -> None:
    """Put what the parts noted into mutmut's own notes, from which `mutmut browse` and the scores are read."""
    for path in (folder / "mutants").rglob("*.py.meta"):
        noted = json.loads(path.read_text())
        for part in path.parent.glob(f"{path.stem}.[0-9]*"):
            lines = part.read_text().splitlines(keepends=True)
            noted["exit_code_by_key"] |= dict(json.loads(line) for line in lines if line.endswith("\n"))
            part.unlink()
        path.write_text(json.dumps(noted))


def _without_verdict() -> list[tuple[Path, str]]:
    found = []
    for path in sorted(Path.cwd().rglob("*.py.meta")):
        codes = json.loads(path.read_text())["exit_code_by_key"]
        found += [(path, mutant) for mutant, code in codes.items() if code is None]
    return found


def _reached(items: list[pytest.Item]) -> tuple[dict[str, set[str]], dict[str, float]]:
    """Which tests run which functions, and how long each takes. Exits where one fails without a mutant."""
    note = Path(f"reached.{os.getpid()}.json")

    def watch() -> int:
        from mutmut.state import state

        os.environ["MUTANT_UNDER_TEST"] = "stats"
        reached: dict[str, list[str]] = {}
        seconds: dict[str, float] = {}
        for item, following in _pairs(items):
            begun = time.monotonic()
            reports = runtestprotocol(item, log=False, nextitem=following)
            if failed := [report.longreprtext for report in reports if report.failed]:
                note.write_text(json.dumps([f"{item.nodeid}\n{failed[0]}"]))
                return KILLED
            seconds[item.nodeid] = time.monotonic() - begun
            for function in list(state()._stats):
                reached.setdefault(function, []).append(item.nodeid)
            state()._stats.clear()
        note.write_text(json.dumps([reached, seconds]))
        return 0

    code = _forked(watch, float("inf"))
    noted = json.loads(note.read_text()) if note.exists() else ["the first one, or a later one that ended the process"]
    note.unlink(missing_ok=True)
    if code:
        pytest.exit(f"fails without a mutant: {noted[0]}", returncode=3)
    return {name: set(tests) for name, tests in noted[0].items()}, noted[1]


def _run(mutant: str, items: list[pytest.Item]) -> int:
    os.environ["MUTANT_UNDER_TEST"] = mutant
    for item, following in _pairs(items):
        if any(report.failed for report in runtestprotocol(item, log=False, nextitem=following)):
            return KILLED
    return 0


def _pairs(items: list[pytest.Item]) -> Any:
    return zip(items, [*items[1:], None], strict=True)


def _forked(work: Callable[[], int], limit: float) -> int:
    """The exit code of `work` in a process of its own; after `limit` seconds that ends with all that it started."""
    with TemporaryDirectory(prefix="mutant-", ignore_cleanup_errors=True) as folder:
        os.environ["PYTEST_DEBUG_TEMPROOT"] = folder  # what tests leave is removed at once
        return _ended(work, limit)


def _ended(work: Callable[[], int], limit: float) -> int:
    process = os.fork()
    if process == 0:
        code = 3
        try:
            os.setpgid(0, 0)
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, 1)
            os.dup2(nowhere, 2)
            code = work()
        finally:
            os._exit(code)
    deadline = time.monotonic() + limit
    while True:
        ended, status = os.waitpid(process, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > deadline:
            os.killpg(process, signal.SIGKILL)
            os.waitpid(process, 0)
            return TIMED_OUT
        time.sleep(0.005)


if __name__ == "__main__":
    sys.path.insert(0, str(Path.cwd()))
    mine, of = map(int, sys.argv[1].split("/"))
    usual = ["-q", "--rootdir=.", "-p", "no:cacheprovider", "-p", "no:timeout", "-o", "addopts=", "-W", "ignore"]
    sys.exit(pytest.main([*usual, *sys.argv[2:]], plugins=[Runs(mine, of)]))
