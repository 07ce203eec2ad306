"""The page of measurements is written by the benchmarks themselves."""

import json
import subprocess
import sys
from pathlib import Path

from bench.__main__ import PARTS
from bench.report import DOCS, MARK, TEMPLATE, Report, Table, parser, write_page
from tests.conftest import ROOT


def test_a_quick_pass_writes_its_figures_its_plot_and_the_page(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bench", "--quick", "--only", "growth", "--out", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "benchmarks.md").read_text()
    assert "| 20,000 |" in page
    assert "A quick pass" in page
    assert (tmp_path / "benchmarks" / "growth.svg").read_text().count("<path") > 5
    assert json.loads((tmp_path / "benchmarks" / "growth.json").read_text())["place"]["versions"]["duckdb"]


def test_what_was_not_measured_yet_says_how_and_leaves_no_mark(tmp_path: Path) -> None:
    page = write_page(tmp_path).read_text()
    assert "Not measured yet: `python -m bench.webhooks`." in page
    assert not MARK.search(page)


def test_one_part_repeated_changes_nothing_of_the_others(tmp_path: Path) -> None:
    chosen = parser("webhooks", None).parse_args(["--out", str(tmp_path)])
    Report("webhooks", chosen).keep({"servers": Table(("server", "webhooks/s"), [("first", 1234.5)])})
    Report("pages", chosen).keep({"script": Table(("page", "ms"), [("overview", None)])})
    Report("webhooks", chosen).keep({"servers": Table(("server", "webhooks/s"), [("second", 0.123)])})
    page = (tmp_path / "benchmarks.md").read_text()
    assert "| second | 0.12 |" in page
    assert "| overview | – |" in page
    assert "first |" not in page


def test_every_part_has_its_place_on_the_page() -> None:
    assert {mark[1] for mark in MARK.finditer(TEMPLATE.read_text())} == set(PARTS)


def test_the_page_in_the_docs_is_what_its_kept_results_say(tmp_path: Path) -> None:
    (tmp_path / "benchmarks").mkdir()
    for kept in (DOCS / "benchmarks").glob("*.json"):
        (tmp_path / "benchmarks" / kept.name).write_text(kept.read_text())
    assert write_page(tmp_path).read_text() == (DOCS / "benchmarks.md").read_text(), "run: python -m bench.report"
